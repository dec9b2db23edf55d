"""Real processes for tests: a Redis, and Celery workers and a web server on the test database."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil
from django.conf import settings
from django.db import connection

from config import embedded


def database_url() -> str:
    """The URL of the database that pytest made for this test run."""
    name = connection.settings_dict["NAME"]
    return re.sub(r"/[^/?]*(\?|$)", rf"/{name}\1", settings.DATABASE_URL, count=1)


@contextlib.contextmanager
def redis_server(home: Path) -> Iterator[str]:
    url = embedded.start_redis(home)
    try:
        yield url
    finally:
        embedded.stop_redis(home)


class Workers:
    """Celery processes of one test; all of them end with it."""

    def __init__(self, redis_url: str, logs: Path) -> None:
        self.redis_url = redis_url
        self.logs = logs
        self.all: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: str, **environment: str) -> "subprocess.Popen[bytes]":
        log = (self.logs / f"celery-{len(self.all)}.log").open("ab")
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "config", *arguments],
            cwd=settings.BASE_DIR,
            env={
                **os.environ,
                "DATABASE_URL": database_url(),
                "REDIS_URL": self.redis_url,
                "ARTIFACT_ROOT": str(settings.ARTIFACT_ROOT),
                "HEARTBEAT_SECONDS": "5",
                "TRAINING_THREADS": "1",
                **environment,
            },
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        self.all.append(process)
        return process

    def trainer(self, **environment: str) -> "subprocess.Popen[bytes]":
        return self.start("worker", "--queues", "training", "--pool", "threads", "--concurrency", "1", **environment)

    def worker(self) -> "subprocess.Popen[bytes]":
        return self.start("worker", "--queues", "default", "--pool", "threads", "--concurrency", "1")

    def beat(self, folder: Path) -> "subprocess.Popen[bytes]":
        return self.start("beat", "--schedule", str(folder / "beat"))

    def end(self) -> None:
        for process in self.all:
            with contextlib.suppress(psutil.NoSuchProcess):
                for child in psutil.Process(process.pid).children(recursive=True):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        child.kill()
            process.kill()
            process.wait()


class WebServer:
    """A web server of its own on the test's database, to be killed."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "web.log"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(
            [*command, "--worker-class", "gthread", "--workers", "1", "--threads", "4"],
            cwd=settings.BASE_DIR,
            env={**os.environ, "DATABASE_URL": database_url()},
            stdout=self.log.open("ab"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        wait_until(self.answers, 30, f"an answer of the web server ({self.log})")

    def answers(self) -> bool:
        try:
            return bool(urlopen(f"{self.url}/health", timeout=2).status == 200)
        except (URLError, OSError):
            return False

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def wait_until(happened: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            raise AssertionError(f"Not within {seconds} s: {what}")
        time.sleep(0.05)
