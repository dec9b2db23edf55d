"""What takes seconds to compute, kept under the version of its data and of the code that computed it."""

import contextlib
import ctypes
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from django.core.cache import caches

Value = TypeVar("Value")
# So what is kept cannot be stale: other data or other code has another name.
CODE = sha256(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))).hexdigest()[:16]


def name(what: str, version: str) -> str:
    return f"{what}-{CODE}-{version}"


def known(what: str, version: str, compute: Callable[[], Value]) -> Value:
    cache, key = caches["reports"], name(what, version)
    found: Value | None = cache.get(key)
    if found is None:
        found = compute()
        cache.set(key, found)
        _give_back()
    return found


def _give_back() -> None:
    """Hands what was freed to the system. glibc would keep some 150 MB for each thread that once computed."""
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
