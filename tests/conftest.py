"""The suite runs on its own embedded PostgreSQL and Redis, under var/test; nothing of a user's is touched."""

import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault("PODIUM_HOME", str(ROOT / "var" / "test"))
os.environ.setdefault("ARTIFACT_ROOT", tempfile.mkdtemp(prefix="podium-artifacts-"))
os.environ.setdefault("DEBUG", "1")

pytest_plugins = ["tests.people"]
