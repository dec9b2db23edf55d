"""A Podium of the benchmark's own: embedded PostgreSQL in a folder of its own, and the Procfile's web server."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
from honcho.environ import parse_procfile

ROOT = Path(__file__).resolve().parent.parent


def set_up(home: Path) -> None:
    """Django on an embedded PostgreSQL in `home`, migrated. To be called before any model is imported."""
    os.environ.update(PODIUM_HOME=str(home), DJANGO_SETTINGS_MODULE="config.settings", LOG_LEVEL="WARNING")
    for name in ("DATABASE_URL", "REDIS_URL", "ARTIFACT_ROOT"):
        os.environ.pop(name, None)
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)


@contextlib.contextmanager
def web_server() -> Iterator[tuple[int, psutil.Process]]:
    """The web server as the Procfile starts it, on a free port: the port and its process."""
    from django.conf import settings

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = parse_procfile((ROOT / "Procfile").read_text()).processes["web"]
    environ = {**os.environ, "PORT": str(port), "DATABASE_URL": settings.DATABASE_URL}
    environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    log = settings.HOME / "web.log"
    with log.open("ab") as output:
        server = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {command}"], cwd=ROOT, env=environ, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _wait_until_it_answers(server, port, log)
        yield port, psutil.Process(server.pid)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def _wait_until_it_answers(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError):  # refused, or too slow on a busy machine
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5)
            return
        time.sleep(0.1)
    raise SystemExit(f"The web server does not start; its last words: {log.read_text()[-500:]}")


def postgres_process() -> psutil.Process:
    """The postmaster of the embedded PostgreSQL."""
    from django.conf import settings

    return psutil.Process(int((settings.HOME / "postgres" / "postmaster.pid").read_text().split()[0]))


def cpu_seconds(process: psutil.Process) -> float:
    """User and system time of a process and all below it, those that have ended included."""
    total = 0.0
    for one in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total
