"""PURE. What a round does: its settings, checked, and its stages, each with those that must be done before it.

Settings are a JSON object, fixed when the round is opened:

    prompts      how many: {"source": "", "demonstrate": 400, "rank": 1500, "rank_valid": 150, "judge": 250,
                 "requeue": 60, "ppo": 0}; an empty source is any, ppo 0 is all train prompts
    k            completions per ranking item, 4 to 9
    rankings_per_prompt   items per ranked prompt, each with its own K completions
    mix          settings of the batches of rankings for training (queue/settings.py), those left out at their defaults:
                 15 % of the items get three labelers; null mixes nothing in, and then
    overlap      is the share of the items, the first in the line, that two labelers get
    adjudicated  whether an item that was adjudicated is trained on as the decision, in place of its rankings
    judges       held-out labelers per judged prompt
    hold         stages that wait for a person's go before they start
    targets      what is wished, which changes nothing: {"labels": 5000}
    budget       what people's work may cost: {"labels": 6000, "hours": 300}; when it is used up the round pauses itself
    guidelines   {"training": id, "evaluation": id}
    base         id of the checkpoint to start from; null trains one, which takes a spec "pretrain"
    texts, valid_texts    ids of datasets of kind texts: the pretraining distribution, and a held-out part of it
    specs        settings per recipe: pretrain, sft, sample, reward_model, ppo, ppo_ptx, evaluate
"""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any

from labeling.errors import BadInput
from labeling.queue import settings as batches
from training.contract.specs import SpecError, spec_from_dict

# The four policies that are judged against each other; K of a judging item is 4.
POLICIES = ("base", "sft", "ppo", "ppo_ptx")
NEW_POLICY = "ppo_ptx"
PEOPLES = ("demonstrate", "rank", "rank_valid", "judge")


@dataclass(frozen=True)
class StagePlan:
    name: str
    after: tuple[str, ...]
    waits: bool = False  # for a person's go before it starts


@dataclass(frozen=True)
class PromptCounts:
    demonstrate: int
    rank: int
    judge: int
    rank_valid: int
    requeue: int
    source: str = ""
    ppo: int = 0


@dataclass(frozen=True)
class Settings:
    prompts: PromptCounts
    guidelines: Mapping[str, int]
    texts: int
    valid_texts: int
    specs: Mapping[str, dict[str, Any]]
    base: int | None = None
    k: int = 4
    rankings_per_prompt: int = 1
    mix: Mapping[str, Any] | None = field(default_factory=dict)
    overlap: float = 0.12
    adjudicated: bool = False
    judges: int = 1
    hold: Sequence[str] = ()
    targets: Mapping[str, Any] = field(default_factory=dict)
    budget: Mapping[str, Any] = field(default_factory=dict)

    @property
    def mixed(self) -> batches.Settings:
        """How the batches of rankings for training are dealt out."""
        return batches.PLAIN if self.mix is None else batches.parse(dict(self.mix))


def stages(settings: Settings) -> list[StagePlan]:
    """The stages in the order they are looked at; several may run at once."""
    base = () if settings.base else ("pretrain",)
    plan = [StagePlan(name, ()) for name in base]
    plan += [
        StagePlan("demonstrate", ()),
        StagePlan("sft", (*base, "demonstrate")),
        StagePlan("sample", ("sft",)),
        StagePlan("rank", ("sample",)),
        StagePlan("rank_valid", ("sample",)),
        StagePlan("reward_model", ("rank", "rank_valid")),
        StagePlan("gate", ("reward_model",)),
        StagePlan("ppo_ptx", ("gate",)),
        StagePlan("ppo", ("gate",)),
        StagePlan("requeue", ("ppo_ptx",)),
    ]
    made_by = {"base": base, "sft": ("sft",), "ppo": ("ppo",), "ppo_ptx": ("ppo_ptx",)}
    plan += [StagePlan(f"sample_{policy}", made_by[policy]) for policy in POLICIES]
    plan += [StagePlan("judge", tuple(f"sample_{policy}" for policy in POLICIES))]
    # Reward and KL are measured too, so these wait for the reward model.
    plan += [StagePlan(f"evaluate_{policy}", (*made_by[policy], "reward_model")) for policy in POLICIES]
    return [replace(stage, waits=stage.name in settings.hold) for stage in plan]


def parse(settings: Mapping[str, Any]) -> Settings:
    """The checked settings. Raises BadInput with a sentence that names what cannot work."""
    _known(settings, Settings, "The round")
    prompts = settings.get("prompts")
    if not isinstance(prompts, Mapping):
        raise BadInput("The round's “prompts” must be an object with the numbers of prompts.")
    _known(prompts, PromptCounts, "“prompts”")
    plan = Settings(**{**settings, "prompts": PromptCounts(**prompts)})
    _check_numbers(plan)
    _check_specs(plan)
    return plan


def recipe_of(stage: str) -> str:
    """The recipe that a stage runs; empty for people's stages and the gate."""
    if is_peoples(stage) or stage == "gate":
        return ""
    if stage == "requeue" or stage.startswith("sample"):
        return "sample"
    if stage.startswith("evaluate"):
        return "evaluate"
    return "ppo" if stage == "ppo_ptx" else stage


def is_peoples(stage: str) -> bool:
    return stage in PEOPLES


def _known(values: Mapping[str, Any], cls: type, what: str) -> None:
    names = {one.name: one for one in fields(cls)}
    if unknown := sorted(set(values) - set(names)):
        raise BadInput(f"{what} has no setting “{unknown[0]}”; there are {', '.join(names)}.")
    needed = [name for name, one in names.items() if one.default is MISSING and one.default_factory is MISSING]
    if missing := [name for name in needed if name not in values]:
        raise BadInput(f"{what} lacks the setting “{missing[0]}”.")


def _check_numbers(plan: Settings) -> None:
    for name in ("demonstrate", "rank", "judge", "rank_valid", "requeue", "ppo"):
        count = getattr(plan.prompts, name)
        least = 0 if name in ("requeue", "ppo") else 1
        if not _whole(count) or count < least:
            raise BadInput(f"The number of prompts to {name} is {count!r}; it must be a whole number from {least} on.")
    if not _whole(plan.k) or not 4 <= plan.k <= 9:
        raise BadInput(f"K is {plan.k!r}; a labeler ranks 4 to 9 completions.")
    if not _whole(plan.rankings_per_prompt) or not 1 <= plan.rankings_per_prompt <= 20:
        raise BadInput(f"rankings_per_prompt is {plan.rankings_per_prompt!r}; it must be 1 to 20.")
    if not _whole(plan.judges) or not 1 <= plan.judges <= 100:
        raise BadInput(f"judges is {plan.judges!r}; 1 to 100 labelers can judge a prompt.")
    if not isinstance(plan.overlap, int | float) or not 0 <= plan.overlap <= 1:
        raise BadInput(f"overlap is {plan.overlap!r}; it is a share between 0 and 1.")
    if not isinstance(plan.adjudicated, bool):
        raise BadInput(f"adjudicated is {plan.adjudicated!r}; it is true or false.")
    if plan.mix is not None and not isinstance(plan.mix, Mapping):
        raise BadInput("“mix” must be an object with settings of a batch, or null.")
    plan.mixed  # noqa: B018 (reading them checks them)
    for name in ("texts", "valid_texts"):
        if not _whole(getattr(plan, name)):
            raise BadInput(f"“{name}” must be the id of a dataset of texts.")
    if plan.base is not None and not _whole(plan.base):
        raise BadInput("“base” must be the id of a checkpoint, or null where the round trains one.")


def _check_specs(plan: Settings) -> None:
    needed = ["sft", "sample", "reward_model", "ppo", "ppo_ptx", "evaluate"]
    needed = needed if plan.base else ["pretrain", *needed]
    for name in needed:
        spec = plan.specs.get(name)
        if not isinstance(spec, Mapping):
            raise BadInput(f"The round's specs lack “{name}”.")
        try:
            spec_from_dict(recipe_of(name), spec)
        except SpecError as error:
            raise BadInput(f"The spec of {name}: {error}") from error
    if unknown := sorted(set(plan.specs) - set(needed)):
        raise BadInput(f"The round has no stage for the spec “{unknown[0]}”.")
    if "samples_per_prompt" in plan.specs["sample"]:
        raise BadInput("samples_per_prompt follows from k and rankings_per_prompt; leave it out of the sample spec.")
    if not plan.specs["ppo_ptx"].get("ptx_coef"):
        raise BadInput("The spec of ppo_ptx needs a ptx_coef above 0; without it it would be plain PPO.")
    if plan.specs["ppo"].get("ptx_coef"):
        raise BadInput("The spec of ppo has a ptx_coef; plain PPO mixes in no pretraining.")


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
