"""The researcher's pages over a project of ten rounds: `python -m benchmarks.rounds`.

Over real HTTP, from the web server as it runs in production: ten rounds, 200 runs with 25,000 metric points each, their
checkpoints, datasets, batches and labels. Every page that the site map has for a researcher (benchmarks/site.py) is
asked for several times, after four that are not counted; `pages.max_ms` is the slowest of the medians among
those of rounds, runs and what comes of them. `first` is the time of the very first of the four: neither of the web
processes has read anything, and what is computed once and kept is computed. Files to save (CSV, the log, weights, and
all rows of a run as JSON) are downloads and no pages: they are shown, and the slowest is named apart.

Then the page of the running run is open, its curves growing by a row each time. `poll.cpu_ms` is what a poll costs the
web server and PostgreSQL, less what they use when nobody asks: one look at the run's state and one at the new rows. All
that the page, and that of its round, ask for by themselves is shown as well, and what an open page costs in a second.
"""

import argparse
import contextlib
import json
import re
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks import server
from benchmarks.polling import CURVES, STATE, Look, Polling, ask
from benchmarks.report import Measurement, append_lines, machine, spread, table

if TYPE_CHECKING:
    from benchmarks.ten_rounds import Amounts

MOST_MS, MOST_POLL_MS = 300, 20
FILLED = "filled.json"  # in a home that is kept: what it was filled with, and the researcher's session
WHOLE = ("run-metrics",)  # JSON without an end: every row of a run, for programs


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
    first: float = 0.0  # ms
    ms: list[float] = field(default_factory=list)

    @property
    def is_download(self) -> bool:
        return self.kind not in ("text/html", "application/json") or self.name in WHOLE

    @property
    def counts(self) -> bool:
        return self.is_cockpit and not self.is_download


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rounds", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--runs", type=int, default=200, help="those of the rounds included")
    parser.add_argument("--points", type=int, default=25_000, help="metric points of each run, twelve a row")
    parser.add_argument("--rankings", type=int, default=600, help="rankings for training in each round")
    parser.add_argument("--cockpit", action="store_true", help="ask for no pages but those that count")
    parser.add_argument("--repeats", type=int, default=5, help="the table shows the median and the range")
    parser.add_argument(
        "--warm", type=int, default=4, help="requests before: both web processes shall have met the page"
    )
    parser.add_argument("--polls", type=int, default=200)
    parser.add_argument("--home", type=Path, help="fill this folder and keep it, or measure what is in it")
    parser.add_argument("--json", type=Path, help="append the measurements to this file, one JSON object a line")
    options = parser.parse_args(arguments)
    print(machine(), flush=True)
    with _home(options.home) as home:
        server.set_up(home)
        from benchmarks import ten_rounds

        amounts = ten_rounds.Amounts(options.rounds, options.runs, options.points, options.rankings)
        cookie = _filled(home / FILLED, amounts)
        with server.web_server() as (port, web):
            pages, skipped = walk(port, cookie, options.warm, options.repeats, cockpit=options.cockpit)
            looks = Polling(port, web, cookie, options.polls).looks()
    print(as_tables(pages, skipped, looks))
    if options.json:
        settings = asdict(amounts) | {"repeats": options.repeats, "polls": options.polls}
        append_lines(options.json, as_measurements(pages, looks, settings))
    if wrong := [page for page in pages if page.status != 200]:
        raise SystemExit("\n".join(f"GET {page.address} gave {page.status}." for page in wrong))


@contextlib.contextmanager
def _home(kept: Path | None) -> Iterator[Path]:
    """The folder that is to be kept, or one that is gone afterwards."""
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="podium-benchmark-") as home:
        yield Path(home)


def _filled(note: Path, amounts: "Amounts") -> str:
    """The session of a researcher of the project, which is filled unless the note says that it has been."""
    if note.exists():
        before = json.loads(note.read_text())
        if before["amounts"] != asdict(amounts):
            raise SystemExit(f"{note.parent} is filled with {before['amounts']}, not {asdict(amounts)}.")
        print(f"{amounts.runs} runs, filled before", flush=True)
        return str(before["cookie"])
    begin = time.perf_counter()
    cookie = _fill(amounts)
    note.write_text(json.dumps({"amounts": asdict(amounts), "cookie": cookie}))
    print(f"{amounts.runs} runs, filled in {time.perf_counter() - begin:.0f} s", flush=True)
    return cookie


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


def walk(port: int, cookie: str, warm: int, repeats: int, *, cockpit: bool) -> tuple[list[Page], dict[str, str]]:
    """Every page that answers a researcher, the slowest first; and why others were skipped, by name."""
    from benchmarks import site

    addresses, skipped = site.addresses()
    pages = []
    for found in addresses:
        if cockpit and not found.is_cockpit:
            continue
        page = Page(*found)
        for repeat in range(warm + repeats):
            answer = ask(port, cookie, page.address)
            page.status, page.kind, page.bytes = answer.status, answer.kind, len(answer.body)
            page.first = page.first or answer.ms
            if page.status != 200:
                break
            if repeat >= warm:
                page.ms.append(answer.ms)
        pages.append(page)
    answering = {page.name for page in pages if page.status == 200}
    for page in pages:
        if page.status == 405:
            skipped[page.name] = "no GET"
        elif page.status != 200 and page.name in answering:
            skipped[_called(page)] = "not for this one"
        elif page.status != 200 and not page.is_cockpit and page.status < 500:
            skipped[page.name] = "not a researcher's"
    shown = [page for page in pages if page.status >= 500 or not {page.name, _called(page)} & set(skipped)]
    return sorted(shown, key=lambda page: -median(page.ms or [0])), skipped


def of_run(looks: Sequence[Look]) -> float:
    """CPU ms of the run's state and of the new rows of its curves, together."""
    return sum(look.ms for look in looks if look.page == "run" and look.what in (STATE, CURVES))


def as_tables(pages: Sequence[Page], skipped: dict[str, str], looks: Sequence[Look]) -> str:
    """The pages by their time, what is over, what was skipped and why, and what polls cost."""
    rows = []
    for page in pages:
        ms = spread(page.ms, 0) if page.ms else "–"
        rows.append([_called(page), str(page.status), ms, f"{page.first:.0f}", f"{page.bytes:,}", _note(page)])
    counted = [page for page in pages if page.counts and page.ms]
    over = [page for page in counted if median(page.ms) > MOST_MS]
    lines = [table(["page", "status", "ms", "first", "bytes", "note"], rows)]
    lines.append(f"{len(counted)} pages counted, {len(over)} over {MOST_MS} ms: {_list(map(_called, over))}")
    first = max((page.first for page in counted), default=0.0)
    lines.append(f"The slowest of their first requests: {first:.0f} ms")
    if saved := [page for page in pages if page.is_cockpit and page.is_download and page.ms]:
        longest = max(saved, key=lambda page: median(page.ms))
        lines.append(f"{len(saved)} downloads; the slowest is {_called(longest)}, {median(longest.ms):.0f} ms")
    for why in sorted(set(skipped.values())):
        lines.append(f"Skipped, {why}: {_list(sorted(name for name in skipped if skipped[name] == why))}")
    cells = [
        [f"{one.page}: {shortened(one.what)}", f"{one.every:.0f}", f"{one.app_ms:.1f}", f"{one.database_ms:.1f}"]
        for one in looks
    ]
    lines.append(table(["a look of the page of the", "every s", "web, CPU ms", "PostgreSQL"], cells))
    for open_page in ("run", "round"):
        a_second = sum(one.ms / one.every for one in looks if one.page == open_page)
        lines.append(f"The page of the {open_page}, open: {a_second:.1f} ms of CPU a second")
    lines.append(f"A poll of the run page, state and new rows: {of_run(looks):.1f} ms of CPU (at most {MOST_POLL_MS})")
    return "\n\n".join(lines)


def shortened(address: str) -> str:
    """Without most of a run's id."""
    return re.sub(r"([0-9a-f]{8})-[0-9a-f-]{27}", r"\1…", address)


def _called(page: Page) -> str:
    return f"{page.name}: {page.what}" if page.what else page.name


def _note(page: Page) -> str:
    if page.is_download:
        return "download"
    return "" if page.counts else "elsewhere"


def _list(words: Iterable[str]) -> str:
    return ", ".join(words) or "none"


def as_measurements(pages: Sequence[Page], looks: Sequence[Look], settings: dict[str, Any]) -> list[Measurement]:
    slowest = max((page for page in pages if page.counts and page.ms), key=lambda page: median(page.ms))
    named = settings | {"page": _called(slowest)}
    return [
        Measurement("pages.max_ms", named, round(median(slowest.ms), 1), "ms"),
        Measurement("poll.cpu_ms", settings, round(of_run(looks), 2), "ms"),
    ]


if __name__ == "__main__":
    main()
