"""PURE. How long a round will still take: the longest way through its stages, from the shortest and longest guesses.

A guess is a range, and there is one only where something measured stands behind it: the pace of a stage that runs, or
how long the same stage took in earlier rounds. Where one stage has none, the round has none.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """Seconds, at least and at most."""

    low: float
    high: float


NOTHING = Span(0.0, 0.0)


def left(after: Mapping[str, Sequence[str]], guesses: Mapping[str, Span | None]) -> Span | list[str]:
    """The round's time left, or the names of the stages that nothing is known of.

    `after`: the stages in an order in which each comes behind those it needs. Stages run side by side where they may,
    so the slowest way through them counts. A stage that is done has the guess NOTHING.
    """
    if unknown := [name for name in after if guesses.get(name) is None]:
        return unknown
    ends: dict[str, Span] = {}
    for name, needs in after.items():
        guess = guesses[name]
        assert guess is not None  # looked at above
        begun = [ends[need] for need in needs if need in ends]
        ends[name] = Span(
            max((end.low for end in begun), default=0.0) + guess.low,
            max((end.high for end in begun), default=0.0) + guess.high,
        )
    return Span(max(end.low for end in ends.values()), max(end.high for end in ends.values())) if ends else NOTHING


def at_pace(left_over: int, *paces: float | None) -> Span | None:
    """For so many labels, at paces in labels per second; None where nobody makes any."""
    times = [left_over / pace for pace in paces if pace]
    return Span(min(times), max(times)) if times else None


def as_before(took: Iterable[tuple[float, int]], units: int) -> Span | None:
    """As long as it took before, for so many units: (seconds, units then). 0 units then: they are not counted, and it
    takes as long as it took."""
    times = [seconds / then * units if then else seconds for seconds, then in took]
    return Span(min(times), max(times)) if times else None
