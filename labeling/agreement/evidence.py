"""PURE. What stands out about a labeler, in words: which figure, which threshold, how far. Suggestions, no verdicts."""

from typing import NamedTuple

import numpy as np

from labeling.agreement import scorecard
from labeling.agreement.resampling import Floats
from labeling.agreement.scorecard import DRIFT, GOLD, Flags, OnKnown, Scorecards
from labeling.agreement.speed import Speed

FASTER = 1 / 3  # of the other labelers' median time


class Evidence(NamedTuple):
    """`by`: the list of items behind it."""

    key: str
    label: str
    sentence: str
    by: str


def of(at: int, cards: Scorecards, flags: Flags, speed: Speed) -> list[Evidence]:
    """All that stands out about the labeler at this row."""
    found = []
    if flags.disagrees[at]:
        middle = _median(cards.with_others)
        found.append(
            Evidence(
                "disagrees",
                "Disagrees with the others",
                f"Orders {_percent(cards.with_others[at])} of the pairs as most of the others do; the median labeler "
                f"{_percent(middle)}. The flag is raised {_points(scorecard.BELOW)} below the median; this is "
                f"{_points(middle - cards.with_others[at])} below, {abs(cards.with_others_z[at]):.1f} standard errors "
                f"(at least {scorecard.Z:.0f} are asked for).",
                "others",
            )
        )
    if flags.prefers_a_position[at]:
        where = "first" if cards.first_preferred[at] > 0.5 else "last"
        found.append(
            Evidence(
                "position",
                f"Prefers what stood {where}",
                f"Of two completions the one that stood first on the page is preferred in "
                f"{_percent(cards.first_preferred[at])} of the pairs; without a habit it is half. The flag is raised "
                f"{_points(scorecard.TILT)} away from that; this is {_points(abs(cards.first_preferred[at] - 0.5))} "
                f"away, {abs(cards.first_preferred_z[at]):.1f} standard errors (at least {scorecard.Z:.0f}).",
                "first",
            )
        )
    if flags.always_the_same[at]:
        found.append(
            Evidence(
                "pattern",
                "The same places again and again",
                f"{_percent(cards.same_pattern[at])} of the rankings have the same places from top to bottom of the "
                f"page, whatever stands there; the flag is raised above {_percent(scorecard.PATTERN)}. Completions are "
                "shuffled, so chance would hardly give it.",
                "pattern",
            )
        )
    if flags.repeats_others[at]:
        middle = _median(cards.repeats_earlier)
        found.append(
            Evidence(
                "repeats",
                "The same as an earlier ranking",
                f"{_percent(cards.repeats_earlier[at])} of the rankings that had an earlier one are the same as it; "
                f"the median labeler {_percent(middle)}. The flag is raised {_points(scorecard.COPIED)} above the "
                f"median and {scorecard.Z:.0f} standard errors; this is {cards.repeats_earlier_z[at]:.1f}.",
                "repeats",
            )
        )
    if is_fast(speed):
        assert speed.median is not None and speed.others_median is not None
        found.append(
            Evidence(
                "fast",
                "Much faster than the others",
                f"Half of the rankings took less than {speed.median:.1f} active minutes; the median of the other "
                f"labelers is {speed.others_median:.1f}. The flag is raised below a third of that, from "
                f"{scorecard.ENOUGH} rankings on.",
                "fast",
            )
        )
    return found


OF_KNOWN = {
    GOLD: ("Against the gold answers", "as the researchers’ answers do"),
    DRIFT: ("Unlike the first time", "as the labeler did the first time"),
}


def of_known(at: int, kind: str, known: OnKnown) -> Evidence:
    """Where it falls short of the known answers of this kind."""
    label, as_what = OF_KNOWN[kind]
    middle = _median(known.rate)
    return Evidence(
        kind,
        label,
        f"Orders {_percent(known.rate[at])} of the pairs of {known.answers[at]} such rankings {as_what}; the median "
        f"labeler {_percent(middle)}. The flag is raised {_points(scorecard.BELOW)} below the median; this is "
        f"{_points(middle - known.rate[at])} below, {abs(known.rate_z[at]):.1f} standard errors (at least "
        f"{scorecard.Z:.0f}), from {scorecard.ENOUGH} such rankings on.",
        "known",
    )


def is_fast(speed: Speed) -> bool:
    if speed.pieces < scorecard.ENOUGH or speed.median is None or speed.others_median is None:
        return False
    return speed.median < FASTER * speed.others_median


def _median(values: Floats) -> float:
    return float(np.nanmedian(values))


def _percent(share: float) -> str:
    return f"{100 * share:.1f}\u00a0%"


def _points(share: float) -> str:
    return f"{100 * share:.1f} points"
