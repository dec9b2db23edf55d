"""Trying a prompt on one policy or two: a run of the recipe `sample` on one row, in a queue of its own."""

import json
import random
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from labeling.errors import BadInput
from labeling.labelers.models import User
from labeling.prompts import conversation
from labeling.registry.models import Try
from labeling.texts import clean
from training import storage
from training.contract.specs import SpecError
from training.models import Checkpoint, Dataset, Run
from training.runs.launch import queue_run
from training.runs.weights import WeightsGone, folder_of

ROLES = ("policy", "policy_2")
PATIENCE = timedelta(seconds=20)  # so long a try waits before the page says that nobody is there
MOST_EACH = 8
NAMESPACE = uuid.UUID("6f0c8d0e-6a55-4b35-9f0f-9a1d1f4c7b52")  # a prompt typed twice is the same dataset
# The context alone bounds the prompt; the recipe says by how much it is too long.
ANY_LENGTH = 1_000_000


class Settings(NamedTuple):
    """How the policies answer."""

    n: int = 1
    temperature: float = 1.0
    top_p: float = 1.0
    response_length: int = 128
    seed: int = 1


class Answer(NamedTuple):
    text: str
    finished: bool
    sample: int


class Side(NamedTuple):
    """One policy's answers. `name` is empty while the names are hidden."""

    letter: str
    name: str
    checkpoint: int | None
    answers: list[Answer]


def usable() -> list[Checkpoint]:
    """Policies whose weights lie on this machine, the newest first."""
    policies = Checkpoint.objects.filter(kind=Checkpoint.Kind.POLICY, weights_deleted_at=None)
    return [row for row in policies.order_by("-created_at") if folder_of(row)]


def start(
    user: User,
    text: str,
    policies: Sequence[Checkpoint],
    settings: Settings,
    *,
    before: Sequence[conversation.Turn] = (),
    blind: bool = False,
) -> Try:
    """The try, its run in line. `before`: the turns that `text` goes on from, ending with the assistant's.

    Raises BadInput for an empty or far too long prompt, settings that cannot work, and policies without weights.
    """
    text = clean(text, "The prompt")
    turns = conversation.read([*before, {"role": "user", "text": text}]) if before else None
    prompt = conversation.as_text(turns) if turns else text
    _check(policies, settings)
    with transaction.atomic():
        try:
            run = queue_run(
                recipe="sample",
                name=f"Playground: {prompt}"[:100],
                spec=_spec(settings, len(policies)),
                seed=settings.seed,
                inputs={"prompts": _one_row(prompt)},
                parents=dict(zip(ROLES, policies, strict=False)),
                queue=Run.Queue.PLAYGROUND,
            )
        except (SpecError, WeightsGone) as error:
            raise BadInput(str(error)) from error
        blind = blind and len(policies) == 2
        swapped = blind and random.random() < 0.5
        return Try.objects.create(by=user, run=run, prompt=prompt, turns=turns, blind=blind, swapped=swapped)


def reveal(one: Try) -> None:
    """Say which is which; the first time counts."""
    Try.objects.filter(pk=one.pk, revealed_at=None).update(revealed_at=timezone.now())


def of(user: User) -> "QuerySet[Try]":
    """This researcher's tries, the newest first."""
    return Try.objects.filter(by=user).select_related("run").prefetch_related("run__parents__checkpoint")


def sides(one: Try) -> list[Side]:
    """The policies with what they answered so far, in the order in which they stand on the page."""
    answers = _answers(one.run)
    parents = {parent.role: parent.checkpoint for parent in one.run.parents.all()}
    roles = [role for role in ROLES if role in parents]
    shown = roles[::-1] if one.swapped else roles
    hidden = one.hides_names
    return [
        Side(
            "AB"[at],
            "" if hidden else parents[role].name,
            None if hidden else parents[role].pk,
            answers.get(role, []),
        )
        for at, role in enumerate(shown)
    ]


def nobody_is_there(run: Run) -> bool:
    """Whether a try waits in vain: for a while, and behind no other that is being worked on."""
    if run.state != Run.State.QUEUED or timezone.now() - run.created_at < PATIENCE:
        return False
    return not Run.objects.filter(queue=Run.Queue.PLAYGROUND, state=Run.State.RUNNING).exists()


def ahead_of(run: Run) -> int:
    """Tries in line before this one."""
    live = Run.objects.filter(queue=Run.Queue.PLAYGROUND, state__in=(Run.State.QUEUED, Run.State.RUNNING))
    return live.filter(created_at__lt=run.created_at).count() if run.state == Run.State.QUEUED else 0


def _check(policies: Sequence[Checkpoint], settings: Settings) -> None:
    if not 1 <= len(policies) <= len(ROLES):
        raise BadInput("Choose one policy, or two to stand side by side.")
    if len({row.pk for row in policies}) < len(policies):
        raise BadInput("These are the same policy twice; choose another for the second.")
    for row in policies:
        if row.kind != Checkpoint.Kind.POLICY:
            raise BadInput(f"“{row}” is a reward model; it gives scores and no answers.")
        if row.weights_deleted_at:
            raise BadInput(f"The weights of “{row}” were deleted, so it cannot answer any more.")
        if folder_of(row) is None:
            raise BadInput(f"The weights of “{row}” are not on this machine ({row.path}), so it cannot answer.")
    if not 1 <= settings.n <= MOST_EACH:
        raise BadInput(f"{settings.n} answers of each are asked for; 1 to {MOST_EACH} can be.")


def _spec(settings: Settings, policies: int) -> dict[str, Any]:
    return {
        "samples_per_prompt": settings.n * policies,
        "samples_by_policy": dict.fromkeys(ROLES[:policies], settings.n),
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "response_length": settings.response_length,
        "max_prompt_tokens": ANY_LENGTH,
    }


def _one_row(prompt: str) -> Dataset:
    row = {"prompt_id": str(uuid.uuid5(NAMESPACE, prompt)), "prompt": prompt, "use_case": "other", "split": "test"}
    kept = storage.keep_rows("prompts", [row])
    dataset, _ = Dataset.objects.get_or_create(
        kind="prompts", sha256=kept.sha256, defaults={"path": kept.path, "rows": kept.rows}
    )
    return dataset


def _answers(run: Run) -> dict[str, list[Answer]]:
    """By policy's name in the run; what is being written at this moment is left for the next look."""
    try:
        lines = (storage.run_folder(run.pk) / "samples.jsonl").read_text(encoding="utf-8").split("\n")
    except OSError:
        return {}
    found: dict[str, list[Answer]] = {}
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        found.setdefault(row.get("policy", ROLES[0]), []).append(
            Answer(row["completion"], row["finished"], row["sample"])
        )
    return found


def answer_of(one: Try, sample: str) -> str | None:
    """The answer with this number among all of the try's; None where there is none. An empty one is no turn."""
    for answers in _answers(one.run).values():
        for answer in answers:
            if str(answer.sample) == sample:
                return answer.text.strip() or None
    return None
