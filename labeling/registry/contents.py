"""Which labels are in a frozen dataset: its file is read once, and what it says is kept in a row (`Contents`)."""

from collections import Counter
from collections.abc import Iterable
from uuid import UUID

from labeling.completions.models import Completion
from labeling.demonstrations.models import Demonstration
from labeling.queue.models import Batch
from labeling.rankings.models import Ranking
from labeling.registry.models import Contents
from training import storage
from training.contract.rows import RowError, iter_rows
from training.models import Dataset

ID = {"demonstrations": "demonstration_id", "rankings": "ranking_id"}
DECISION = "decision-"  # what a decision's ranking_id begins with (exports/adjudicated.py)
CHUNK = 5000


def read_missing() -> None:
    """Read every file of labels that was not read yet. One query where there is none."""
    for dataset in Dataset.objects.filter(kind__in=ID, contents=None):
        read(dataset)


def read(dataset: Dataset) -> Contents | None:
    """What the file holds; None where it is gone or damaged, which is looked at again the next time."""
    labels: list[int] = []
    decisions: list[int] = []
    cohorts: Counter[str] = Counter()
    unknown = 0
    try:
        for line in iter_rows(storage.absolute(dataset.path), dataset.kind):
            cohorts[line["cohort"]] += 1
            said = line[ID[dataset.kind]]
            if said.isdecimal() and len(said) < 19:
                labels.append(int(said))
            elif said.removeprefix(DECISION).isdecimal() and said.startswith(DECISION):
                decisions.append(int(said.removeprefix(DECISION)))
            else:
                unknown += 1
    except (RowError, OSError):
        return None
    known, guidelines, batches, rounds = _stamped(dataset.kind, labels)
    row = Contents(
        dataset=dataset,
        label_ids=known,
        decision_ids=decisions,
        unknown=unknown + len(labels) - len(known),
        cohorts=dict(cohorts),
        guidelines=guidelines,
        batches=batches,
        rounds=rounds,
        sampled_in=_sampled_in(known) if dataset.kind == "rankings" else [],
    )
    Contents.objects.bulk_create([row], ignore_conflicts=True)  # somebody else may read it at the same moment
    return row


Counts = dict[str, int]


def _stamped(kind: str, ids: list[int]) -> tuple[list[int], Counts, Counts, Counts]:
    """Those of the labels that are here, and how many are of which guideline, batch and round."""
    known: list[int] = []
    guidelines, batches = Counter[int](), Counter[int]()
    for chunk in _chunks(ids):
        for pk, guideline, batch in _labels(kind, chunk):
            known.append(pk)
            guidelines[guideline] += 1
            batches[batch] += 1
    found = Batch.objects.filter(pk__in=batches, stage__isnull=False).values_list("pk", "stage__round_id")
    rounds = Counter[int]()
    for batch, round_ in found:
        rounds[round_] += batches[batch]
    return known, _by_text(guidelines), _by_text(batches), _by_text(rounds)


def _labels(kind: str, ids: list[int]) -> Iterable[tuple[int, int, int]]:
    if kind == "rankings":
        return Ranking.objects.filter(pk__in=ids).order_by("pk").values_list("pk", "guideline_id", "item__batch_id")
    written = Demonstration.objects.filter(pk__in=ids).order_by("pk")
    return written.values_list("pk", "guideline_id", "assignment__item__batch_id")


def _sampled_in(rankings: list[int]) -> list[UUID]:
    """The runs whose completions these rankings order."""
    runs: set[UUID] = set()
    for chunk in _chunks(rankings):
        made = Completion.objects.filter(places__ranking__in=chunk)
        runs |= set(made.order_by().values_list("run_id", flat=True).distinct())
    return sorted(runs)


def _chunks(ids: list[int]) -> Iterable[list[int]]:
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))


def _by_text(counts: Counter[int]) -> Counts:
    """JSON's keys are texts."""
    return {str(key): counts[key] for key in sorted(counts)}
