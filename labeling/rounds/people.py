"""People's part of a round: the batches that its stages put into the queue."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from django.db.models import F

from labeling.completions.models import Completion
from labeling.guidelines.models import Guideline, Purpose
from labeling.labelers.models import Cohort
from labeling.prompts.models import Prompt, Split
from labeling.quality import known
from labeling.queue import dispatch
from labeling.queue import settings as batches
from labeling.queue.models import OWN, Batch, Kind
from labeling.queue.settings import share
from labeling.rounds import recipes, scored, selection
from labeling.rounds.models import Round, Stage
from labeling.rounds.plan import Settings

Group = tuple[Prompt, Sequence[Completion]]


def open_batch(round: Round, stage: Stage, settings: Settings) -> Batch:
    """The stage's batch with its items. To be called in the transaction that ties it to the stage."""
    opens = {
        "demonstrate": _demonstrate,
        "rank": _rank,
        "rank_valid": _rank_valid,
        "judge": _judge,
        "requeue": _requeue,
    }
    return opens[stage.name](round, settings)


def is_done(batch: Batch) -> bool:
    """All labels that the batch wants are there. An item that was withdrawn wants none any more, and gold and drift
    items come on top."""
    return not batch.items.filter(withdrawn_at=None, done__lt=F("need"), control__in=OWN).exists()


def close(batch: Batch) -> None:
    """Gold and drift items that are left over are given to nobody any more."""
    dispatch.close_checks(batch)


def _demonstrate(round: Round, settings: Settings) -> Batch:
    batch = _batch(round, settings, "demonstrations", Kind.DEMONSTRATE, Purpose.TRAINING)
    ids = selection.to_demonstrate(round, settings.prompts)
    prompts = selection.prompts(ids).in_bulk(ids)
    dispatch.add_demonstration_items(batch, (prompts[pk] for pk in ids))
    return batch


def _rank(round: Round, settings: Settings) -> Batch:
    """Some items go to several labelers, so that labelers can be compared."""
    batch = _batch(round, settings, "rankings", Kind.RANK, Purpose.TRAINING, mixed=settings.mixed)
    groups = _sampled(round, settings, Split.TRAIN)
    if settings.is_chosen:
        groups = _chosen(round, settings, groups)
    shared = share(settings.overlap, len(groups)) if settings.mix is None else 0
    dispatch.add_ranking_items(batch, groups[:shared], need=2)
    dispatch.add_ranking_items(batch, groups[shared:])
    known.mix_into(batch)
    return batch


def _rank_valid(round: Round, settings: Settings) -> Batch:
    """Prompts and labelers that the reward model has not learned from, under the same instructions (§4.1)."""
    batch = _batch(round, settings, "validation rankings", Kind.RANK, Purpose.TRAINING, Cohort.HELD_OUT)
    dispatch.add_ranking_items(batch, _sampled(round, settings, Split.VALID))
    return batch


def _judge(round: Round, settings: Settings) -> Batch:
    """One completion of each policy, side by side and blind, for labelers who never made training data (§3.4)."""
    batch = _batch(round, settings, "judgement", Kind.RANK, Purpose.EVALUATION, Cohort.HELD_OUT)
    policies = settings.judged
    made = itertools.chain.from_iterable(recipes.samples(round, f"sample_{policy}") for policy in policies)
    dispatch.add_ranking_items(batch, _groups(made, len(policies)), need=settings.judges)
    return batch


def _requeue(round: Round, settings: Settings) -> Batch:
    """The new policy's samples, for the next round. They stay open when this round ends."""
    batch = _batch(round, settings, "new policy's samples", Kind.RANK, Purpose.TRAINING, mixed=settings.mixed)
    dispatch.add_ranking_items(batch, _groups(recipes.samples(round, "requeue"), settings.k))
    known.mix_into(batch)
    return batch


def _batch(
    round: Round,
    settings: Settings,
    what: str,
    kind: Kind,
    purpose: Purpose,
    cohort: Cohort = Cohort.TRAINING,
    mixed: batches.Settings = batches.PLAIN,
) -> Batch:
    guideline = Guideline.objects.get(pk=settings.guidelines[purpose])
    return dispatch.open_batch(
        name=f"{round.name}: {what}",
        kind=kind,
        purpose=purpose,
        cohort=cohort,
        guideline=guideline,
        settings=mixed,
        seed=round.seed,
    )


def _sampled(round: Round, settings: Settings, split: str) -> list[Group]:
    made = recipes.samples(round, "sample")
    return _groups((completion for completion in made if completion.prompt.split == split), settings.k)


def _chosen(round: Round, settings: Settings, groups: list[Group]) -> list[Group]:
    """Those of the sampled pool that the reward model is least sure of, as the settings choose."""
    count = settings.prompts.rank * settings.rankings_per_prompt
    return scored.choose(round, groups, settings.choose_by, count)


def _groups(completions: Iterable[Completion], k: int) -> list[Group]:
    """Completions by prompt, K at a time, the prompts in a fixed order that has nothing to do with their ids."""
    by_prompt: dict[str, list[Completion]] = defaultdict(list)
    for completion in completions:
        by_prompt[completion.prompt.digest].append(completion)
    return list(itertools.chain.from_iterable(_of_size(by_prompt[digest], k) for digest in sorted(by_prompt)))


def _of_size(completions: list[Completion], k: int) -> Iterator[Group]:
    """Every n-th of them, so that each group has its part of every policy that was sampled from."""
    count = len(completions) // k
    for start in range(count):
        group = completions[start : count * k : count]
        yield group[0].prompt, group
