"""What a run's folder says of where and with which code it ran. Folders may be gone: then nothing is said."""

import json
from typing import Any

from training import storage
from training.models import Run


def code_version(run: Run) -> str | None:
    """The commit, as run.json has it."""
    version = _json(run, "run.json").get("code_version")
    return version if isinstance(version, str) else None


def machine(run: Run) -> str | None:
    """The host that the recipe itself names; else that of the worker which followed it."""
    host = _json(run, "status.json").get("host")
    if isinstance(host, str) and host:
        return host
    return run.worker.rpartition(":")[0] or None


def _json(run: Run, name: str) -> dict[str, Any]:
    try:
        found = json.loads((storage.run_folder(run.pk) / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
