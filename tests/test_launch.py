"""The launcher: everything it starts ends with it, however it ends."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def processes_of(home: Path) -> list[psutil.Process]:
    """Every live process that has this home in its environment, command line or working folder (Redis)."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            signs = [process.environ().get("PODIUM_HOME", ""), " ".join(process.cmdline()), process.cwd()]
            if any(str(home) in sign for sign in signs):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def start(home: Path, port: int) -> subprocess.Popen[str]:
    environ = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    environ |= {"PODIUM_HOME": str(home), "ARTIFACT_ROOT": str(home / "artifacts"), "DEBUG": "0"}
    environ |= {"ADMIN_EMAIL": "first@podium.example"}
    return subprocess.Popen(
        [sys.executable, "-m", "config.launch", "run", "--port", str(port)],
        cwd=ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait_for_page(port: int, launcher: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert launcher.poll() is None, launcher.stdout and launcher.stdout.read()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/accounts/login/", timeout=5) as page:
                assert page.status == 200
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("no page within a minute")


def wait_until_ended(processes: list[psutil.Process]) -> None:
    """All but the embedded PostgreSQL, which the next launcher takes over."""
    others = [process for process in processes if process.is_running() and "postgres" not in process.name()]
    _, alive = psutil.wait_procs(others, timeout=40)
    assert alive == []


def wait_until_gone(home: Path) -> list[psutil.Process]:
    deadline = time.monotonic() + 40
    while (left := processes_of(home)) and time.monotonic() < deadline:
        time.sleep(0.2)
    return left


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    folder.chmod(0o755)
    yield folder
    for process in processes_of(folder):
        process.kill()


def test_ctrl_c_ends_all_and_a_killed_launcher_is_cleaned_up_after(home: Path) -> None:
    first = start(home, port := free_port())
    wait_for_page(port, first)
    names = " ".join(" ".join(process.cmdline()) for process in processes_of(home))
    for expected in ("gunicorn", "--queues default", "--queues training", "beat", "redis-server", "postgres"):
        assert expected in names

    first.kill()  # SIGKILL: it cannot clean up
    first.wait()
    left = processes_of(home)
    assert left, "the killed launcher's processes should have outlived it"

    second = start(home, port)
    wait_until_ended(left)
    wait_for_page(port, second)
    honcho = psutil.Process(int((home / "processes.pid").read_text()))
    assert honcho.ppid() == second.pid, "the page should come from the second launcher's processes"
    beats = [process for process in processes_of(home) if process.cmdline()[-3:-2] == ["beat"]]
    assert len(beats) == 1, "the killed launcher's processes should have been ended first"

    third = start(home, free_port())
    said, _ = third.communicate(timeout=30)
    assert third.returncode == 1
    assert said.strip().startswith("Podium is already running")

    second.send_signal(signal.SIGINT)
    output, _ = second.communicate(timeout=60)
    assert second.returncode == 0
    assert wait_until_gone(home) == []
    assert re.search(r"Podium: http://127\.0\.0\.1:\d+", output)
