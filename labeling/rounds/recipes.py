"""What each recipe of a round runs on: datasets frozen from the database, and the checkpoints of earlier stages."""

from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from labeling.completions.models import Completion
from labeling.demonstrations.models import Demonstration
from labeling.errors import BadInput
from labeling.exports import freeze
from labeling.rankings.models import Ranking
from labeling.rounds import selection
from labeling.rounds.models import Round, Stage
from labeling.rounds.plan import NEW_POLICY, Settings, recipe_of
from training.models import Checkpoint, Dataset, Run
from training.runs.launch import queue_run
from training.runs.weights import WeightsGone

Inputs = dict[str, Dataset]
Parents = dict[str, Checkpoint]


class Needs(NamedTuple):
    spec: dict[str, object]
    inputs: Inputs
    parents: Parents


def queue(round: Round, stage: Stage, settings: Settings) -> Run:
    """The stage's run, in line. To be called in the transaction that ties it to the stage."""
    needs = _needs_of(stage.name)(round, settings)
    try:
        return queue_run(
            recipe=recipe_of(stage.name),
            name=f"{round.name}: {stage.name}"[:100],
            spec=needs.spec,
            seed=round.seed,
            inputs=needs.inputs,
            parents=needs.parents,
        )
    except WeightsGone as error:
        raise BadInput(str(error)) from error


def policy(round: Round, settings: Settings, name: str) -> Checkpoint:
    """The checkpoint of one of the four policies."""
    if name == "base" and settings.base:
        return Checkpoint.objects.get(pk=settings.base)
    return _made_by(round, "pretrain" if name == "base" else name)


def samples(round: Round, stage: str) -> "list[Completion]":
    """What a sampling stage of the round sampled, by prompt and sample."""
    made = Completion.objects.filter(run__stage__round=round, run__stage__name=stage)
    return list(made.select_related("prompt").order_by("prompt_id", "sample"))


def _needs_of(stage: str) -> Callable[[Round, Settings], Needs]:
    if stage.startswith("sample_"):
        return lambda round, settings: _judged_sample(round, settings, stage.removeprefix("sample_"))
    if stage.startswith("evaluate_"):
        return lambda round, settings: _evaluate(round, settings, stage.removeprefix("evaluate_"))
    if stage in ("ppo", "ppo_ptx"):
        return lambda round, settings: _ppo(round, settings, stage)
    return {
        "pretrain": _pretrain,
        "sft": _sft,
        "sample": _sample,
        "reward_model": _reward_model,
        "requeue": _requeue,
    }[stage]


def _pretrain(round: Round, settings: Settings) -> Needs:
    inputs = {"texts": _dataset(settings.texts), "valid_texts": _dataset(settings.valid_texts)}
    return Needs(settings.specs["pretrain"], inputs, {})


def _sft(round: Round, settings: Settings) -> Needs:
    spec = settings.specs["sft"]
    inputs = {"demonstrations": _demonstrations(round)}
    if spec.get("pretraining_mix"):
        inputs["texts"] = _dataset(settings.texts)
    return Needs(spec, inputs, {"policy": policy(round, settings, "base")})


def _sample(round: Round, settings: Settings) -> Needs:
    count = settings.k * settings.rankings_per_prompt
    prompts = _prompts(round, selection.to_rank(round, settings.prompts), "sample")
    return Needs(_sample_spec(settings, count), {"prompts": prompts}, {"policy": policy(round, settings, "sft")})


def _reward_model(round: Round, settings: Settings) -> Needs:
    inputs = {
        "rankings": _rankings(round, "rank", adjudicated=settings.adjudicated),
        "valid_rankings": _rankings(round, "rank_valid"),
        "demonstrations": _demonstrations(round),
    }
    return Needs(settings.specs["reward_model"], inputs, {"policy": policy(round, settings, "sft")})


def _ppo(round: Round, settings: Settings, name: str) -> Needs:
    inputs = {"prompts": _prompts(round, selection.to_train_on(round, settings.prompts), "ppo")}
    if settings.specs[name].get("ptx_coef"):
        inputs["texts"] = _dataset(settings.texts)
    parents = {"policy": policy(round, settings, "sft"), "reward_model": _made_by(round, "reward_model")}
    return Needs(settings.specs[name], inputs, parents)


def _requeue(round: Round, settings: Settings) -> Needs:
    prompts = _prompts(round, selection.to_requeue(round, settings.prompts), "requeue")
    return Needs(
        _sample_spec(settings, settings.k), {"prompts": prompts}, {"policy": policy(round, settings, NEW_POLICY)}
    )


def _judged_sample(round: Round, settings: Settings, name: str) -> Needs:
    prompts = _prompts(round, selection.to_judge(round, settings.prompts), "judge")
    return Needs(_sample_spec(settings, 1), {"prompts": prompts}, {"policy": policy(round, settings, name)})


def _evaluate(round: Round, settings: Settings, name: str) -> Needs:
    """Reward and KL are measured on validation prompts; the test prompts are for the judges alone."""
    inputs = {
        "texts": _dataset(settings.valid_texts),
        "prompts": _prompts(round, selection.to_validate(round, settings.prompts), "evaluate"),
    }
    parents = {"policy": policy(round, settings, name), "reward_model": _made_by(round, "reward_model")}
    if name in ("ppo", "ppo_ptx"):
        parents["reference"] = policy(round, settings, "sft")
    return Needs(settings.specs["evaluate"], inputs, parents)


def _sample_spec(settings: Settings, samples_per_prompt: int) -> dict[str, object]:
    return {**settings.specs["sample"], "samples_per_prompt": samples_per_prompt}


def _made_by(round: Round, stage: str) -> Checkpoint:
    return Checkpoint.objects.get(run__stage__round=round, run__stage__name=stage)


def _dataset(pk: int) -> Dataset:
    return Dataset.objects.get(pk=pk)


def _prompts(round: Round, ids: list[UUID], stage: str) -> Dataset:
    return freeze.freeze_prompts(selection.prompts(ids), filters={"round": round.pk, "stage": stage})


def _demonstrations(round: Round) -> Dataset:
    made = Demonstration.objects.filter(assignment__item__batch__stage__round=round)
    return freeze.freeze_demonstrations(made, filters={"round": round.pk})


def _rankings(round: Round, stage: str, *, adjudicated: bool = False) -> Dataset:
    made = Ranking.objects.filter(item__batch__stage__round=round, item__batch__stage__name=stage)
    return freeze.freeze_rankings(made, filters={"round": round.pk, "stage": stage}, adjudicated=adjudicated)
