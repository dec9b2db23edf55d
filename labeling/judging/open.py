"""Opening a judgement, and asking for more of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import MD5, Concat

from labeling.completions.models import Completion
from labeling.errors import BadInput, Conflict
from labeling.exports import freeze
from labeling.guidelines.models import Guideline, Purpose
from labeling.judging.models import Drawing, JudgedPolicy, Judgement
from labeling.labelers.models import Cohort, Labeler, User
from labeling.prompts.models import Prompt, Split
from labeling.queue import dispatch
from training.contract.specs import SpecError, spec_from_dict
from training.doorbell import ring
from training.models import Checkpoint
from training.runs.launch import queue_run

FEWEST, MOST = 2, 9  # policies: what a labeler can put in order on one page
SPLITS = (Split.TEST, Split.VALID)
SHARED_OUT = ("samples_per_prompt", "samples_by_policy")


@dataclass(frozen=True)
class Wish:
    """What is asked for. `policies`: checkpoints, the first being what the others are compared with."""

    name: str
    policies: Sequence[Checkpoint]
    prompts: int
    judges: int
    guideline: Guideline
    split: str = Split.TEST
    use_case: str = ""
    source: str = ""
    cohort: str = Cohort.HELD_OUT
    spec: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 1
    shown_from: int = 100


def open_judgement(wish: Wish, user: User) -> Judgement:
    """The judgement, its sampling run in line. Raises BadInput with a sentence; then nothing was made."""
    names = _check(wish)
    with transaction.atomic():
        judgement = Judgement.objects.create(
            name=wish.name.strip(),
            split=wish.split,
            use_case=wish.use_case,
            source=wish.source,
            judges=wish.judges,
            cohort=wish.cohort,
            guideline=wish.guideline,
            spec=dict(wish.spec),
            seed=wish.seed,
            shown_from=wish.shown_from,
            created_by=user,
        )
        JudgedPolicy.objects.bulk_create(
            JudgedPolicy(judgement=judgement, checkpoint=checkpoint, name=name, position=position)
            for position, (checkpoint, name) in enumerate(zip(wish.policies, names, strict=True))
        )
        _draw(judgement, wish.prompts)
    return judgement


def eligible(split: str, use_case: str = "", source: str = "") -> QuerySet[Prompt]:
    """Prompts that can be judged: nobody holds them back, and they fit."""
    chosen = {name: value for name, value in (("use_case", use_case), ("source", source)) if value}
    return Prompt.objects.filter(split=split, held_because="", **chosen)


def more_prompts(judgement: Judgement, count: int) -> None:
    """Judge so many prompts more. Raises BadInput where there are too few, Conflict where it cannot be extended."""
    if count < 1:
        raise BadInput("At least one prompt more, please.")
    with transaction.atomic():
        judgement = _to_extend(judgement)
        if judgement.drawings.filter(taken_in_at=None).exists():
            raise Conflict("Completions are being sampled for it; more prompts can be added when that is done.")
        _draw(judgement, count)


def more_judges(judgement: Judgement, judges: int) -> None:
    """Have each prompt ranked by `judges` labelers in all. Raises BadInput or Conflict."""
    with transaction.atomic():
        judgement = _to_extend(judgement)
        if not judgement.judges < judges <= 100:
            raise BadInput(f"Each prompt has {judgement.judges} judges; more is {judgement.judges + 1} to 100.")
        check_judges(judges, judgement.cohort)
        judgement.judges = judges
        judgement.save(update_fields=["judges"])
        if judgement.batch:
            dispatch.want(judgement.batch, judges)
        ring_after_commit()


def check_judges(judges: int, cohort: str) -> None:
    """Raises BadInput where there are fewer labelers: nobody ranks a prompt twice, so it would never be finished."""
    there = Labeler.objects.filter(cohort=cohort, state=Labeler.State.ACTIVE).count()
    if judges > there:
        raise BadInput(
            f"{judges} judges a prompt need as many labelers of the cohort “{Cohort(cohort).label.lower()}” at work; "
            f"there {'is' if there == 1 else 'are'} {there}."
        )


def ring_after_commit() -> None:
    transaction.on_commit(lambda: ring("labeling.tasks.advance_rounds"), robust=True)


def _check(wish: Wish) -> list[str]:
    """The policies' names, told apart. Raises BadInput."""
    if not wish.name.strip() or len(wish.name) > 80:
        raise BadInput("A judgement has a name of 1 to 80 characters.")
    if not FEWEST <= len(wish.policies) <= MOST:
        raise BadInput(f"{FEWEST} to {MOST} policies can be compared; {len(wish.policies)} are chosen.")
    if len({checkpoint.pk for checkpoint in wish.policies}) < len(wish.policies):
        raise BadInput("Each policy can be in it once.")
    for checkpoint in wish.policies:
        if checkpoint.kind != Checkpoint.Kind.POLICY:
            raise BadInput(f"“{checkpoint}” is no policy, so it says nothing that could be judged.")
        if checkpoint.weights_deleted_at:
            raise BadInput(f"The weights of “{checkpoint}” were deleted, so it can answer nothing.")
    if wish.split not in SPLITS:
        raise BadInput("Policies are judged on test or validation prompts: on train prompts they may have learned.")
    if wish.guideline.purpose != Purpose.EVALUATION:
        raise BadInput(f"The guideline “{wish.guideline}” is for {wish.guideline.purpose}, not for evaluation.")
    if not 1 <= wish.judges <= 100:
        raise BadInput(f"A prompt can have 1 to 100 judges, not {wish.judges}.")
    if not 1 <= wish.shown_from <= 100:
        raise BadInput("Results are shown from 1 to 100 % of the labels on.")
    check_judges(wish.judges, wish.cohort)
    _check_spec(wish)
    return _names(wish.policies)


def _check_spec(wish: Wish) -> None:
    for name in SHARED_OUT:
        if name in wish.spec:
            raise BadInput(f"“{name}” follows from the policies: each answers once. Leave it out of the settings.")
    if wish.spec.get("engine") == "openai":
        raise BadInput("A server has one model; here checkpoints are sampled, so the engine is decoder or vllm.")
    try:
        spec_from_dict("sample", _spec(wish.spec, len(wish.policies)))
    except SpecError as error:
        raise BadInput(f"The settings for sampling: {error}") from error


def _names(policies: Sequence[Checkpoint]) -> list[str]:
    """The checkpoints' names; where two have the same one, with their numbers."""
    names = [checkpoint.name for checkpoint in policies]
    return [
        f"{name[:80]} (checkpoint {checkpoint.pk})" if names.count(name) > 1 else name
        for name, checkpoint in zip(names, policies, strict=True)
    ]


def role(position: int) -> str:
    """What the recipe calls the policy at this position."""
    return "policy" if position == 0 else f"policy_{position + 1}"


def _spec(spec: Mapping[str, Any], policies: int) -> dict[str, Any]:
    return {
        **spec,
        "samples_per_prompt": policies,
        "samples_by_policy": {role(position): 1 for position in range(policies)},
    }


def _draw(judgement: Judgement, count: int) -> None:
    """Queue a run that samples all policies for `count` prompts that are new to the judgement."""
    if count < 1:
        raise BadInput("At least one prompt is judged.")
    used = Completion.objects.filter(run__drawing__judgement=judgement).values("prompt")
    there = eligible(judgement.split, judgement.use_case, judgement.source).exclude(pk__in=used)
    key = MD5(Concat(Value(f"{judgement.seed} "), F("digest")))  # follows from the texts and the seed alone
    chosen = list(there.order_by(key).values_list("pk", flat=True)[:count])
    if len(chosen) < count:
        raise BadInput(f"{count} prompts are wanted; {len(chosen)} fit that are not in it yet.")
    policies = list(judgement.policies.select_related("checkpoint"))
    number = judgement.drawings.count()
    run = queue_run(
        recipe="sample",
        name=f"{judgement.name}: samples"[:100],
        spec=_spec(judgement.spec, len(policies)),
        seed=judgement.seed + number,
        inputs={
            "prompts": freeze.freeze_prompts(
                Prompt.objects.filter(pk__in=chosen), filters={"judgement": judgement.pk, "drawing": number}
            )
        },
        parents={role(policy.position): policy.checkpoint for policy in policies},
    )
    Drawing.objects.create(judgement=judgement, run=run, prompts=count)
    ring_after_commit()


def _to_extend(judgement: Judgement) -> Judgement:
    """Locked, and running from now on. Raises Conflict where it is neither running nor done."""
    judgement = Judgement.objects.select_for_update(of=("self",)).select_related("batch").get(pk=judgement.pk)
    if judgement.state not in (Judgement.State.RUNNING, Judgement.State.DONE):
        raise Conflict(f"It is {judgement.get_state_display().lower()}, so nothing more can be asked for.")
    if judgement.may_have_been_seen:
        judgement.extended += 1
    judgement.state, judgement.finished_at = Judgement.State.RUNNING, None
    judgement.save(update_fields=["state", "finished_at", "extended"])
    return judgement
