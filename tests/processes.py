"""Real processes for tests: a Redis, and Celery workers on the test database."""

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

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


def wait_until(happened: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            raise AssertionError(f"Not within {seconds} s: {what}")
        time.sleep(0.05)
