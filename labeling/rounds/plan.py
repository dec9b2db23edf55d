"""PURE. What a round does: its settings (settings.py), checked, and its stages, each after those that it needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labeling.rounds import checks
from labeling.rounds.checks import BadSetting, Problem
from labeling.rounds.settings import PARTS, POLICIES, PromptCounts, Settings

__all__ = [
    "PARTS",
    "POLICIES",
    "PromptCounts",
    "Settings",
    "StagePlan",
    "is_peoples",
    "parse",
    "problems",
    "recipe_of",
    "stages",
]

PEOPLES = ("demonstrate", "rank", "rank_valid", "judge")


@dataclass(frozen=True)
class StagePlan:
    name: str
    after: tuple[str, ...]
    waits: bool = False  # for a person's go before it starts


def stages(settings: Settings) -> list[StagePlan]:
    """The stages in the order they are looked at; several may run at once."""
    return [StagePlan(name, after, name in settings.hold) for name, after in _graph(settings).items()]


def _graph(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Each stage of the parts that are run, after what it reads of this round's."""
    run = set(settings.run)
    made = {
        "base": ("pretrain",) if settings.pretrains else (),
        "reward_model": ("reward_model",) if "reward_model" in run else (),
        **{name: (name,) if name in run else () for name in ("sft", "ppo", "ppo_ptx")},
    }
    graph: dict[str, tuple[str, ...]] = {}
    if settings.pretrains:
        graph["pretrain"] = ()
    if "sft" in run:
        graph |= {"demonstrate": (), "sft": (*made["base"], "demonstrate")}
    if "reward_model" in run:
        graph |= _ranking(settings, made["sft"])
    if {"ppo", "ppo_ptx"} & run and made["reward_model"]:
        graph["gate"] = ("reward_model",)
    for name in ("ppo_ptx", "ppo"):
        if name in run:  # the gate comes after SFT too
            graph[name] = ("gate",) if "gate" in graph else made["sft"]
    if "requeue" in run and settings.newest:
        graph["requeue"] = made[settings.newest]
    if "judge" in run:
        graph |= {f"sample_{policy}": made.get(policy, ()) for policy in settings.judged}
        graph["judge"] = tuple(f"sample_{policy}" for policy in settings.judged)
    if "evaluate" in run:  # reward and KL are measured too, so these wait for the reward model
        reads = {
            policy: (*made.get(policy, ()), *made["reward_model"], *_reference(policy, made["sft"], made))
            for policy in settings.judged
        }
        graph |= {f"evaluate_{policy}": after for policy, after in reads.items()}
    return graph


def _ranking(settings: Settings, sft: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """The samples, which of them people rank, and the reward model, which starts from the SFT policy."""
    sampled = sft if any(checkpoint is None for checkpoint, _ in settings.sources) else ()
    after = ("rank", "rank_valid") if sampled or not sft else ("rank", "rank_valid", *sft)
    chosen: dict[str, tuple[str, ...]] = {"score": ("sample",)} if settings.is_chosen else {}
    return {
        "sample": sampled,
        **chosen,
        "rank": ("score",) if chosen else ("sample",),
        "rank_valid": ("sample",),
        "reward_model": after,
    }


def _reference(policy: str, sft: tuple[str, ...], made: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """KL is measured from the SFT policy; where PPO or the reward model was made here, it is there already."""
    needs = policy in ("ppo", "ppo_ptx") and not made[policy] and not made["reward_model"]
    return sft if needs else ()


def parse(settings: Mapping[str, Any]) -> Settings:
    """The checked settings. Raises BadInput with a sentence that names what cannot work."""
    if found := problems(settings):
        raise BadSetting(found[0])
    return _read(settings)


def problems(settings: Mapping[str, Any]) -> list[Problem]:
    """All that cannot work in these settings, each in a sentence; empty where a round can be opened from them."""
    unreadable = [*checks.known(settings, Settings, "The round")]
    prompts = settings.get("prompts")
    if not isinstance(prompts, Mapping):
        return [*unreadable, Problem("prompts", "The round's “prompts” must be an object with the numbers of prompts.")]
    unreadable += checks.known(prompts, PromptCounts, "“prompts”", within="prompts")
    if unreadable:
        return unreadable
    plan = _read(settings)
    found = list(checks.problems(plan))
    if not found and (unknown := sorted(set(plan.hold) - set(_graph(plan)))):
        found = [Problem("hold", f"The round has no stage “{unknown[0]}” that could wait for a person.")]
    return found


def _read(settings: Mapping[str, Any]) -> Settings:
    return Settings(**{**settings, "prompts": PromptCounts(**settings["prompts"])})


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
