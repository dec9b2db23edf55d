"""Starts Podium on this machine: `python -m config.launch run|demo` (what `make run` and `make demo` call).

Starts the embedded PostgreSQL and Redis where no URL is given, migrates, and runs the Procfile with honcho.
When this process ends, however it ends, everything it started ends: Ctrl-C and SIGTERM are passed on, and what a
SIGKILL left behind is found by its pid file at the next start.
"""

import argparse
import atexit
import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import honcho.environ
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import OperationalError

ROOT = Path(__file__).resolve().parent.parent
NEEDED_BYTES = 500 << 20


def main() -> int:
    """Parses the command line, sets up, and runs. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m config.launch", description=__doc__)
    parser.add_argument("mode", choices=["run", "demo"])
    parser.add_argument("--size", default="mini", choices=["mini", "toy"], help="demo: how large the round is")
    parser.add_argument("--seed", type=int, default=1, help="demo: every random choice follows from it")
    parser.add_argument("--serve", type=int, default=1, choices=[0, 1], help="demo: 0 ends after the table")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a script that starts us with `&` has it ignored
    try:
        home = prepare(options.port)
        return run(home) if options.mode == "run" else demo(home, options)
    except (ImproperlyConfigured, OperationalError) as error:
        print(f"\n{' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def prepare(port: int) -> Path:
    """Services, tables and static files. Returns Podium's home folder.

    Raises ImproperlyConfigured with one sentence where the machine does not allow it.
    """
    os.chdir(ROOT)
    read_env_file(ROOT / ".env")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config import embedded, environment

    home = environment.folder("PODIUM_HOME", ROOT / "var")
    require_space(home)
    hold(home)
    end_leftovers(home)
    embedded.stop_redis(home)
    require_free(port)
    os.environ["PORT"] = str(port)
    if not environment.text("REDIS_URL"):
        os.environ["REDIS_URL"] = embedded.start_redis(home)

    import django
    from django.conf import settings

    django.setup()
    # The children get the address; only this process holds the embedded server.
    os.environ["DATABASE_URL"] = settings.DATABASE_URL
    (home / "logs").mkdir(exist_ok=True)
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    return home


def read_env_file(path: Path) -> None:
    """Takes what .env sets, where the environment does not set it already; honcho reads the same file."""
    if path.exists():
        for name, value in honcho.environ.parse(path.read_text()).items():
            os.environ.setdefault(name, value)


def run(home: Path) -> int:
    """An empty Podium for real use; its logs go to this terminal."""
    call_command("first_admin")
    print(f"Podium: http://127.0.0.1:{os.environ['PORT']}   (Ctrl-C ends it)", flush=True)
    return wait(start_processes(home, log=None))


def demo(home: Path, options: argparse.Namespace) -> int:
    """Podium with the miniature world: one whole round with simulated labelers, then open for a look."""
    # Both PPO runs go side by side, one thread each.
    os.environ.setdefault("TRAINERS", "2")
    processes = start_processes(home, log=home / "logs" / "podium.log")
    command = [sys.executable, "manage.py", "demo", "--size", options.size, "--seed", str(options.seed)]
    code = subprocess.call(command)
    if code or not options.serve:
        end(processes)
        return code
    print(f"\nPodium is at http://127.0.0.1:{options.port}   (Ctrl-C ends it; logs: {home / 'logs'})", flush=True)
    return wait(processes)


def start_processes(home: Path, *, log: Path | None) -> subprocess.Popen[bytes]:
    """Web, worker, trainer, sampler and beat by honcho; ended with this process."""
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    environ["PYTHONUNBUFFERED"] = "1"
    output = open(log, "ab") if log else None  # noqa: SIM115 - the child keeps it
    processes = subprocess.Popen(
        [sys.executable, "-m", "honcho", "--no-colour", "start"],
        env=environ,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        start_new_session=True,  # Ctrl-C reaches this process alone, which then ends them in order
    )
    (home / "processes.pid").write_text(str(processes.pid))
    atexit.register(end, processes)
    return processes


def wait(processes: subprocess.Popen[bytes]) -> int:
    """Until Ctrl-C, or until one of the processes ends (then honcho ends the others)."""
    try:
        return processes.wait()
    except KeyboardInterrupt:
        print("\nEnding …", flush=True)
        end(processes)
        return 0


def end(processes: subprocess.Popen[bytes]) -> None:
    """Asks honcho to end its processes, and waits for it."""
    if processes.poll() is None:
        processes.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            processes.wait(20)
        if processes.poll() is None:
            os.killpg(processes.pid, signal.SIGKILL)


def hold(home: Path) -> None:
    """One launcher a home; the lock goes with this process, however it ends.

    Raises ImproperlyConfigured where another launcher holds it.
    """
    lock = open(home / "launcher.lock", "a")  # noqa: SIM115 - held until this process ends
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise ImproperlyConfigured(f"Podium is already running with {home}; end that one first (Ctrl-C).") from error
    atexit.register(lock.close)


def end_leftovers(home: Path) -> None:
    """Ends the processes of a launcher that was killed before it could end them itself."""
    pid_file = home / "processes.pid"
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text() or 0)
    if pid and _is_honcho(pid):
        os.kill(pid, signal.SIGTERM)
        for _ in range(200):
            if not _is_honcho(pid):
                break
            time.sleep(0.1)
    pid_file.unlink()


def _is_honcho(pid: int) -> bool:
    """Asks ps, which every Unix has: a pid may have been given to somebody else since."""
    shown = subprocess.run(["ps", "-o", "stat=,args=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return "honcho" in shown and not shown.startswith("Z")


def require_space(home: Path) -> None:
    """Raises ImproperlyConfigured where the disk is too full for a database and a few checkpoints."""
    free = shutil.disk_usage(home).free
    if free < NEEDED_BYTES:
        raise ImproperlyConfigured(
            f"Podium needs {NEEDED_BYTES >> 20} MB free on the disk of {home}; there are {free >> 20} MB. "
            "Make room, or set PODIUM_HOME to a folder elsewhere."
        )


def require_free(port: int) -> None:
    """Raises ImproperlyConfigured where something else listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ImproperlyConfigured(
                f"Port {port} is taken by another program; end that one or choose another: make demo PORT=8001."
            ) from error


if __name__ == "__main__":
    sys.exit(main())
