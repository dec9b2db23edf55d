"""docker-compose.yml: every service has a health check, and there is no default secret."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = ROOT / "docker-compose.yml"


def services() -> dict[str, dict[str, object]]:
    return yaml.safe_load(COMPOSE.read_text())["services"]


def test_it_has_the_processes_of_the_procfile_and_their_services() -> None:
    procfile = {line.split(":")[0] for line in (ROOT / "Procfile").read_text().splitlines()}
    assert procfile | {"postgres", "redis", "migrate"} == set(services())


def test_everything_that_keeps_running_has_a_health_check() -> None:
    assert [name for name, service in services().items() if name != "migrate" and "healthcheck" not in service] == []


def test_there_is_no_default_secret() -> None:
    text = COMPOSE.read_text()
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD"):
        assert f"${{{name}:?" in text
        assert f"${{{name}:-" not in text


def compose_client() -> list[str] | None:
    """The plugin, or the older program of its own."""
    if shutil.which("docker") and subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0:
        return ["docker", "compose"]
    return ["docker-compose"] if shutil.which("docker-compose") else None


def test_compose_itself_accepts_it() -> None:
    client = compose_client()
    if client is None:
        pytest.skip("no docker compose client on this machine")
    command = [*client, "-f", str(COMPOSE), "config", "--quiet"]
    bare = {name: value for name, value in os.environ.items() if name not in {"SECRET_KEY", "POSTGRES_PASSWORD"}}
    refused = subprocess.run(command, capture_output=True, text=True, env=bare)
    assert refused.returncode != 0
    assert "SECRET_KEY" in refused.stderr or "POSTGRES_PASSWORD" in refused.stderr
    accepted = subprocess.run(
        command, capture_output=True, text=True, env={**bare, "SECRET_KEY": "x" * 40, "POSTGRES_PASSWORD": "y"}
    )
    assert accepted.returncode == 0, accepted.stderr
