"""Database → frozen dataset files. A file is written row by row in the order of ids: the same labels give the same
file under the same name, however often (docs/architecture.md lists the rows). The labels are locked while they are
read: a correction that comes meanwhile waits, and is then told that they are frozen. Labelers who are left out
(`exclude.py`, `withdrawn.py`) are left out here, of every dataset, and the export says so."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from django.db import models, transaction
from django.utils import timezone

from labeling.completions.models import Completion
from labeling.demonstrations.models import Demonstration
from labeling.errors import BadInput
from labeling.exports import adjudicated as decided
from labeling.exports import exclude, whose
from labeling.exports.models import Export
from labeling.exports.withdrawn import labels_in_use, prompts_in_use
from labeling.prompts.models import Prompt
from labeling.queue.models import OWN
from labeling.rankings.models import RankedCompletion, Ranking
from training import storage
from training.models import Dataset

Filters = Mapping[str, Any]
Label = TypeVar("Label", Demonstration, Ranking)
CHUNK = 2000


def freeze_prompts(prompts: models.QuerySet[Prompt], *, filters: Filters | None = None) -> Dataset:
    """These prompts as a dataset of kind prompts. Raises BadInput where there are none."""
    ordered = prompts_in_use(prompts).order_by("id").only("id", "text", "use_case", "split")
    rows = (
        {"prompt_id": str(prompt.pk), "prompt": prompt.text, "use_case": prompt.use_case, "split": prompt.split}
        for prompt in ordered.iterator(CHUNK)
    )
    return _freeze("prompts", rows, filters)


def freeze_texts(texts: Iterable[str], *, filters: Filters | None = None) -> Dataset:
    """These texts, in the order given, as a dataset of kind texts. Raises BadInput where there are none."""
    return _freeze("texts", ({"text": text} for text in texts), filters)


def freeze_completions(completions: models.QuerySet[Completion], *, filters: Filters | None = None) -> Dataset:
    """These completions as a dataset of kind completions, for reward models to score: each row has its
    `completion_id`, and no tokens. Raises BadInput where there are none.
    """
    kept = completions.filter(prompt__in=prompts_in_use(Prompt.objects.all())).order_by("prompt_id", "id")
    rows = (
        {
            "completion_id": str(row.pk),
            "prompt_id": str(row.prompt_id),
            "prompt": row.prompt.text,
            "sample": row.sample,
            "completion": row.text,
            "finished": row.finished,
            "token_ids": [],
            "logprobs": [],
            "use_case": row.prompt.use_case,
        }
        for row in kept.select_related("prompt").iterator(CHUNK)
    )
    return _freeze("completions", rows, filters)


@transaction.atomic
def freeze_demonstrations(demonstrations: models.QuerySet[Demonstration], *, filters: Filters | None = None) -> Dataset:
    """These demonstrations as a dataset of kind demonstrations, stamped `frozen_at` the first time.

    Raises BadInput where there are none.
    """
    labels, left_out = exclude.kept(labels_in_use(demonstrations))
    chosen = labels.order_by("id").select_related("prompt", "labeler").select_for_update(of=("self",))
    ids: list[int] = []
    dataset = _freeze(
        "demonstrations", (_demonstration(row) for row in _noted(chosen, ids)), _with(filters, excluded=left_out)
    )
    _stamp(Demonstration.objects.all(), ids)
    return dataset


@transaction.atomic
def freeze_rankings(
    rankings: models.QuerySet[Ranking],
    *,
    filters: Filters | None = None,
    adjudicated: bool = False,
    checks: bool = False,
) -> Dataset:
    """These rankings, with all K completions and their ties, as a dataset of kind rankings; stamped likewise.

    With `adjudicated`, an item that was decided has one row, the decision's, in the place of its rankings' rows. Those
    of gold and drift items are left out unless `checks`: they measure people, and repeat what is in the data.
    Raises BadInput where there are none.
    """
    rankings = rankings if checks else rankings.filter(item__control__in=OWN)
    decisions = decided.of(rankings) if adjudicated else []
    rankings, left_out = exclude.kept(rankings)
    rankings = rankings.exclude(item__in=[decision.item_id for decision in decisions]) if decisions else rankings
    places = models.Prefetch("places", RankedCompletion.objects.order_by("completion_id").select_related("completion"))
    chosen = (
        labels_in_use(rankings)
        .order_by("id")
        .select_related("item__prompt", "labeler")
        .prefetch_related(places)
        .select_for_update(of=("self",))
    )
    ids: list[int] = []
    labels = (_ranking(row) for row in _noted(chosen, ids))
    said = _with(filters, excluded=left_out, adjudicated=len(decisions))
    dataset = _freeze("rankings", itertools.chain(labels, map(decided.row, decisions)), said)
    _stamp(Ranking.objects.all(), ids)
    decided.stamp(decisions)
    return dataset


def _with(filters: Filters | None, **found: Any) -> Filters:
    """What was asked for, and what was found to apply; nothing is said of what does not."""
    return {**(filters or {}), **{name: value for name, value in found.items() if value}}


def _demonstration(row: Demonstration) -> dict[str, Any]:
    return {
        "demonstration_id": str(row.pk),
        "prompt_id": str(row.prompt_id),
        "prompt": row.prompt.text,
        "completion": row.text,
        "labeler": row.labeler.pseudonym,
        "cohort": row.labeler.cohort,
        "use_case": row.prompt.use_case,
        "split": row.prompt.split,
    }


def _ranking(row: Ranking) -> dict[str, Any]:
    prompt, places = row.item.the_prompt, row.places.all()
    return {
        "ranking_id": str(row.pk),
        "prompt_id": str(prompt.pk),
        "prompt": prompt.text,
        "completions": [place.completion.text for place in places],
        "ranks": [place.place for place in places],
        "labeler": row.labeler.pseudonym,
        "cohort": row.labeler.cohort,
        "use_case": prompt.use_case,
        "split": prompt.split,
    }


def _noted(labels: models.QuerySet[Label], ids: list[int]) -> Iterator[Label]:
    """The labels one by one, their ids noted on the way: what is stamped is what was written, not what came since."""
    for label in labels.iterator(CHUNK):
        ids.append(label.pk)
        yield label


def _stamp(labels: models.QuerySet[Label], ids: list[int]) -> None:
    now = timezone.now()
    for start in range(0, len(ids), CHUNK):
        labels.filter(pk__in=ids[start : start + CHUNK], frozen_at=None).update(frozen_at=now)


def _freeze(kind: str, rows: Iterable[Mapping[str, Any]], filters: Filters | None) -> Dataset:
    kept = storage.keep_rows(kind, rows)
    if kept.rows == 0:
        storage.absolute(kept.path).unlink(missing_ok=True)
        raise BadInput(f"There are no {kind} to freeze with this choice.")
    with transaction.atomic():
        dataset, _ = Dataset.objects.get_or_create(
            kind=kind, sha256=kept.sha256, defaults={"path": kept.path, "rows": kept.rows}
        )
        Export.objects.create(dataset=dataset, filters=dict(filters or {}))
        whose.count(dataset)
    return dataset
