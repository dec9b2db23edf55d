"""What takes seconds to compute, kept under the version of its data and of the code that computed it."""

from collections.abc import Callable
from typing import TypeVar

from labeling.kept import code_of, kept

Value = TypeVar("Value")
# So what is kept cannot be stale: other data or other code has another name.
CODE = code_of(__file__)


def name(what: str, version: str) -> str:
    return f"{what}-{CODE}-{version}"


def known(what: str, version: str, compute: Callable[[], Value]) -> Value:
    return kept(name(what, version), compute)
