"""Versions of the guidelines."""

from pathlib import Path

from django.db import IntegrityError, transaction

from labeling.errors import BadInput, Conflict
from labeling.guidelines import acknowledge
from labeling.guidelines.models import Guideline, Purpose
from labeling.texts import clean

FIRST = Path(__file__).parent / "first"
TITLES = {Purpose.TRAINING: "How to write and rank", Purpose.EVALUATION: "How to judge"}


def current(purpose: str) -> Guideline:
    """The newest version for this purpose; on a new installation the first one, which is made then."""
    newest = Guideline.objects.filter(purpose=purpose).order_by("-version").first()
    return newest or ensure_first()[Purpose(purpose)]


def version_before(guideline: Guideline) -> Guideline | None:
    """The version that this one replaced."""
    return Guideline.objects.filter(purpose=guideline.purpose, version=guideline.version - 1).first()


def ensure_first() -> dict[Purpose, Guideline]:
    """Version 1 for each purpose, from the texts beside this module."""
    return {
        purpose: Guideline.objects.get_or_create(
            purpose=purpose,
            version=1,
            defaults={
                "title": TITLES[purpose],
                "body": (FIRST / f"{purpose.value}.md").read_text(encoding="utf-8"),
            },
        )[0]
        for purpose in Purpose
    }


def publish(purpose: str, title: str, body: str, *, after: int | None = None) -> Guideline:
    """The next version. Labels made under earlier versions keep theirs, and labelers read it before they go on.

    `after` is the version that the text was written from. Raises BadInput for a text that is empty or unchanged,
    Conflict where somebody else has published meanwhile.
    """
    title, body = clean(title, "The title")[:200], clean(body, "The guideline")
    newest = Guideline.objects.filter(purpose=purpose).order_by("-version").first()
    last = newest.version if newest else 0
    if after is not None and after != last:
        raise Conflict(f"Somebody has published version {last} meanwhile. Look at it before you publish yours.")
    if newest and (newest.title, newest.body.strip()) == (title, body):
        raise BadInput("Nothing has changed since the version that is out, so there is nothing to publish.")
    try:
        with transaction.atomic():
            guideline = Guideline.objects.create(purpose=purpose, version=last + 1, title=title, body=body)
            acknowledge.ask_all(purpose)
            return guideline
    except IntegrityError:  # the unique constraint has decided between two people
        raise Conflict(f"Somebody has published version {last + 1} in this moment. Look at it first.") from None
