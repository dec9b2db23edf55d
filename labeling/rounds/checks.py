"""PURE. Everything that cannot work in a round's settings, each as a sentence and the name of the setting."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any, NamedTuple

from labeling.errors import BadInput
from labeling.prompts.models import UseCase
from labeling.rounds.settings import (
    CHOOSE_BY,
    PARTS,
    POLICIES,
    STAND_INS,
    Settings,
)
from training.contract.specs import SPECS, SpecError, spec_from_dict

LEAST_JUDGED, MOST_JUDGED = 2, 9


class Problem(NamedTuple):
    """`name` is the setting, with a dot for what lies within: `k`, `prompts.rank`, `specs.sft.lr`."""

    name: str
    sentence: str


class BadSetting(BadInput):
    """A setting that cannot be, and which."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.sentence)
        self.name = problem.name


def known(values: Mapping[str, Any], cls: type, what: str, within: str = "") -> Iterator[Problem]:
    """Names that a dataclass does not have, and those it needs that are not there."""
    names = {one.name: one for one in fields(cls)}
    for name in sorted(set(values) - set(names)):
        yield Problem(within or name, f"{what} has no setting “{name}”; there are {', '.join(names)}.")
    needed = [name for name, one in names.items() if one.default is MISSING and one.default_factory is MISSING]
    for name in needed:
        if name not in values:
            yield Problem(within or name, f"{what} lacks the setting “{name}”.")


def problems(plan: Settings) -> Iterator[Problem]:
    """The shape of the settings first: what does not have it is looked at no further."""
    malformed = list(_shapes(plan))
    yield from malformed
    if malformed:
        return
    yield from _numbers(plan)
    yield from _parts(plan)
    yield from _sampling(plan)
    yield from _judgement(plan)
    yield from _wishes(plan)
    yield from _specs(plan)


def _shapes(plan: Settings) -> Iterator[Problem]:
    for name in ("run", "hold"):
        if not _texts(getattr(plan, name)):
            yield Problem(name, f"“{name}” must be a list of names.")
    if not _texts(plan.prompts.use_cases):
        yield Problem("prompts.use_cases", "“use_cases” must be a list of names.")
    if not isinstance(plan.prompts.source, str):
        yield Problem("prompts.source", "“source” must be a text; an empty one is any source.")
    for name in ("specs", "guidelines", "instead", "choose", "targets", "budget"):
        if not isinstance(getattr(plan, name), Mapping):
            yield Problem(name, f"“{name}” must be an object.")
    if plan.mix is not None and not isinstance(plan.mix, Mapping):
        yield Problem("mix", "“mix” must be an object with settings of a batch, or null.")
    for name in ("texts", "valid_texts"):
        if getattr(plan, name) is not None and not whole(getattr(plan, name)):
            yield Problem(name, f"“{name}” must be the id of a dataset of texts.")
    if plan.base is not None and not whole(plan.base):
        yield Problem("base", "“base” must be the id of a checkpoint, or null where the round trains one.")
    if not isinstance(plan.token, str) or len(plan.token) > 64:
        yield Problem("token", "“token” must be a text of at most 64 characters.")
    if plan.policies is not None and not _policies(plan.policies):
        yield Problem("policies", f"“policies” must be a list of {', '.join(POLICIES)} and ids of checkpoints.")
    if plan.sample_from is not None and not _shares(plan.sample_from):
        yield Problem(
            "sample_from",
            "“sample_from” must be a list of objects, each with a “checkpoint” (an id, or null for the SFT policy) "
            "and a number of “samples” from 1 on.",
        )
    yield from _choice(plan.choose)


def _choice(choose: object) -> Iterator[Problem]:
    if not isinstance(choose, Mapping):
        return
    if unknown := sorted(set(choose) - {"by", "pool", "reward_model"}):
        yield Problem("choose", f"“choose” has no setting “{unknown[0]}”; there are by, pool, reward_model.")
    by = choose.get("by", "random")
    if by not in CHOOSE_BY:
        yield Problem("choose.by", f"Prompts are chosen by {', '.join(CHOOSE_BY)}, not by {by!r}.")
    elif by != "random":
        if not whole(choose.get("pool")) or choose["pool"] < 1:
            yield Problem("choose.pool", "How many prompts are sampled to choose from? “pool” is a whole number.")
        if not whole(choose.get("reward_model")):
            yield Problem("choose.reward_model", f"To choose by {by} takes a reward model: the id of its checkpoint.")


def _numbers(plan: Settings) -> Iterator[Problem]:
    run = set(plan.run)
    least = {
        "demonstrate": "sft" in run,
        "rank": "reward_model" in run,
        "rank_valid": bool({"reward_model", "evaluate"} & run),
        "judge": "judge" in run,
        "requeue": False,
        "ppo": False,
    }
    for name, is_needed in least.items():
        count = getattr(plan.prompts, name)
        if not whole(count) or count < int(is_needed):
            yield Problem(
                f"prompts.{name}",
                f"The number of prompts to {name} is {count!r}; it must be a whole number from {int(is_needed)} on.",
            )
    for use_case in plan.prompts.use_cases:
        if use_case not in UseCase.values:
            yield Problem("prompts.use_cases", f"There is no use case “{use_case}”; there are {', '.join(UseCase)}.")
    if not whole(plan.k) or not 4 <= plan.k <= 9:
        yield Problem("k", f"K is {plan.k!r}; a labeler ranks 4 to 9 completions.")
    if not whole(plan.rankings_per_prompt) or not 1 <= plan.rankings_per_prompt <= 20:
        yield Problem(
            "rankings_per_prompt", f"rankings_per_prompt is {plan.rankings_per_prompt!r}; it must be 1 to 20."
        )
    if not whole(plan.judges) or not 1 <= plan.judges <= 100:
        yield Problem("judges", f"judges is {plan.judges!r}; 1 to 100 labelers can judge a prompt.")
    if not _number(plan.overlap) or not 0 <= plan.overlap <= 1:
        yield Problem("overlap", f"overlap is {plan.overlap!r}; it is a share between 0 and 1.")
    if not isinstance(plan.adjudicated, bool):
        yield Problem("adjudicated", f"adjudicated is {plan.adjudicated!r}; it is true or false.")
    try:
        plan.mixed  # noqa: B018 (reading them checks them)
    except BadInput as error:
        yield Problem("mix", error.sentence)


def _parts(plan: Settings) -> Iterator[Problem]:
    """What is left out must not be missing in what is run."""
    if unknown := [part for part in plan.run if part not in PARTS]:
        yield Problem("run", f"A round has no part “{unknown[0]}”; there are {', '.join(PARTS)}.")
    if len(set(plan.run)) < len(plan.run):
        yield Problem("run", "“run” names a part twice.")
    if not plan.run:
        yield Problem("run", "The round does nothing: choose a part of the loop at least.")
    for name, pk in plan.instead.items():
        if name not in STAND_INS:
            yield Problem("instead", f"Nothing can stand in for “{name}”; there are {', '.join(STAND_INS)}.")
        elif name in plan.run:
            yield Problem(f"instead.{name}", f"The round makes its own {name}, so nothing can stand in for it.")
        elif not whole(pk):
            yield Problem(f"instead.{name}", f"What stands in for {name} must be the id of a checkpoint.")
    if plan.needs_sft and not plan.has("sft"):
        yield Problem(
            "instead.sft",
            "A reward model and PPO start from an SFT policy: run SFT in this round, or choose a checkpoint for it.",
        )
    if {"ppo", "ppo_ptx"} & set(plan.run) and not plan.has("reward_model"):
        yield Problem(
            "instead.reward_model",
            "PPO follows a reward model: train one in this round, or choose a checkpoint for it.",
        )
    if "requeue" in plan.run and plan.newest is None:
        yield Problem(
            "run", "To put up the new policy's samples takes a policy trained by PPO, and the round has none."
        )
    for name, is_needed in (("texts", plan.needs_texts), ("valid_texts", plan.needs_valid_texts)):
        if is_needed and getattr(plan, name) is None:
            use = "pretraining, its mix in SFT, and PPO-ptx" if name == "texts" else "pretraining and measuring"
            yield Problem(name, f"The round lacks the setting “{name}”: texts for {use}.")


def _sampling(plan: Settings) -> Iterator[Problem]:
    if "reward_model" not in plan.run or not whole(plan.k) or not whole(plan.rankings_per_prompt):
        return
    total = sum(samples for _, samples in plan.sources)
    if total != plan.samples:
        yield Problem(
            "sample_from",
            f"“sample_from” shares out {total} completions of a prompt; K x rankings per prompt is {plan.samples}.",
        )
    if len({checkpoint for checkpoint, _ in plan.sources}) < len(plan.sources):
        yield Problem("sample_from", "“sample_from” names a policy twice.")
    if plan.is_chosen and whole(plan.prompts.rank) and plan.pool < plan.prompts.rank:
        yield Problem(
            "choose.pool", f"{plan.prompts.rank} prompts cannot be chosen of {plan.pool}: the pool must be larger."
        )


def _judgement(plan: Settings) -> Iterator[Problem]:
    if not plan.is_measured:
        return
    if len(set(plan.judged)) < len(plan.judged):
        yield Problem("policies", "“policies” names a policy twice.")
    for name in plan.judged:
        if not plan.has(name):
            if name == "base" and plan.needs_base:
                continue  # it is pretrained for the judgement
            yield Problem("policies", f"The round has no policy {name}: make it, or choose a checkpoint for it.")
    if "judge" in plan.run and not LEAST_JUDGED <= len(plan.judged) <= MOST_JUDGED:
        yield Problem(
            "policies",
            f"{len(plan.judged)} policies are up for judgement; labelers compare {LEAST_JUDGED} to {MOST_JUDGED}.",
        )
    if "evaluate" in plan.run and not plan.judged:
        yield Problem("policies", "There is no policy to measure.")


def _wishes(plan: Settings) -> Iterator[Problem]:
    bounds = {"targets": ("labels", "interval"), "budget": ("labels", "hours")}
    for name, names in bounds.items():
        for key, value in getattr(plan, name).items():
            if key not in names:
                yield Problem(name, f"“{name}” has no setting “{key}”; there are {', '.join(names)}.")
            elif not (whole(value) if key == "labels" else _number(value)) or value <= 0:
                yield Problem(f"{name}.{key}", f"{key} of the {name} is {value!r}; it must be a number above 0.")
            elif key == "interval" and value >= 1:
                yield Problem("targets.interval", f"The interval wished for is {value!r}; it is less than 1.")


def _specs(plan: Settings) -> Iterator[Problem]:
    allowed = {*plan.recipes, *(("score",) if plan.is_chosen else ())}
    for name in plan.recipes:
        if not isinstance(plan.specs.get(name), Mapping):
            yield Problem(f"specs.{name}", f"The round's specs lack “{name}”.")
    for name, spec in plan.specs.items():
        if name not in allowed:
            yield Problem("specs", f"The round has no stage for the spec “{name}”.")
        elif isinstance(spec, Mapping):
            yield from _spec(name, spec)
    sample = plan.specs.get("sample")
    if isinstance(sample, Mapping) and "samples_per_prompt" in sample:
        yield Problem(
            "specs.sample",
            "samples_per_prompt follows from k and rankings_per_prompt; leave it out of the sample spec.",
        )
    if isinstance(sample, Mapping) and "samples_by_policy" in sample:
        yield Problem("specs.sample", "samples_by_policy follows from sample_from; leave it out of the sample spec.")
    ptx, ppo = plan.specs.get("ppo_ptx"), plan.specs.get("ppo")
    if isinstance(ptx, Mapping) and not ptx.get("ptx_coef"):
        yield Problem(
            "specs.ppo_ptx.ptx_coef",
            "The spec of ppo_ptx needs a ptx_coef above 0; without it it would be plain PPO.",
        )
    if isinstance(ppo, Mapping) and ppo.get("ptx_coef"):
        yield Problem("specs.ppo.ptx_coef", "The spec of ppo has a ptx_coef; plain PPO mixes in no pretraining.")


def _spec(name: str, spec: Mapping[str, Any]) -> Iterator[Problem]:
    recipe = "ppo" if name == "ppo_ptx" else name
    try:
        spec_from_dict(recipe, spec)
    except SpecError as error:
        # The sentence names the setting, bare or in quotes: the first word that is one.
        named = {one.name for one in fields(SPECS[recipe])}
        word = next((word for word in re.findall(r"\w+", str(error)) if word in named), "")
        yield Problem(f"specs.{name}.{word}".rstrip("."), f"The spec of {name}: {error}")


def whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _texts(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(one, str) for one in value)


def _policies(value: object) -> bool:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return False
    return all(one in POLICIES if isinstance(one, str) else whole(one) for one in value)


def _shares(value: object) -> bool:
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        return False
    return all(
        isinstance(row, Mapping)
        and set(row) == {"checkpoint", "samples"}
        and (row["checkpoint"] is None or whole(row["checkpoint"]))
        and whole(row["samples"])
        and row["samples"] >= 1
        for row in value
    )
