"""Which prompts a stage works on: a shuffle that follows from the round's seed, and slices of it."""

from uuid import UUID

from django.db.models import F, QuerySet, Value
from django.db.models.functions import MD5, Concat

from labeling.errors import BadInput
from labeling.prompts.models import Prompt, Split
from labeling.rounds.models import Round
from labeling.rounds.plan import PromptCounts


def eligible(round: Round, counts: PromptCounts, split: str) -> "QuerySet[Prompt]":
    """Prompts of this split that were there when the round was opened and that nobody holds back."""
    prompts = Prompt.objects.filter(split=split, held_because="", created_at__lte=round.created_at)
    return prompts.filter(source=counts.source) if counts.source else prompts


def shuffled(round: Round, counts: PromptCounts, split: str) -> list[UUID]:
    """Their ids, in an order that follows from the texts and the round's seed alone."""
    key = MD5(Concat(Value(f"{round.seed} "), F("digest")))
    return list(eligible(round, counts, split).order_by(key).values_list("pk", flat=True))


def to_demonstrate(round: Round, counts: PromptCounts) -> list[UUID]:
    return shuffled(round, counts, Split.TRAIN)[: counts.demonstrate]


def to_rank(round: Round, counts: PromptCounts) -> list[UUID]:
    """Those that nobody demonstrated come first: on the others the policy repeats what it was told."""
    order = shuffled(round, counts, Split.TRAIN)
    rotated = order[counts.demonstrate :] + order[: counts.demonstrate]
    return rotated[: counts.rank] + shuffled(round, counts, Split.VALID)[: counts.rank_valid]


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


def check_enough(round: Round, counts: PromptCounts) -> None:
    """Raises BadInput where a split has fewer prompts than the round wants of it."""
    wanted = {
        Split.TRAIN: max(counts.demonstrate, counts.rank, counts.requeue, counts.ppo),
        Split.VALID: counts.rank_valid,
        Split.TEST: counts.judge,
    }
    for split, count in wanted.items():
        there = eligible(round, counts, split).count()
        if there < count:
            raise BadInput(f"The round wants {count} prompts of the split {split}; there are {there}.")
