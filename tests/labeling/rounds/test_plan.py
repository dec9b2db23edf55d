"""A round's settings are checked whole before anything is made."""

from typing import Any

import pytest

from labeling.errors import BadInput
from labeling.rounds import plan

SPECS: dict[str, dict[str, Any]] = {
    "pretrain": {},
    "sft": {"epochs": 2},
    "sample": {},
    "reward_model": {},
    "ppo": {},
    "ppo_ptx": {"ptx_coef": 0.5},
    "evaluate": {},
}


def settings(**changed: Any) -> dict[str, Any]:
    good: dict[str, Any] = {
        "prompts": {"demonstrate": 4, "rank": 4, "rank_valid": 2, "judge": 3, "requeue": 2},
        "guidelines": {"training": 1, "evaluation": 2},
        "texts": 1,
        "valid_texts": 2,
        "specs": SPECS,
    }
    return {**good, **changed}


def with_prompts(**changed: Any) -> dict[str, Any]:
    return settings(prompts={**settings()["prompts"], **changed})


def with_specs(**changed: Any) -> dict[str, Any]:
    return settings(specs={**SPECS, **changed})


def test_every_stage_comes_after_those_it_needs() -> None:
    names: list[str] = []
    for stage in plan.stages(plan.parse(settings())):
        assert set(stage.after) <= set(names), stage
        names.append(stage.name)
    assert len(names) == len(set(names)) == 20


def test_the_order_is_that_of_the_paper() -> None:
    """Figure 2: demonstrations, then comparisons and the reward model, then PPO; then judgement."""
    names = [stage.name for stage in plan.stages(plan.parse(settings()))]
    recipe = ["demonstrate", "sft", "sample", "rank", "reward_model", "gate", "ppo", "sample_ppo", "judge"]
    assert [name for name in names if name in recipe] == recipe


def test_with_a_base_of_ones_own_nothing_is_pretrained() -> None:
    specs = {name: spec for name, spec in SPECS.items() if name != "pretrain"}
    names = [stage.name for stage in plan.stages(plan.parse(settings(base=7, specs=specs)))]
    assert "pretrain" not in names


def test_people_have_no_recipe_and_recipes_no_people() -> None:
    for stage in plan.stages(plan.parse(settings())):
        assert bool(plan.recipe_of(stage.name)) != (plan.is_peoples(stage.name) or stage.name == "gate")


def test_decisions_are_trained_on_only_where_a_round_says_so() -> None:
    assert plan.parse(settings()).adjudicated is False
    assert plan.parse(settings(adjudicated=True)).adjudicated is True


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (settings(prompts=None), "must be an object"),
        (with_prompts(rank=0), "prompts to rank is 0"),
        (with_prompts(judge=True), "prompts to judge is True"),
        (with_prompts(demonstrate=1.5), "prompts to demonstrate is 1.5"),
        (with_prompts(rnak=3), "no setting “rnak”"),
        (settings(k=3), "4 to 9"),
        (settings(k=10), "4 to 9"),
        (settings(overlap=1.2), "between 0 and 1"),
        (settings(judges=0), "1 to 100"),
        (settings(adjudicated=1), "true or false"),
        (settings(rankings_per_prompt=0), "1 to 20"),
        (settings(texts="a"), "“texts”"),
        (settings(base="a", specs={}), "“base”"),
        (settings(colour="red"), "no setting “colour”"),
        ({key: value for key, value in settings().items() if key != "texts"}, "lacks the setting “texts”"),
        ({key: value for key, value in settings().items() if key != "specs"}, "lacks the setting “specs”"),
        (settings(run=["sft", "dpo"]), "no part “dpo”"),
        (settings(run="sft"), "must be a list"),
        (settings(run=[]), "does nothing"),
        (settings(hold=["rnak"]), "no stage “rnak”"),
        (settings(instead={"sft": 3}), "makes its own sft"),
        (settings(sample_from=[{"checkpoint": None, "samples": 2}, {"checkpoint": 5, "samples": 1}]), "K x rankings"),
        (settings(sample_from=[{"checkpoint": None, "samples": 2}] * 2), "a policy twice"),
        (settings(sample_from=[{"checkpoint": "a", "samples": 2}]), "list of objects"),
        (settings(choose={"by": "hunch"}), "not by 'hunch'"),
        (settings(choose={"by": "ensemble", "pool": 8}), "takes a reward model"),
        (settings(choose={"by": "ensemble", "pool": 3, "reward_model": 1}), "cannot be chosen of 3"),
        (settings(policies=["sft"]), "compare 2 to 9"),
        (settings(policies=["sft", "sft"]), "a policy twice"),
        (settings(policies=["sft", *range(1, 10)]), "compare 2 to 9"),
        (settings(policies=["sft", "dpo"]), "“policies” must be"),
        (settings(budget={"labels": 0}), "above 0"),
        (settings(targets={"interval": 2}), "less than 1"),
        (with_prompts(use_cases=["poems"]), "no use case “poems”"),
        (with_specs(sft=None), "lack “sft”"),
        (with_specs(sft={"epochs": -1}), "spec of sft"),
        (with_specs(sft={"epoch": 1}), "spec of sft"),
        (with_specs(dpo={}), "no stage for the spec “dpo”"),
        (with_specs(sample={"samples_per_prompt": 3}), "samples_per_prompt follows"),
        (with_specs(ppo_ptx={}), "ptx_coef above 0"),
        (with_specs(ppo={"ptx_coef": 0.5}), "plain PPO"),
    ],
)
def test_bad_settings_are_refused_with_a_sentence(bad: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        plan.parse(bad)
    assert sentence in refused.value.sentence
