"""What each recipe of a round runs on: datasets frozen from the database, and the checkpoints of earlier stages."""

from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from labeling.completions.models import Completion
from labeling.demonstrations.models import Demonstration
from labeling.errors import BadInput
from labeling.exports import freeze
from labeling.rankings.models import Ranking
from labeling.rounds import scored, selection
from labeling.rounds.models import Round, Stage
from labeling.rounds.plan import Settings, recipe_of
from labeling.rounds.settings import checkpoint_of
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
    """The checkpoint of a policy, or the reward model: what stands in for it, else what the round has made."""
    stands_in = settings.base if name == "base" else checkpoint_of(name) or settings.instead.get(name)
    if stands_in:
        return Checkpoint.objects.get(pk=stands_in)
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
        "score": _score,
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
    """From one policy or several: the first is `policy`, the others are `policy_2`, …, each with its share."""
    ids = selection.to_rank(round, settings.prompts, settings.pool)
    names = [_role(number) for number in range(1, len(settings.sources) + 1)]
    parents = {
        name: policy(round, settings, "sft") if checkpoint is None else Checkpoint.objects.get(pk=checkpoint)
        for name, (checkpoint, _) in zip(names, settings.sources, strict=True)
    }
    spec = _sample_spec(settings, settings.samples)
    if len(names) > 1:
        spec["samples_by_policy"] = {name: count for name, (_, count) in zip(names, settings.sources, strict=True)}
    return Needs(spec, {"prompts": _prompts(round, ids, "sample")}, parents)


def _role(number: int) -> str:
    """What a recipe calls its first, second, … policy."""
    return "policy" if number == 1 else f"policy_{number}"


def _score(round: Round, settings: Settings) -> Needs:
    filters = {"round": round.pk, "stage": "score"}
    inputs = {"completions": freeze.freeze_completions(scored.to_score(round), filters=filters)}
    parents = {"reward_model": Checkpoint.objects.get(pk=settings.choose["reward_model"])}
    return Needs(settings.specs.get("score", {}), inputs, parents)


def _reward_model(round: Round, settings: Settings) -> Needs:
    inputs = {
        "rankings": _rankings(round, "rank", adjudicated=settings.adjudicated),
        "valid_rankings": _rankings(round, "rank_valid"),
    }
    if settings.makes("sft"):
        inputs["demonstrations"] = _demonstrations(round)
    return Needs(settings.specs["reward_model"], inputs, {"policy": policy(round, settings, "sft")})


def _ppo(round: Round, settings: Settings, name: str) -> Needs:
    inputs = {"prompts": _prompts(round, selection.to_train_on(round, settings.prompts), "ppo")}
    if settings.specs[name].get("ptx_coef"):
        inputs["texts"] = _dataset(settings.texts)
    parents = {
        "policy": policy(round, settings, "sft"),
        "reward_model": policy(round, settings, "reward_model"),
    }
    return Needs(settings.specs[name], inputs, parents)


def _requeue(round: Round, settings: Settings) -> Needs:
    assert settings.newest  # plan.parse has looked
    prompts = _prompts(round, selection.to_requeue(round, settings.prompts), "requeue")
    parents = {"policy": policy(round, settings, settings.newest)}
    return Needs(_sample_spec(settings, settings.k), {"prompts": prompts}, parents)


def _judged_sample(round: Round, settings: Settings, name: str) -> Needs:
    prompts = _prompts(round, selection.to_judge(round, settings.prompts), "judge")
    return Needs(_sample_spec(settings, 1), {"prompts": prompts}, {"policy": policy(round, settings, name)})


def _evaluate(round: Round, settings: Settings, name: str) -> Needs:
    """Reward and KL are measured on validation prompts; the test prompts are for the judges alone."""
    inputs = {"texts": _dataset(settings.valid_texts)}
    parents = {"policy": policy(round, settings, name)}
    if settings.has("reward_model"):
        parents["reward_model"] = policy(round, settings, "reward_model")
    if name in ("ppo", "ppo_ptx") and settings.has("sft"):
        parents["reference"] = policy(round, settings, "sft")
    if len(parents) > 1:  # without them nothing is sampled
        inputs["prompts"] = _prompts(round, selection.to_validate(round, settings.prompts), "evaluate")
    return Needs(settings.specs["evaluate"], inputs, parents)


def _sample_spec(settings: Settings, samples_per_prompt: int) -> dict[str, object]:
    return {**settings.specs["sample"], "samples_per_prompt": samples_per_prompt}


def _made_by(round: Round, stage: str) -> Checkpoint:
    return Checkpoint.objects.get(run__stage__round=round, run__stage__name=stage)


def _dataset(pk: int | None) -> Dataset:
    assert pk is not None  # plan.parse has looked which texts the round needs
    return Dataset.objects.get(pk=pk)


def _prompts(round: Round, ids: list[UUID], stage: str) -> Dataset:
    return freeze.freeze_prompts(selection.prompts(ids), filters={"round": round.pk, "stage": stage})


def _demonstrations(round: Round) -> Dataset:
    made = Demonstration.objects.filter(assignment__item__batch__stage__round=round)
    return freeze.freeze_demonstrations(made, filters={"round": round.pk})


def _rankings(round: Round, stage: str, *, adjudicated: bool = False) -> Dataset:
    made = Ranking.objects.filter(item__batch__stage__round=round, item__batch__stage__name=stage)
    return freeze.freeze_rankings(made, filters={"round": round.pk, "stage": stage}, adjudicated=adjudicated)
