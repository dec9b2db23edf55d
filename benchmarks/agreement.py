"""The agreement page over many rankings: `python -m benchmarks.agreement`.

Over real HTTP, from the web server as it runs in production, with intervals from 1,000 draws of the items. The page is
asked for after a ranking was corrected, so nothing is known and every figure is computed (`page`), and once more
without a change (`again`). Its peak is the resident memory of the server's largest process (VmHWM). CPU is that of the
server's and PostgreSQL's processes: on a machine that others use at the same time it tells more than the seconds do.
"""

import argparse
import http.client
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

from benchmarks import server
from benchmarks.report import Measurement, append_lines, machine, spread, table

HEAD = ["rankings", "items", "labelers", "page s", "CPU s a page", "again s", "peak MB"]


@dataclass(frozen=True)
class Result:
    page_seconds: list[float]
    page_cpu_seconds: list[float]
    again_seconds: list[float]
    peak_mb: float


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agreement", description=__doc__)
    parser.add_argument("--items", type=int, default=20_000, help="of K = 4 to 9, each ranked by five labelers")
    parser.add_argument("--labelers", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=5, help="the table shows the median and the range")
    parser.add_argument("--json", type=Path, help="append the measurements to this file, one JSON object a line")
    options = parser.parse_args(arguments)
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory(prefix="podium-benchmark-") as home:
        server.set_up(Path(home))
        from benchmarks import overlap

        overlap.fill(options.items, options.labelers)
        result = measure(options.repeats)
    print(as_table(result, options.items, options.labelers))
    if options.json:
        append_lines(options.json, as_measurements(result, options.items, options.labelers, options.repeats))


def measure(repeats: int) -> Result:
    cookie = _session()
    page, cpu, again = [], [], []
    with server.web_server() as (port, web):
        processes = [web, server.postgres_process()]
        _get(port, cookie, "/agreement/?cohort=held_out")  # the process has imported what the page needs
        for repeat in range(repeats):
            _touch(repeat)
            before = sum(map(server.cpu_seconds, processes))
            page.append(_get(port, cookie, "/agreement/"))
            cpu.append(sum(map(server.cpu_seconds, processes)) - before)
            again.append(_get(port, cookie, "/agreement/"))
        peak = max(_peak_mb(process) for process in [web, *web.children(recursive=True)])
    return Result(page, cpu, again, peak)


def _session() -> str:
    """Of a researcher who is logged in."""
    from django.test import Client

    from labeling.labelers.enroll import give_role
    from labeling.models import Role, User

    user = User.objects.create(email="researcher@benchmark.example")
    give_role(user, Role.RESEARCHER)
    client = Client()
    client.force_login(user)
    return f"sessionid={client.cookies['sessionid'].value}"


def _touch(repeat: int) -> None:
    """A ranking is corrected: what was computed before does not hold any more."""
    from django.utils import timezone

    from labeling.models import Ranking

    changed = Ranking.objects.filter(pk=repeat + 1).update(corrected_at=timezone.now())
    assert changed == 1, "there is no ranking to correct"


def _get(port: int, cookie: str, address: str) -> float:
    """Seconds until the whole page is there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    begin = time.perf_counter()
    connection.request("GET", address, headers={"Cookie": cookie})
    response = connection.getresponse()
    body = response.read()
    seconds = time.perf_counter() - begin
    if response.status != 200 or b"Agreement" not in body:
        raise SystemExit(f"GET {address} gave {response.status}: {body[:300]!r}")
    return seconds


def _peak_mb(process: psutil.Process) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def as_table(result: Result, items: int, labelers: int) -> str:
    from benchmarks.overlap import EACH

    cells = [
        f"{items * EACH:,}",
        f"{items:,}",
        str(labelers),
        spread(result.page_seconds, 2),
        spread(result.page_cpu_seconds, 2),
        spread(result.again_seconds, 2),
        f"{result.peak_mb:.0f}",
    ]
    return table(HEAD, [cells])


def as_measurements(result: Result, items: int, labelers: int, repeats: int) -> list[Measurement]:
    settings = {"items": items, "labelers": labelers, "repeats": repeats}
    values = [
        ("page_seconds", median(result.page_seconds), "s"),
        ("page_cpu_seconds", median(result.page_cpu_seconds), "s"),
        ("again_seconds", median(result.again_seconds), "s"),
        ("peak_mb", result.peak_mb, "MB"),
    ]
    return [
        Measurement(measure=f"agreement.{name}", settings=settings, value=round(value, 3), unit=unit)
        for name, value, unit in values
    ]


if __name__ == "__main__":
    main()
