"""Cross-validation over labelers: figures that can be worked out by hand, or that other doors give as well."""

import signal
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.training.recipes import by_hand
from tests.training.recipes.test_resume import assert_same, start, times, wait_until
from tests.training.recipes.world import COLORS, World, curves, finish, prompts, state_of
from training.contract.status import read_status
from training.rlhf.labeler_folds import draw_prompts, labeler_groups

SPEC = {"epochs": 4, "batch_size": 8, "lr": 1e-2, "threads": 1}
FORMS = ("The {}.", "I like the {}.", "About the {}.", "red {}", "blue {}")  # labeler i likes the i-th best
NONSENSE = "is is is"  # and nobody likes this


def opinions(count: int) -> list[dict[str, Any]]:
    """Every prompt is ranked by five labelers: each puts a form of its own first, and all put the nonsense last."""
    rows = []
    for i, prompt in enumerate(prompts(count)):
        thing = list(COLORS)[i % len(COLORS)]
        completions = [*(form.format(thing) for form in FORMS), NONSENSE]
        for likes in range(len(FORMS)):
            ranks = [1 if form == likes else 2 for form in range(len(FORMS))] + [3]
            rows.append(
                prompt
                | {"ranking_id": f"r{i}-{likes}", "labeler": f"l{likes}", "cohort": "training"}
                | {"completions": completions, "ranks": ranks}
            )
    return rows


def lay_out(world: World, run_id: str, rows: Sequence[Mapping[str, Any]], seed: int = 1, **spec: Any) -> Path:
    people = {"rankings": world.dataset("opinions", "rankings", rows)}
    return world.run(run_id, "labeler_cv", SPEC | spec, people, {"policy": "sft"}, seed)


def test_what_is_common_is_learned_from_others_and_what_is_ones_own_is_not(world: World) -> None:
    """Five groups of one labeler, three seeds; accuracies by hand, for a model that has learned its labelers' rankings.

    A ranking has 9 pairs: the liked form against 4 others, and 5 forms against the nonsense. The 5 are known to all.
    Of the 4, the left-out labeler's are all wrong, since nobody else ever liked that form: held out 5/9. For a labeler
    inside, the left-out form is rightly below; against the 3 other forms that somebody likes, the model has one order
    for all, which is right in half of the pairs: within (5 + 1 + 1.5) / 9.
    """
    folder = lay_out(world, "cv", opinions(30), epochs=6)
    result = finish("labeler_cv", folder)
    rows = curves(folder)
    assert [(row["step"], row["fold"], row["seed"]) for row in rows] == [
        (3 * fold + seed, fold + 1, seed) for fold in range(5) for seed in (1, 2, 3)
    ]
    assert result["within_accuracy"] == pytest.approx(7.5 / 9, abs=0.02)
    assert result["held_out_accuracy"] == pytest.approx(5 / 9, abs=0.02)
    assert result["held_out_accuracy_se"] < 0.02
    assert (result["labelers"], result["prompts"], result["comparisons"]) == (5, 30, 30 * 5 * 9)
    assert not (folder / "checkpoint").exists()


@pytest.mark.parametrize("name", ["within_accuracy", "held_out_accuracy"])
def test_the_figures_are_means_over_seeds_then_folds(world: World, name: str) -> None:
    folder = lay_out(world, "cv", opinions(12), folds=3, seeds=2, epochs=1)
    result = finish("labeler_cv", folder)
    means = [statistics.fmean(row[name] for row in curves(folder) if row["fold"] == fold) for fold in (1, 2, 3)]
    assert result[name] == pytest.approx(statistics.fmean(means), abs=1e-6)
    assert result[f"{name}_se"] == pytest.approx(statistics.stdev(means) / 3**0.5, abs=1e-6)
    assert result[f"{name}_se"] > 0.001


def test_each_model_is_the_one_that_the_reward_model_recipe_trains(world: World) -> None:
    """The recipe, on the same rankings and with the same seed; its checkpoint's scores by plain transformers."""
    rows = opinions(12)
    spec = {"epochs": 1, "batch_size": 4, "lr": 1e-2}
    folder = lay_out(world, "cv", rows, seed=5, folds=3, seeds=2, **spec)
    finish("labeler_cv", folder)
    [cell] = [row for row in curves(folder) if (row["fold"], row["seed"]) == (2, 6)]
    group_of = labeler_groups({row["labeler"] for row in rows}, 3, seed=5)
    kept = {f"p{number}" for number in draw_prompts(12, 0.2, seed=6)}
    inside = [row for row in rows if group_of[row["labeler"]] != 1]
    inputs = {
        "rankings": world.dataset("inside", "rankings", [row for row in inside if row["prompt_id"] not in kept]),
        "demonstrations": world.dataset("people", "demonstrations", demonstration()),
    }
    model = world.run("model", "reward_model", spec, inputs, {"policy": "sft"}, seed=6)
    finish("reward_model", model)
    assert cell["loss/train"] == pytest.approx(curves(model)[-1]["loss/train"], abs=1e-6)
    within = [row for row in inside if row["prompt_id"] in kept]
    left_out = [row for row in rows if group_of[row["labeler"]] == 1 and row["prompt_id"] in kept]
    assert cell["within_accuracy"] == pytest.approx(accuracy(model / "checkpoint", within), abs=1e-9)
    assert cell["held_out_accuracy"] == pytest.approx(accuracy(model / "checkpoint", left_out), abs=1e-9)


def demonstration() -> list[dict[str, Any]]:
    (prompt,) = prompts(1)
    return [prompt | {"labeler": "l0", "cohort": "training", "demonstration_id": "d0", "completion": "The lemon."}]


def accuracy(checkpoint: Path, rows: Sequence[Mapping[str, Any]]) -> float:
    """Over all pairs that are not tied."""
    right = []
    for row in rows:
        ids = [by_hand.ids_of(checkpoint, row["prompt"], completion) for completion in row["completions"]]
        scores = by_hand.rewards(checkpoint, [before + after for before, after in ids])
        places = range(len(scores))
        right += [scores[i] > scores[j] for i in places for j in places if row["ranks"][i] < row["ranks"][j]]
    return sum(right) / len(right)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 75)])
def test_killed_or_stopped_it_goes_on_with_the_next_model(world: World, number: signal.Signals, code: int) -> None:
    """The same figures as without an accident, and no model that was measured is trained again."""
    rows = opinions(16)
    undisturbed, disturbed = (lay_out(world, run_id, rows, folds=4) for run_id in ("undisturbed", "disturbed"))
    expected = finish("labeler_cv", undisturbed)

    process = start("labeler_cv", disturbed)
    wait_until(process, disturbed, lambda: len(times(disturbed)) >= 3)
    process.send_signal(number)
    assert process.wait(timeout=60) == code
    status = read_status(disturbed / "status.json")
    assert status is not None and status["state"] == ("running" if number == signal.SIGKILL else "stopped")
    before = times(disturbed)
    saved = state_of(disturbed)["step"]
    assert 2 <= saved <= len(before) < 12
    assert finish("labeler_cv", disturbed) == expected
    assert curves(disturbed) == curves(undisturbed)
    assert_same(state_of(disturbed)["parts"], state_of(undisturbed)["parts"])
    after = times(disturbed)
    assert {step for step in before if after[step] == before[step]} == set(range(1, saved + 1))
