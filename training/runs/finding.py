"""What is said of a sick run, and what is known of it beside its curves."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from training.runs.trends import Curves


class Finding(NamedTuple):
    """One thing that is wrong."""

    name: str
    title: str
    sentence: str  # with the numbers
    step: int  # where it began
    curve: str
    advice: str
    source: str


class Pulse(NamedTuple):
    """Times are seconds since the epoch."""

    now: float
    is_running: bool = False
    heartbeat: float | None = None  # of the recipe's process


Rule = Callable[[Curves, Mapping[str, Any], Pulse], Finding | None]
