"""Why a labeler passes a piece on, and what follows. Pure: dispatch.py makes it so."""

from collections.abc import Iterable
from dataclasses import dataclass

from labeling.errors import BadInput

NOT_NOW, UNCOMFORTABLE = "not-now", "uncomfortable"


@dataclass(frozen=True)
class Reason:
    """One chip on the page. Whatever the reason, the piece goes to others at once."""

    key: str  # as stored
    label: str
    sentence: str  # what it does, for the page and the guide
    comes_back: bool = False  # to the labeler who said so; else it is never shown to them again
    hold_after: int = 0  # so many labelers who say so keep it for a researcher's look; 0: never
    held_because: str = ""


REASONS = (
    Reason(
        "unclear",
        "Unclear",
        "Somebody else gets it. Once two of you find it unclear, it waits for a researcher.",
        hold_after=2,
        held_because="Two labelers find it unclear.",
    ),
    Reason("outside-my-knowledge", "Outside my knowledge", "Somebody else gets it, who may know more about this."),
    Reason(
        UNCOMFORTABLE,
        "Uncomfortable",
        "Somebody else gets it. On your start page you can leave out whole topics.",
    ),
    Reason(
        "broken",
        "Broken",
        "A researcher looks at it before anybody else gets it.",
        hold_after=1,
        held_because="A labeler says that it is broken.",
    ),
    Reason("language", "Language", "Somebody else gets it, who may read this language better."),
    Reason(
        NOT_NOW,
        "Not now",
        "Somebody else may take it. If nobody does, it comes back to you when nothing else is open, with your draft.",
        comes_back=True,
    ),
)
NO_REASON = Reason("", "No reason", "Somebody else gets it.")
_BY_KEY = {reason.key: reason for reason in (NO_REASON, *REASONS)}
HOLDS = frozenset(reason.held_because for reason in REASONS if reason.hold_after)


def reason_for(key: str) -> Reason:
    """The reason of this key; '' is a skip without one. Raises BadInput for any other."""
    try:
        return _BY_KEY[key]
    except KeyError:
        raise BadInput("This reason is not one of those on the page; nothing was skipped.") from None


def label_of(key: str) -> str:
    """The reason in a word or two; a key from an earlier list as it is."""
    return _BY_KEY[key].label if key in _BY_KEY else key


def why_hold(said: Iterable[str]) -> str:
    """Why a piece must wait for a researcher after its labelers said these reasons; empty where it need not."""
    keys = list(said)
    for reason in REASONS:
        if reason.hold_after and keys.count(reason.key) >= reason.hold_after:
            return reason.held_because
    return ""
