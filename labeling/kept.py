"""What takes long to compute, kept under the version of its data and of the code that computed it: never stale.

For all web processes of this machine. A version is made of what is quick to ask for and changes with every row that
the value was computed from.
"""

import contextlib
import ctypes
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from django.core.cache import caches
from django.db.models import Count, Max, Min, Model, QuerySet

Value = TypeVar("Value")
Row = TypeVar("Row", bound=Model)


def code_of(*files: str) -> str:
    """A digest of all Python files in the folders of these files, to be part of what a value is called."""
    folders = sorted({Path(file).parent for file in files})
    return sha256(b"".join(path.read_bytes() for one in folders for path in sorted(one.glob("*.py")))).hexdigest()[:16]


def version_of(*parts: Any) -> str:
    """Of values whose repr says all that matters."""
    return sha256(repr(parts).encode()).hexdigest()[:16]


def of_rankings(rankings: "QuerySet[Row]") -> tuple[Any, ...]:
    """Changes with each of these rankings that is made, corrected or left out. With the times of the first and the
    last one it is no other database's either, whose ids begin at 1 as well."""
    there = rankings.aggregate(
        count=Count("pk"),
        last=Max("pk"),
        corrected=Max("corrected_at"),
        begun=Min("created_at"),
        ended=Max("created_at"),
    )
    return tuple(str(value) for value in there.values())


def kept(name: str, compute: Callable[[], Value]) -> Value:
    """What is kept under this name, else what is computed now. None is computed each time."""
    cache = caches["reports"]
    found: Value | None = cache.get(name)
    if found is None:
        found = compute()
        cache.set(name, found)
        _give_back()
    return found


def _give_back() -> None:
    """Hands what was freed to the system. glibc would keep some 150 MB for each thread that once computed."""
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
