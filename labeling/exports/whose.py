"""Whose rows a frozen dataset has. Files are immutable, so they are counted once."""

from collections import Counter
from collections.abc import Iterable

from django.db.models import Sum

from labeling.exports.models import LabelerRows
from labeling.exports.withdrawn import withdrawn_labelers
from labeling.labelers.models import Labeler
from training import storage
from training.contract.rows import iter_rows
from training.models import Dataset

KINDS = ("demonstrations", "rankings")


def count(dataset: Dataset) -> None:
    """Store how many rows are whose, the first time."""
    if dataset.kind not in KINDS or dataset.labeler_rows.exists():
        return
    rows = Counter(row["labeler"] for row in iter_rows(storage.absolute(dataset.path), dataset.kind))
    people = dict(Labeler.objects.filter(pseudonym__in=rows).values_list("pseudonym", "pk"))
    counted = [
        LabelerRows(dataset=dataset, labeler_id=people[name], rows=rows[name]) for name in rows if name in people
    ]
    LabelerRows.objects.bulk_create(counted, ignore_conflicts=True)


def count_missing() -> None:
    """Datasets from before rows were counted; one whose file is gone has nothing to count."""
    for dataset in Dataset.objects.filter(kind__in=KINDS, labeler_rows=None):
        if storage.absolute(dataset.path).is_file():
            count(dataset)


def withdrawn_rows(datasets: Iterable[Dataset]) -> dict[int, int]:
    """By dataset: how many of its rows are of labelers who had theirs withdrawn since; only where there are some."""
    found = LabelerRows.objects.filter(dataset__in=list(datasets), labeler__in=withdrawn_labelers())
    return dict(found.values_list("dataset").annotate(n=Sum("rows")).order_by())
