"""What happened to a round, and who did it: written where it happens, and read as sentences."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from labeling.labelers.models import User
from labeling.rounds.models import Round, RoundEvent, Stage

What = RoundEvent.What
SHORT = 120  # characters of a value that a line shows


def add(round_: Round, what: RoundEvent.What, *, who: User | None = None, stage: str = "", **details: Any) -> None:
    """To be called in the transaction that does what happened. Without `who` it was Podium itself."""
    RoundEvent.objects.create(round=round_, what=what, who=who, stage=stage, details=details)


def of_stage(stage: Stage, what: RoundEvent.What, *, who: User | None = None, **details: Any) -> None:
    add(stage.round, what, who=who, stage=stage.name, **details)


@dataclass(frozen=True)
class Line:
    """One event as the page shows it."""

    event: RoundEvent
    what: str
    why: str
    changes: list[tuple[str, str, str]]  # setting, before, after

    @property
    def at(self) -> datetime:
        return self.event.at

    @property
    def pseudonym(self) -> str:
        """Of an actor who is a labeler too, and so has a page of their own."""
        labeler = getattr(self.event.who, "labeler", None)
        return labeler.pseudonym if labeler else ""


def lines(events: Iterable[RoundEvent]) -> list[Line]:
    return [
        Line(event, event.get_what_display(), str(event.details.get("why", "")), _changes(event.details))
        for event in events
    ]


def as_json(round_: Round) -> list[dict[str, Any]]:
    """For programs, newest first; who is a name as people see it, or null for Podium itself."""
    return [
        {
            "at": event.at,
            "who": str(event.who) if event.who else None,
            "what": event.what,
            "stage": event.stage,
            "details": event.details,
        }
        for event in round_.events.select_related("who")
    ]


def _changes(details: dict[str, Any]) -> list[tuple[str, str, str]]:
    changed = details.get("changed", {})
    return [(name, _said(before), _said(after)) for name, (before, after) in changed.items()]


def _said(value: Any) -> str:
    if value is None:
        return "none"
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= SHORT else f"{text[:SHORT]}…"
