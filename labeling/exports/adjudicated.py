"""Decisions as rows of a dataset of rankings: a label of a kind of its own, in the place of an item's rankings."""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.utils import timezone

from labeling.adjudication.models import Decision
from labeling.completions.models import Completion
from labeling.rankings.models import Ranking

LABELER = "adjudication"  # no pseudonym looks like it: those begin with "labeler-"


def of(rankings: "models.QuerySet[Ranking]") -> list[Decision]:
    """The decisions that hold on the items of these rankings, by their ids. Whoever ranked the items, a decision is the
    adjudicator's: it stays where a labeler is left out."""
    held = Decision.objects.filter(is_holding_for__isnull=False, item__in=rankings.order_by().values("item"))
    return list(held.select_related("item__prompt", "item__batch").order_by("id"))


def row(decision: Decision) -> dict[str, Any]:
    prompt, places = decision.item.the_prompt, decision.place_of
    texts = Completion.objects.in_bulk(list(places))
    return {
        "ranking_id": f"decision-{decision.pk}",
        "prompt_id": str(prompt.pk),
        "prompt": prompt.text,
        "completions": [texts[completion].text for completion in sorted(places)],
        "ranks": [places[completion] for completion in sorted(places)],
        "labeler": LABELER,
        "cohort": decision.item.batch.cohort,
        "use_case": prompt.use_case,
        "split": prompt.split,
    }


def stamp(decisions: Iterable[Decision]) -> None:
    ids = [decision.pk for decision in decisions]
    Decision.objects.filter(pk__in=ids, frozen_at=None).update(frozen_at=timezone.now())
