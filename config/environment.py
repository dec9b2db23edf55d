"""Reading the environment: each reader returns a value or refuses it with one sentence."""

import os
import shlex
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str = "") -> str:
    """The value of `name`, or the default where it is unset or blank."""
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool) -> bool:
    """1/true/yes/on or 0/false/no/off. Raises ImproperlyConfigured on anything else."""
    value = text(name).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}; use 1 or 0.")


def number(name: str, default: int, *, minimum: int = 0) -> int:
    """A whole number of at least `minimum`. Raises ImproperlyConfigured on anything else."""
    value = text(name)
    if not value:
        return default
    if not value.isdigit() or int(value) < minimum:
        raise ImproperlyConfigured(f"{name} is {value!r}; use a whole number of at least {minimum}.")
    return int(value)


def time_zone(name: str, default: str) -> ZoneInfo:
    """A zone of the IANA database, as Europe/Berlin. Raises ImproperlyConfigured on anything else."""
    value = text(name, default)
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ImproperlyConfigured(f"{name} is {value!r}; use a name like Europe/Berlin or UTC.") from None


def command(name: str) -> list[str]:
    """The words of a command line; none where it is unset. Raises ImproperlyConfigured where a quote is left open."""
    try:
        return shlex.split(text(name))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} cannot be read as a command: {error}.") from error


def folder(name: str, default: Path) -> Path:
    """A folder that exists and may be written to; made where it is missing."""
    path = Path(text(name, str(default))).expanduser().absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"{name}: the folder {path} cannot be made ({error.strerror}).") from error
    if not os.access(path, os.W_OK):
        raise ImproperlyConfigured(f"{name}: the folder {path} may not be written to.")
    return path
