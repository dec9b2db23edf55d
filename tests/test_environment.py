"""Nonsense in the environment is refused at start, with one sentence."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def start(tmp_path: Path, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs a command in an environment of its own."""
    env = {**os.environ, "PODIUM_HOME": str(tmp_path), "ARTIFACT_ROOT": str(tmp_path / "artifacts"), **environ}
    return subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, env=env, timeout=60)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DATABASE_URL", "mysql://podium@127.0.0.1/podium", "DATABASE_URL must start with postgresql://"),
        ("DATABASE_URL", "sqlite:///podium.sqlite3", "DATABASE_URL must start with postgresql://"),
        ("DATABASE_URL", "postgresql://podium@127.0.0.1:port/podium", "DATABASE_URL cannot be read"),
        ("DATABASE_URL", "postgresql://podium@127.0.0.1", "DATABASE_URL names no database"),
        ("REDIS_URL", "localhost:6379", "REDIS_URL must start with redis://"),
        ("SECRET_KEY", "short", "SECRET_KEY is shorter than 32 characters"),
        ("DEBUG", "maybe", "DEBUG is 'maybe'; use 1 or 0."),
        ("LEASE_MINUTES", "-5", "LEASE_MINUTES is '-5'; use a whole number of at least 1."),
        ("PAY_TIME_ZONE", "Mars/Olympus", "PAY_TIME_ZONE is 'Mars/Olympus'; use a name like Europe/Berlin or UTC."),
        ("PODIUM_LAUNCHER", "accelerate 'launch", "PODIUM_LAUNCHER cannot be read as a command: No closing quotation."),
        ("ARTIFACT_ROOT", "/proc/nowhere", "the folder /proc/nowhere cannot be made"),
    ],
)
def test_settings_refuse_nonsense(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    good = {"DATABASE_URL": "postgresql://podium@127.0.0.1:1/podium", "REDIS_URL": "redis://127.0.0.1:1/0"}
    loads = "import config.settings"
    assert start(tmp_path, "-c", loads, **good).returncode == 0
    refused = start(tmp_path, "-c", loads, **{**good, name: value})
    assert refused.returncode != 0
    assert sentence in refused.stderr


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = start(tmp_path, "-m", "config.launch", "run", "--port", str(port))
    assert refused.returncode == 1
    assert refused.stderr.strip().startswith(f"Port {port} is taken by another program")
    assert "Traceback" not in refused.stderr


def test_a_database_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    refused = start(
        tmp_path,
        *("-m", "config.launch", "run", "--port", str(free)),
        DATABASE_URL="postgresql://podium@127.0.0.1:1/podium",
        REDIS_URL="redis://127.0.0.1:1/0",
    )
    assert refused.returncode == 1
    assert "connection" in refused.stderr.lower()
    assert len(refused.stderr.strip().splitlines()) == 1
    assert "Traceback" not in refused.stderr


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 16 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], capture_output=True).returncode:
        pytest.skip("this user may not mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_said_before_anything_starts(small_disk: Path) -> None:
    refused = start(small_disk, "-m", "config.launch", "run", "--port", "1")
    assert refused.returncode == 1
    assert re.fullmatch(r"Podium needs 500 MB free on the disk of .*; there are 1[56] MB\. .*", refused.stderr.strip())


def test_a_full_disk_under_the_embedded_database_is_one_sentence(small_disk: Path) -> None:
    refused = start(small_disk, "-c", "import config.settings", DATABASE_URL="")
    assert refused.returncode != 0
    assert "The embedded PostgreSQL in" in refused.stderr.splitlines()[-1]
    assert "does not start" in refused.stderr.splitlines()[-1]
