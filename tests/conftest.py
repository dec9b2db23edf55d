"""The suite runs on its own embedded PostgreSQL and Redis, under var/test; nothing of a user's is touched."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import django

ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault("PODIUM_HOME", str(ROOT / "var" / "test"))
artifacts = tempfile.mkdtemp(prefix="podium-artifacts-")
atexit.register(shutil.rmtree, artifacts, ignore_errors=True)
os.environ.setdefault("ARTIFACT_ROOT", artifacts)
os.environ.setdefault("DEBUG", "1")
# Named here and not in pyproject.toml: pytest-django would load the settings before this file could set the above.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

pytest_plugins = ["tests.people"]
