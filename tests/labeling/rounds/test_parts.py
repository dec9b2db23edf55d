"""Rounds that go through a part of the loop: which stages there are, and what has to stand in for the others."""

from typing import Any

import pytest

from labeling.errors import BadInput
from labeling.rounds import plan
from tests.labeling.rounds.test_plan import SPECS, settings


def part(*run: str, specs: tuple[str, ...] = (), **changed: Any) -> dict[str, Any]:
    return settings(run=list(run), specs={name: SPECS[name] for name in specs}, **changed)


def graph(wanted: dict[str, Any]) -> dict[str, set[str]]:
    return {stage.name: set(stage.after) for stage in plan.stages(plan.parse(wanted))}


def test_demonstrations_and_sft_alone() -> None:
    assert graph(part("sft", specs=("sft",), base=7)) == {"demonstrate": set(), "sft": {"demonstrate"}}


def test_a_reward_model_from_an_existing_policy() -> None:
    wanted = part("reward_model", specs=("sample", "reward_model"), instead={"sft": 7})
    assert graph(wanted) == {
        "sample": set(),
        "rank": {"sample"},
        "rank_valid": {"sample"},
        "reward_model": {"rank", "rank_valid"},
    }


def test_ppo_from_an_existing_reward_model_has_no_gate() -> None:
    """The gate looks at the accuracy of the round's own reward model."""
    wanted = part("ppo_ptx", specs=("ppo_ptx",), instead={"sft": 7, "reward_model": 8})
    assert graph(wanted) == {"ppo_ptx": set()}


def test_ppo_waits_for_an_sft_policy_made_beside_an_existing_reward_model() -> None:
    wanted = part("sft", "ppo", specs=("sft", "ppo"), base=1, instead={"reward_model": 8})
    assert graph(wanted)["ppo"] == {"sft"}


def test_judging_existing_policies_only() -> None:
    wanted = part("judge", specs=("sample",), policies=[7, 12, "sft"], instead={"sft": 3})
    assert graph(wanted) == {
        "sample_c7": set(),
        "sample_c12": set(),
        "sample_sft": set(),
        "judge": {"sample_c7", "sample_c12", "sample_sft"},
    }


def test_an_existing_policy_is_judged_beside_this_rounds() -> None:
    stages = graph(settings(policies=["sft", "ppo_ptx", 12]))
    assert stages["judge"] == {"sample_sft", "sample_ppo_ptx", "sample_c12"}
    assert stages["evaluate_c12"] == {"reward_model"}
    assert "sample_base" not in stages
    assert "pretrain" in stages  # SFT starts from it


def test_samples_of_other_policies_need_not_wait_for_sft() -> None:
    """But the reward model does: it starts from the SFT policy."""
    stages = graph(settings(sample_from=[{"checkpoint": 5, "samples": 4}]))
    assert stages["sample"] == set()
    assert "sft" in stages["reward_model"]
    mixed = graph(settings(sample_from=[{"checkpoint": None, "samples": 3}, {"checkpoint": 5, "samples": 1}]))
    assert mixed["sample"] == {"sft"}


def test_a_chosen_pool_is_scored_before_it_is_ranked() -> None:
    stages = graph(settings(choose={"by": "ensemble", "pool": 10, "reward_model": 3}))
    assert stages["score"] == {"sample"}
    assert stages["rank"] == {"score"}
    assert stages["rank_valid"] == {"sample"}  # validation stays a random draw
    assert plan.recipe_of("score") == "score"


def test_held_stages_wait_and_others_do_not() -> None:
    stages = plan.stages(plan.parse(settings(hold=["rank", "ppo"])))
    assert {stage.name for stage in stages if stage.waits} == {"rank", "ppo"}


@pytest.mark.parametrize(
    ("bad", "name", "sentence"),
    [
        (part("reward_model", specs=("sample", "reward_model")), "instead.sft", "start from an SFT policy"),
        (part("ppo", specs=("ppo",), instead={"sft": 1}), "instead.reward_model", "PPO follows a reward model"),
        (part("requeue", specs=("sample",), instead={"sft": 1}), "run", "takes a policy trained by PPO"),
        (part("judge", specs=("sample",), policies=["sft", 4]), "policies", "has no policy sft"),
        (part("judge", specs=("sample",)), "policies", "0 policies are up for judgement"),
        (part("sft", specs=("sft", "ppo"), base=1), "specs", "no stage for the spec “ppo”"),
        (part("sft", specs=("sft",), base=1, hold=["judge"]), "hold", "no stage “judge”"),
        (part("judge", specs=("sample",), policies=[1, 2], instead={"dpo": 1}), "instead", "stand in for “dpo”"),
    ],
)
def test_what_cannot_work_is_a_sentence_and_names_the_setting(bad: dict[str, Any], name: str, sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        plan.parse(bad)
    assert sentence in refused.value.sentence
    assert [problem.name for problem in plan.problems(bad)] == [name]


def test_every_problem_is_found_at_once() -> None:
    found = plan.problems(settings(k=3, judges=0, specs={**SPECS, "sft": {"lr": -1.0}}))
    assert [problem.name for problem in found] == ["k", "judges", "specs.sft.lr"]
