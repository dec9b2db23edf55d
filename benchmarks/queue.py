"""The labeler's cycle over real HTTP: `python -m benchmarks.queue`.

A cycle is `next`, the GET of the ranking page, and `submit`, the POST of the order, which stores it, claims the next
item and redirects there. Sessions, CSRF, permissions, templates and validation are as for people; K = 4, three labels
an item, and a third as many closed items by 200 past labelers stand beside the open ones. CPU is user and system time
of the web server's and PostgreSQL's processes, this harness left out. For scale: Label Studio 1.23 took 195 ms a cycle
over its API, measured apart from this.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

import psutil

from benchmarks import server
from benchmarks.report import Measurement, append_lines, machine, spread, table

if TYPE_CHECKING:
    from labeling.models import Labeler  # at run time only after `server.set_up`

UNITS = {"cycle_cpu_ms": "ms", "next_p95_ms": "ms", "cycles_per_s": "1/s", "claim_buffers": "buffers"}
SHORT = 10_000  # a line of so few items is filled anew for each run: three of them would use it up
HEAD = ["open items", "labelers", "cycles/s", "next p50/p95/p99 ms", "submit p50/p95/p99 ms"]
HEAD += ["CPU ms a cycle", "app + db", "claim's buffers"]


@dataclass(frozen=True)
class Result:
    """One run: so many labelers for some seconds on a line of so many items. Times in ms, CPU in ms a cycle."""

    items: int
    labelers: int
    cycles_per_s: float
    next_ms: tuple[float, float, float]
    submit_ms: tuple[float, float, float]
    app_cpu_ms: float
    db_cpu_ms: float
    claim_buffers: int

    @property
    def cycle_cpu_ms(self) -> float:
        return self.app_cpu_ms + self.db_cpu_ms

    @property
    def next_p95_ms(self) -> float:
        return self.next_ms[1]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.queue", description=__doc__)
    parser.add_argument("--items", type=int, nargs="+", default=[1_000, 1_000_000], help="open items in the line")
    parser.add_argument("--labelers", type=int, nargs="+", default=[1, 8, 20], help="at work at the same time")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each run, after three cycles of warming up")
    parser.add_argument("--repeats", type=int, default=3, help="interleaved; the table shows the median and the range")
    parser.add_argument("--json", type=Path, help="append the measurements to this file, one JSON object a line")
    options = parser.parse_args(arguments)
    print(f"{machine()}; {options.seconds:g} s a run, {options.repeats} repeats, K = 4, need = 3", flush=True)
    with tempfile.TemporaryDirectory(prefix="podium-benchmark-") as home:
        server.set_up(Path(home))
        results = list(measure(options.items, options.labelers, options.seconds, options.repeats))
    print(as_table(results))
    if options.json:
        append_lines(options.json, as_measurements(results, options.seconds, options.repeats))


def measure(items: Sequence[int], labelers: Sequence[int], seconds: float, repeats: int) -> Iterator[Result]:
    """Every run, repeat by repeat, so that a busy minute of the machine does not fall on one setting alone."""
    from benchmarks import line

    with server.web_server() as (port, web):
        for repeat in range(repeats):
            for count in items:
                for many in labelers:
                    if many == labelers[0] or count <= SHORT:
                        line.refill(count)
                    people = line.labelers(f"{repeat}-{count}-{many}", many)
                    result = _run(people, port, web, count, seconds)
                    print(f"  {count:,} items, {many} labelers: {result.cycle_cpu_ms:.1f} ms a cycle", flush=True)
                    yield result


def _run(people: Sequence["Labeler"], port: int, web: psutil.Process, items: int, seconds: float) -> Result:
    from benchmarks import line
    from benchmarks.browsers import Browser, at_once

    browsers = [Browser(port, labeler.user) for labeler in people]
    at_once(browsers, cycles=3)
    database = server.postgres_process()
    app_before, db_before, begin = server.cpu_seconds(web), server.cpu_seconds(database), time.perf_counter()
    times = at_once(browsers, seconds=seconds)
    elapsed = time.perf_counter() - begin
    cycles = len(times.next)
    return Result(
        items=items,
        labelers=len(people),
        cycles_per_s=cycles / elapsed,
        next_ms=_percentiles(times.next),
        submit_ms=_percentiles(times.submit),
        app_cpu_ms=1000 * (server.cpu_seconds(web) - app_before) / cycles,
        db_cpu_ms=1000 * (server.cpu_seconds(database) - db_before) / cycles,
        claim_buffers=line.claim_buffers(people[0]),
    )


def _percentiles(seconds: Sequence[float]) -> tuple[float, float, float]:
    """p50, p95 and p99 in ms."""
    cuts = quantiles(seconds, n=100, method="inclusive")
    return 1000 * cuts[49], 1000 * cuts[94], 1000 * cuts[98]


def _by_setting(results: Sequence[Result]) -> dict[tuple[int, int], list[Result]]:
    settings: dict[tuple[int, int], list[Result]] = {}
    for result in results:
        settings.setdefault((result.items, result.labelers), []).append(result)
    return settings


def as_table(results: Sequence[Result]) -> str:
    rows = []
    for (items, labelers), runs in _by_setting(results).items():
        latencies = [
            " / ".join(f"{median(values):.0f}" for values in zip(*triples, strict=True))
            for triples in ([run.next_ms for run in runs], [run.submit_ms for run in runs])
        ]
        cpu = f"{median(run.app_cpu_ms for run in runs):.1f} + {median(run.db_cpu_ms for run in runs):.1f}"
        rows.append(
            [
                f"{items:,}",
                str(labelers),
                spread([run.cycles_per_s for run in runs]),
                *latencies,
                spread([run.cycle_cpu_ms for run in runs]),
                cpu,
                f"{median(run.claim_buffers for run in runs):.0f}",
            ]
        )
    return table(HEAD, rows)


def as_measurements(results: Sequence[Result], seconds: float, repeats: int) -> list[Measurement]:
    """The medians, with the settings of each."""
    return [
        Measurement(
            measure=f"queue.{name}",
            settings={"items": items, "labelers": labelers, "seconds": seconds, "repeats": repeats},
            value=round(median(getattr(run, name) for run in runs), 2),
            unit=unit,
        )
        for (items, labelers), runs in _by_setting(results).items()
        for name, unit in UNITS.items()
    ]


if __name__ == "__main__":
    main()
