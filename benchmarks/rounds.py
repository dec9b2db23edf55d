"""The researcher's pages over a project of ten rounds: `python -m benchmarks.rounds`.

Over real HTTP, from the web server as it runs in production: ten rounds, 200 runs with 25,000 metric points each, their
checkpoints, datasets, batches and labels. Every page that the site map has for a researcher (benchmarks/site.py) is
asked for several times, after two requests that are not counted; `pages.max_ms` is the slowest of the medians among
those of rounds, runs and what comes of them. Downloads are shown and not counted.

Then the page of the running run polls, its curves growing by a row each time: `poll.cpu_ms` is what a poll, one
look at the state and one at the new rows, costs the web server and PostgreSQL, less what they use when nobody asks.
"""

import argparse
import http.client
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import psutil

from benchmarks import server
from benchmarks.report import Measurement, append_lines, machine, spread, table

if TYPE_CHECKING:
    from benchmarks.ten_rounds import Amounts

MOST_MS, MOST_POLL_MS = 300, 20
WARM = 2  # web processes


class Answer(NamedTuple):
    status: int
    kind: str  # of the content: "text/html"
    bytes: int
    ms: float


@dataclass
class Page:
    """An address and how it was answered."""

    name: str
    what: str
    address: str
    is_cockpit: bool
    status: int = 0
    kind: str = ""
    bytes: int = 0
    ms: list[float] = field(default_factory=list)

    @property
    def is_download(self) -> bool:
        return self.kind not in ("text/html", "application/json")

    @property
    def counts(self) -> bool:
        return self.is_cockpit and not self.is_download


class Poll(NamedTuple):
    what: str
    app_ms: float  # CPU
    database_ms: float


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rounds", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--runs", type=int, default=200, help="those of the rounds included")
    parser.add_argument("--points", type=int, default=25_000, help="metric points of each run, twelve a row")
    parser.add_argument("--rankings", type=int, default=600, help="rankings for training in each round")
    parser.add_argument("--cockpit", action="store_true", help="ask for no pages but those that count")
    parser.add_argument("--repeats", type=int, default=5, help="the table shows the median and the range")
    parser.add_argument("--polls", type=int, default=200)
    parser.add_argument("--json", type=Path, help="append the measurements to this file, one JSON object a line")
    options = parser.parse_args(arguments)
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory(prefix="podium-benchmark-") as home:
        server.set_up(Path(home))
        from benchmarks import ten_rounds

        amounts = ten_rounds.Amounts(options.rounds, options.runs, options.points, options.rankings)
        begin = time.perf_counter()
        cookie = _fill(amounts)
        print(f"{options.runs} runs, filled in {time.perf_counter() - begin:.0f} s", flush=True)
        with server.web_server() as (port, web):
            pages, skipped = walk(port, cookie, options.repeats, cockpit=options.cockpit)
            polls = poll(port, web, cookie, options.polls)
    print(as_tables(pages, skipped, polls))
    if options.json:
        settings = asdict(amounts) | {"repeats": options.repeats, "polls": options.polls}
        append_lines(options.json, as_measurements(pages, polls, settings))
    if wrong := [page for page in pages if page.status != 200]:
        raise SystemExit("\n".join(f"GET {page.address} gave {page.status}." for page in wrong))


def _fill(amounts: "Amounts") -> str:
    """The project, and the session of a researcher who is logged in."""
    from django.test import Client

    from benchmarks import ten_rounds
    from labeling.labelers.enroll import give_role
    from labeling.models import Role, User

    user = User.objects.create(email="researcher@benchmark.example")
    give_role(user, Role.RESEARCHER)
    ten_rounds.fill(amounts, user)
    client = Client()
    client.force_login(user)
    return f"sessionid={client.cookies['sessionid'].value}"


def walk(port: int, cookie: str, repeats: int, *, cockpit: bool) -> tuple[list[Page], dict[str, str]]:
    """Every page that answers a researcher, the slowest first; and why others were skipped, by name."""
    from benchmarks import site

    addresses, skipped = site.addresses()
    pages = []
    for found in addresses:
        if cockpit and not found.is_cockpit:
            continue
        page = Page(*found)
        for repeat in range(WARM + repeats):
            answer = ask(port, cookie, page.address)
            page.status, page.kind, page.bytes = answer.status, answer.kind, answer.bytes
            if page.status != 200:
                break
            if repeat >= WARM:
                page.ms.append(answer.ms)
        if page.status == 405:
            skipped[page.name] = "no GET"
        elif page.status < 500 and page.status != 200 and not page.is_cockpit:
            skipped[page.name] = "not a researcher's"
        else:
            pages.append(page)
    return sorted(pages, key=lambda page: -median(page.ms or [0])), skipped


def ask(port: int, cookie: str, address: str, **headers: str) -> Answer:
    """One GET, read to its end."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    begin = time.perf_counter()
    connection.request("GET", address, headers={"Cookie": cookie, **headers})
    response = connection.getresponse()
    body = response.read()
    ms = 1000 * (time.perf_counter() - begin)
    connection.close()
    kind = (response.getheader("Content-Type") or "").split(";")[0]
    return Answer(response.status, kind, len(body), ms)


def poll(port: int, web: psutil.Process, cookie: str, polls: int) -> list[Poll]:
    """CPU of a poll: of the running run's state, of its new rows, and of the running round."""
    from django.urls import reverse

    from training import storage
    from training.models import Run

    run = Run.objects.get(state=Run.State.RUNNING)
    path = storage.run_folder(run.pk) / "metrics.jsonl"
    row = path.read_text().splitlines()[-1]
    state, metrics = (reverse(name, args=[run.pk]) for name in ("run-detail", "run-metrics"))
    loop = reverse("round-detail", args=[run.stage.round_id])

    def grow() -> int:
        """One more row; where it begins."""
        begins = path.stat().st_size
        with path.open("a") as file:
            file.write(row + "\n")
        return begins

    def rows() -> None:
        begins = grow()
        _expect(ask(port, cookie, f"{metrics}?from={begins}", Accept="application/json"), metrics)

    def part(address: str) -> Callable[[], None]:
        return lambda: _expect(ask(port, cookie, address, **{"HX-Request": "true"}), address)

    looks = [("state of the run", part(state)), ("new rows of its curves", rows), ("stages of the round", part(loop))]
    idle = _cpu(web, lambda: time.sleep(0.02), polls)
    found = []
    for what, look in looks:
        look()
        used = _cpu(web, look, polls)
        less = [
            max(0.0, one - rest * used.seconds / idle.seconds) for one, rest in zip(used[:2], idle[:2], strict=True)
        ]
        found.append(Poll(what, *(1000 * one / polls for one in less)))
    return found


class Used(NamedTuple):
    app: float  # seconds of CPU
    database: float
    seconds: float


def _cpu(web: psutil.Process, do: Callable[[], None], times: int) -> Used:
    """What web server and PostgreSQL use while something is done so many times."""
    processes = [web, server.postgres_process()]
    before, begin = [server.cpu_seconds(one) for one in processes], time.perf_counter()
    for _ in range(times):
        do()
    app, database = (server.cpu_seconds(one) - was for one, was in zip(processes, before, strict=True))
    return Used(app, database, time.perf_counter() - begin)


def _expect(answer: Answer, address: str) -> None:
    if answer.status != 200:
        raise SystemExit(f"GET {address} gave {answer.status}.")


def of_run(polls: Sequence[Poll]) -> float:
    """CPU ms of the run page's two looks together."""
    return sum(one.app_ms + one.database_ms for one in polls[:2])


def as_tables(pages: Sequence[Page], skipped: dict[str, str], polls: Sequence[Poll]) -> str:
    """The pages by their time, what is over, what was skipped and why, and what polls cost."""
    rows = []
    for page in pages:
        ms = spread(page.ms, 0) if page.ms else "–"
        rows.append([_called(page), str(page.status), ms, f"{page.bytes:,}", _note(page)])
    counted = [page for page in pages if page.counts and page.ms]
    over = [page for page in counted if median(page.ms) > MOST_MS]
    lines = [table(["page", "status", "ms", "bytes", ""], rows)]
    lines.append(f"{len(counted)} pages counted, {len(over)} over {MOST_MS} ms: {_list(map(_called, over))}")
    for why in sorted(set(skipped.values())):
        lines.append(f"Skipped, {why}: {_list(sorted(name for name in skipped if skipped[name] == why))}")
    looks = [[one.what, f"{one.app_ms:.1f}", f"{one.database_ms:.1f}"] for one in polls]
    lines.append(table(["CPU ms of a look", "web", "PostgreSQL"], looks))
    lines.append(f"A poll of the run page: {of_run(polls):.1f} ms of CPU (at most {MOST_POLL_MS})")
    return "\n\n".join(lines)


def _called(page: Page) -> str:
    return f"{page.name}: {page.what}" if page.what else page.name


def _note(page: Page) -> str:
    if page.is_download:
        return "download"
    return "" if page.counts else "elsewhere"


def _list(words: Iterable[str]) -> str:
    return ", ".join(words) or "none"


def as_measurements(pages: Sequence[Page], polls: Sequence[Poll], settings: dict[str, Any]) -> list[Measurement]:
    slowest = max((page for page in pages if page.counts and page.ms), key=lambda page: median(page.ms))
    named = settings | {"page": _called(slowest)}
    return [
        Measurement("pages.max_ms", named, round(median(slowest.ms), 1), "ms"),
        Measurement("poll.cpu_ms", settings, round(of_run(polls), 2), "ms"),
    ]


if __name__ == "__main__":
    main()
