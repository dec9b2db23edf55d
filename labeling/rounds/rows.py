"""What a round's settings name must be there: guidelines, datasets of texts, checkpoints of the right kind."""

from collections.abc import Iterator

from labeling.guidelines.models import Guideline
from labeling.rounds.checks import Problem
from labeling.rounds.settings import Settings, checkpoint_of
from training.models import Checkpoint, Dataset

POLICY, REWARD_MODEL = Checkpoint.Kind.POLICY, Checkpoint.Kind.REWARD_MODEL


def problems(settings: Settings) -> list[Problem]:
    """A sentence for each that is not."""
    return [*_guidelines(settings), *_texts(settings), *_checkpoints(settings)]


def _guidelines(settings: Settings) -> Iterator[Problem]:
    for purpose in settings.purposes:
        pk = settings.guidelines.get(purpose)
        if pk is None or not Guideline.objects.filter(pk=pk, purpose=purpose).exists():
            sentence = f"The round needs a published guideline for {purpose}; {pk!r} is none."
            yield Problem(f"guidelines.{purpose}", sentence)


def _texts(settings: Settings) -> Iterator[Problem]:
    for label in ("texts", "valid_texts"):
        pk = getattr(settings, label)
        if pk is not None and not Dataset.objects.filter(pk=pk, kind="texts").exists():
            yield Problem(label, f"“{label}” is {pk!r}, which is no dataset of texts.")


def _checkpoints(settings: Settings) -> Iterator[Problem]:
    for name, pk, kind in _named(settings):
        checkpoint = Checkpoint.objects.filter(pk=pk, kind=kind).first()
        if checkpoint is None:
            what = "no policy's checkpoint" if kind == POLICY else "no reward model's checkpoint"
            yield Problem(name, f"“{name}” is {pk!r}, which is {what}.")
        elif checkpoint.weights_deleted_at:
            yield Problem(name, f"“{name}” is “{checkpoint}”, whose weights were deleted; nothing can start from it.")


def _named(settings: Settings) -> Iterator[tuple[str, int, str]]:
    """The setting, the checkpoint that it names, and of which kind that has to be."""
    if settings.base is not None:
        yield "base", settings.base, POLICY
    for name, pk in settings.instead.items():
        yield f"instead.{name}", pk, REWARD_MODEL if name == "reward_model" else POLICY
    for checkpoint, _ in settings.sources:
        if checkpoint is not None:
            yield "sample_from", checkpoint, POLICY
    for policy in settings.judged:
        if (checkpoint := checkpoint_of(policy)) is not None:
            yield "policies", checkpoint, POLICY
    if settings.is_chosen:
        yield "choose.reward_model", settings.choose["reward_model"], REWARD_MODEL
