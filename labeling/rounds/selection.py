"""Which prompts a stage works on: a shuffle that follows from the round's seed, and slices of it."""

from uuid import UUID

from django.db.models import F, QuerySet, Value
from django.db.models.functions import MD5, Concat

from labeling.errors import BadInput
from labeling.prompts.models import Prompt, Split
from labeling.rounds.models import Round
from labeling.rounds.plan import PromptCounts, Settings


def eligible(round: Round, counts: PromptCounts, split: str) -> "QuerySet[Prompt]":
    """Prompts of this split that were there when the round was opened and that nobody holds back."""
    prompts = Prompt.objects.filter(split=split, held_because="", created_at__lte=round.created_at)
    prompts = prompts.filter(source=counts.source) if counts.source else prompts
    return prompts.filter(use_case__in=counts.use_cases) if counts.use_cases else prompts


def shuffled(round: Round, counts: PromptCounts, split: str) -> list[UUID]:
    """Their ids, in an order that follows from the texts and the round's seed alone."""
    key = MD5(Concat(Value(f"{round.seed} "), F("digest")))
    return list(eligible(round, counts, split).order_by(key).values_list("pk", flat=True))


def to_demonstrate(round: Round, counts: PromptCounts) -> list[UUID]:
    return shuffled(round, counts, Split.TRAIN)[: counts.demonstrate]


def to_rank(round: Round, counts: PromptCounts, pool: int) -> list[UUID]:
    """Those that nobody demonstrated come first: on the others the policy repeats what it was told.

    `pool` train prompts are sampled; where it is more than `counts.rank`, those that are ranked are chosen of them.
    """
    order = shuffled(round, counts, Split.TRAIN)
    rotated = order[counts.demonstrate :] + order[: counts.demonstrate]
    return rotated[:pool] + shuffled(round, counts, Split.VALID)[: counts.rank_valid]


def to_requeue(round: Round, counts: PromptCounts) -> list[UUID]:
    """Train prompts from the other end of the shuffle: the least likely to have been ranked."""
    return shuffled(round, counts, Split.TRAIN)[::-1][: counts.requeue]


def to_judge(round: Round, counts: PromptCounts) -> list[UUID]:
    return shuffled(round, counts, Split.TEST)[: counts.judge]


def to_train_on(round: Round, counts: PromptCounts) -> list[UUID]:
    """PPO's prompts."""
    order = shuffled(round, counts, Split.TRAIN)
    return order[: counts.ppo] if counts.ppo else order


def to_validate(round: Round, counts: PromptCounts) -> list[UUID]:
    return shuffled(round, counts, Split.VALID)[: counts.rank_valid]


def prompts(ids: list[UUID]) -> "QuerySet[Prompt]":
    return Prompt.objects.filter(pk__in=ids)


def wanted(settings: Settings) -> dict[str, int]:
    """How many prompts of each split the parts that are run take at most."""
    counts, run = settings.prompts, set(settings.run)
    train = [
        counts.demonstrate if "sft" in run else 0,
        max(counts.rank, settings.pool) if "reward_model" in run else 0,
        counts.requeue if "requeue" in run else 0,
        max(counts.ppo, 1) if {"ppo", "ppo_ptx"} & run else 0,
    ]
    return {
        Split.TRAIN: max(train),
        Split.VALID: counts.rank_valid if {"reward_model", "evaluate"} & run else 0,
        Split.TEST: counts.judge if "judge" in run else 0,
    }


def missing(round: Round, settings: Settings) -> list[str]:
    """A sentence for each split that has fewer prompts than the round wants of it."""
    there = {split: eligible(round, settings.prompts, split).count() for split in Split.values}
    return [
        f"The round wants {count} prompts of the split {split}; there are {there[split]}."
        for split, count in wanted(settings).items()
        if there[split] < count
    ]


def check_enough(round: Round, settings: Settings) -> None:
    """Raises BadInput where a split has fewer prompts than the round wants of it."""
    if sentences := missing(round, settings):
        raise BadInput(sentences[0])
