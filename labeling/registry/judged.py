"""How often a policy was preferred where people judged it against others; nothing before a judgement is finished."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from labeling.completions.models import Completion
from labeling.evaluation import report
from labeling.evaluation.win_rates import win_rate
from labeling.guidelines.models import Purpose
from labeling.kept import code_of, kept, of_rankings, version_of
from labeling.models import Ranking, Stage
from labeling.queue.models import OWN, Batch

CODE = code_of(__file__, report.__file__)


class Won(NamedTuple):
    """How often `policy` (a checkpoint's id) was preferred to `other`, with its 95 % interval over prompts."""

    policy: int
    other: int
    rate: float
    low: float
    high: float
    prompts: int
    batch: str


def of(checkpoints: Iterable[int]) -> dict[int, list[Won]]:
    """By checkpoint: its win rates in every finished judgement that it took part in, the newest first."""
    found: dict[int, list[Won]] = defaultdict(list)
    wanted = set(checkpoints)
    for batch in _finished(wanted):
        for won in _of_batch(batch):
            if won.policy in wanted:
                found[won.policy].append(won)
    return found


def _finished(checkpoints: set[int]) -> list[Batch]:
    judged = Batch.objects.filter(purpose=Purpose.EVALUATION, stage__state=Stage.State.DONE)
    theirs = Completion.objects.filter(checkpoint__in=checkpoints, places__isnull=False).values("items__batch")
    return list(judged.filter(pk__in=theirs).order_by("-created_at"))


def _of_batch(batch: Batch) -> list[Won]:
    """Computed once for what was judged: a ranking that is corrected afterwards changes the key."""
    rankings = Ranking.objects.filter(item__batch=batch, item__control__in=OWN)
    return kept(f"won-{CODE}-{version_of(batch.pk, of_rankings(rankings))}", lambda: _count(batch))


def _count(batch: Batch) -> list[Won]:
    shown = Completion.objects.filter(items__batch=batch, items__control__in=OWN).order_by()
    pairs = list(shown.values_list("run_id", "checkpoint_id").distinct())
    runs = Counter(run for run, _ in pairs)
    # `report.judgements` tells policies apart by their runs.
    policies = {run: checkpoint for run, checkpoint in pairs if runs[run] == 1}
    judgements = report.judgements(batch, {run: str(checkpoint) for run, checkpoint in policies.items()})
    names = sorted(set(policies.values()))
    found = []
    for policy in names:
        for other in names:
            together = any(str(policy) in one.places and str(other) in one.places for one in judgements)
            if policy != other and together:
                won = win_rate(judgements, str(policy), str(other))
                found.append(Won(policy, other, won.rate, won.low, won.high, won.clusters, batch.name))
    return found
