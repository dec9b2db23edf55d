"""What a page that polls costs while it is open: each of its looks many times over, and the server's CPU for it."""

import functools
import http.client
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks import server

HTMX = {"HX-Request": "true"}
EVERY = re.compile(r'hx-trigger="every (\d+)s')
ADDRESS = re.compile(r'hx-get="([^"]+)"')
STATE = "the page's own state"
CURVES = "new rows of its curves"
CURVES_SECONDS = 3.0  # static/curves.js


class Answer(NamedTuple):
    status: int
    kind: str  # of the content: "text/html"
    body: bytes
    ms: float


class Look(NamedTuple):
    """One of the requests that a page repeats."""

    page: str
    what: str
    every: float  # seconds
    app_ms: float  # CPU of one
    database_ms: float

    @property
    def ms(self) -> float:
        return self.app_ms + self.database_ms


class Used(NamedTuple):
    app: float  # seconds of CPU
    database: float
    seconds: float


def ask(port: int, cookie: str, address: str, **headers: str) -> Answer:
    """One GET, read to its end."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    begin = time.perf_counter()
    connection.request("GET", address, headers={"Cookie": cookie, **headers})
    response = connection.getresponse()
    body = response.read()
    ms = 1000 * (time.perf_counter() - begin)
    connection.close()
    return Answer(response.status, (response.getheader("Content-Type") or "").split(";")[0], body, ms)


class Polling:
    """An open page of the run that is under way, and of its round."""

    def __init__(self, port: int, web: psutil.Process, cookie: str, times: int) -> None:
        from django.urls import NoReverseMatch, reverse

        from training import storage
        from training.models import Run

        self.port, self.web, self.cookie, self.times = port, web, cookie, times
        run = Run.objects.get(state=Run.State.RUNNING)
        self.metrics: Path = storage.run_folder(run.pk) / "metrics.jsonl"
        self.row = self.metrics.read_text().splitlines()[-1] + "\n"
        self.rows = reverse("run-metrics", args=[run.pk])
        try:
            self.curves = reverse("run-curves", args=[run.pk])
        except NoReverseMatch:
            self.curves = ""
        stage = run.stage
        self.pages = {
            "run": reverse("run-detail", args=[run.pk]),
            "round": reverse("round-detail", args=[stage.round_id]),
        }
        self.idle = self._used(lambda: time.sleep(0.02))

    def looks(self) -> list[Look]:
        """All of them, each asked for so many times: those of the run's page, then those of the round's."""
        found = []
        for page, address in self.pages.items():
            for part, every in self._of_page(address):
                what = STATE if part.split("?")[0] == address else part
                found.append(self._measured(page, what, every, functools.partial(self._get, part, **HTMX)))
            if page == "run":
                found.append(self._measured(page, CURVES, CURVES_SECONDS, self._news()))
        return found

    def _of_page(self, address: str) -> list[tuple[str, float]]:
        """Addresses that the page asks for by itself, and how often."""
        tags = re.findall(r"<[a-z][^>]*>", self._get(address).body.decode())
        polled = [(ADDRESS.search(tag), EVERY.search(tag)) for tag in tags]
        return [(said[1].replace("&amp;", "&"), float(every[1])) for said, every in polled if said and every]

    def _news(self) -> Callable[[], None]:
        """One more row, and a look at what is new, as the page's script does."""
        mark = json.loads(self._get(self.curves).body)["mark"] if self.curves else ""

        def look() -> None:
            nonlocal mark
            begins = self.metrics.stat().st_size
            with self.metrics.open("a") as file:
                file.write(self.row)
            if self.curves:
                mark = json.loads(self._get(f"{self.curves}?after={mark}").body)["mark"]
            else:
                self._get(f"{self.rows}?from={begins}")

        return look

    def _measured(self, page: str, what: str, every: float, look: Callable[[], object]) -> Look:
        for _ in range(4):  # both web processes have imported what it needs
            look()
        used = self._used(look)
        rest = used.seconds / self.idle.seconds
        app, database = used.app - rest * self.idle.app, used.database - rest * self.idle.database
        return Look(page, what, every, 1000 * max(0.0, app) / self.times, 1000 * max(0.0, database) / self.times)

    def _used(self, do: Callable[[], object]) -> Used:
        """What web server and PostgreSQL use while something is done so many times."""
        processes = [self.web, server.postgres_process()]
        before, begin = [server.cpu_seconds(one) for one in processes], time.perf_counter()
        for _ in range(self.times):
            do()
        app, database = (server.cpu_seconds(one) - was for one, was in zip(processes, before, strict=True))
        return Used(app, database, time.perf_counter() - begin)

    def _get(self, address: str, **headers: str) -> Answer:
        answer = ask(self.port, self.cookie, address, **headers)
        if answer.status not in (200, 204):
            raise SystemExit(f"GET {address} gave {answer.status}.")
        return answer
