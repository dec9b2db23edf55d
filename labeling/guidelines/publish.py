"""Versions of the guidelines."""

from pathlib import Path

from django.db import transaction
from django.db.models import Max

from labeling.guidelines import acknowledge
from labeling.guidelines.models import Guideline, Purpose
from labeling.texts import clean

FIRST = Path(__file__).parent / "first"
TITLES = {Purpose.TRAINING: "How to write and rank", Purpose.EVALUATION: "How to judge"}


def current(purpose: str) -> Guideline:
    """The newest version for this purpose; on a new installation the first one, which is made then."""
    newest = Guideline.objects.filter(purpose=purpose).order_by("-version").first()
    return newest or ensure_first()[Purpose(purpose)]


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


def publish(purpose: str, title: str, body: str) -> Guideline:
    """The next version. Labels made under earlier versions keep theirs. Raises BadInput for an empty text."""
    title, body = clean(title, "The title"), clean(body, "The guideline")
    with transaction.atomic():
        # The unique constraint decides if two people publish at the same time.
        last = Guideline.objects.filter(purpose=purpose).aggregate(last=Max("version"))["last"] or 0
        guideline = Guideline.objects.create(purpose=purpose, version=last + 1, title=title[:200], body=body)
        acknowledge.ask_all(purpose)
        return guideline
