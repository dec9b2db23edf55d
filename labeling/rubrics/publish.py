"""Versions of the rubric."""

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models import Max

from labeling.errors import BadInput, Conflict
from labeling.rubrics import first
from labeling.rubrics.models import Rubric


def current() -> Rubric:
    """The newest version; on a new installation the first one, which is made then.

    Version 0, where there is one, stands for labels from before there were rubrics: nothing else was asked then.
    """
    newest = Rubric.objects.filter(version__gte=1).order_by("-version").first()
    return (
        newest
        or Rubric.objects.get_or_create(
            version=1, defaults={"flags": first.FLAGS, "traits": first.TRAITS, "reasons": first.REASONS}
        )[0]
    )


def publish(*, ratings: str, flags: Sequence[str], traits: Sequence[str]) -> Rubric:
    """The next version, which asks these of the known questions, by their keys. Batches that are open keep theirs.

    Raises BadInput for a key or a setting that is unknown, Conflict where somebody else publishes at this moment.
    """
    if ratings not in Rubric.Ratings.values:
        raise BadInput(f"“{ratings}” is no way to ask for ratings; it is one of {', '.join(Rubric.Ratings.values)}.")
    asked = {"flags": _chosen(first.FLAGS, flags), "traits": _chosen(first.TRAITS, traits), "reasons": first.REASONS}
    last = Rubric.objects.aggregate(last=Max("version"))["last"] or 0
    try:
        with transaction.atomic():
            return Rubric.objects.create(version=last + 1, ratings=ratings, **asked)
    except IntegrityError:
        raise Conflict(
            "Somebody else has published a rubric at this moment. Look at theirs, then publish yours."
        ) from None


def _chosen(known: Sequence[first.Question], keys: Sequence[str]) -> list[first.Question]:
    if unknown := set(keys) - {question["key"] for question in known}:
        raise BadInput(f"There is no question “{min(unknown)}”.")
    return [question for question in known if question["key"] in keys]
