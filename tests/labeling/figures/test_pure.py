"""Sizes, preferences, remarks and the alignment tax, by hand; safetensors writes the weights that are counted."""

import json
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from safetensors.numpy import save_file

from labeling.figures import remarks, sizes, tax
from labeling.figures.judged import Judged, Said
from labeling.figures.policies import BASE, PPO, PPO_PTX, SFT, Policy
from labeling.figures.preference import preferences, score
from tests.labeling.figures.world import write_weights


def test_parameters_are_counted_in_whole_and_split_weights(tmp_path: Path) -> None:
    whole, split = tmp_path / "whole", tmp_path / "split"
    whole.mkdir()
    split.mkdir()
    first, second = {"a": np.zeros((3, 5), np.float32), "bias": np.zeros(())}, {"b": np.zeros((2, 7), np.float16)}
    save_file(first | second, whole / "model.safetensors", metadata={"format": "pt"})
    save_file(first, split / "model-1.safetensors")
    save_file(second, split / "model-2.safetensors")
    index = {"weight_map": {"a": "model-1.safetensors", "bias": "model-1.safetensors", "b": "model-2.safetensors"}}
    (split / "model.safetensors.index.json").write_text(json.dumps(index))
    assert sizes.parameters(whole) == sizes.parameters(split) == 15 + 1 + 14


def test_weights_that_are_not_there_or_torn_have_no_size(tmp_path: Path) -> None:
    assert sizes.parameters(tmp_path) is None
    write_weights(tmp_path, w=(10, 10))
    assert sizes.parameters(tmp_path) == 100
    (tmp_path / "model.safetensors").write_bytes(b"\x07")
    assert sizes.parameters(tmp_path) is None


def one(
    prompt: str, places: dict[int, list[int]], cohort: str = "held_out", flags: str = "", rating: int = 4
) -> Judged:
    said = tuple(
        Said(policy, place, rating, tuple(flags.split())) for policy, all_of in places.items() for place in all_of
    )
    return Judged(1, 1, prompt, "chat", "here", cohort, 9, said)


def test_a_tie_is_half_and_several_completions_are_averaged() -> None:
    judged = one("p", {1: [1, 3], 2: [2], 3: [2]})
    assert score(judged.said, 1, 2) == 0.5
    assert score(judged.said, 2, 3) == 0.5
    assert score(judged.said, 1, 8) is None


def test_preference_is_by_prompt_and_by_cohort() -> None:
    rows = [one(str(at), {1: [1], 2: [2]}) for at in range(6)]
    rows += [one("0", {1: [2], 2: [1]}, "training"), one("1", {1: [1], 2: [1]}, "training")]
    [whole] = preferences(rows, [2])
    assert (whole.checkpoint, whole.baseline) == (1, 2)
    assert whole.share.value == pytest.approx(6.5 / 8)
    assert (whole.share.prompts, whole.share.answers) == (6, 8)
    assert whole.share.low is not None and whole.share.low <= 6.5 / 8
    held_out, training = preferences(rows, [2], cohorts=True)
    assert (held_out.cohort, held_out.share.value) == ("held_out", 1.0)
    assert training.share.value == 0.25
    assert training.share.low is None and "fewer than 5 prompts" in training.share.why


def test_flags_are_counted_where_they_were_asked() -> None:
    rows = [one("a", {1: [1]}, flags="sexual"), one("b", {1: [1]}), one("c", {1: [1]})._replace(rubric=None)]
    found = {remark.flag: remark.share for remark in remarks.flags(rows, {9: ("sexual", "opinion")})}
    assert found["sexual"].value == 0.5 and found["sexual"].answers == 2
    assert found["opinion"].value == 0.0
    [rating] = remarks.ratings([*rows, one("d", {1: [1]}, rating=7)])
    assert rating.share.value == pytest.approx((3 * 4 + 7) / 4)


def policy(pk: int, kind: str, root: int = 1) -> Policy:
    return Policy(pk, f"{kind}{pk}", kind, 100, uuid4(), root)


def result(policy: int, texts: int = 5, asked: str = "x", **numbers: float) -> tax.Result:
    return tax.Result(
        uuid4(), policy, {name.replace("__", "/"): value for name, value in numbers.items()}, texts, asked
    )


def test_the_tax_is_against_the_base_of_the_same_line_on_the_same_data() -> None:
    known = {1: policy(1, BASE), 2: policy(2, SFT), 3: policy(3, PPO), 4: policy(4, PPO_PTX), 9: policy(9, SFT, root=8)}
    found = tax.compare(
        [
            result(1, lm_loss=9.9),  # measured again below: the newest holds
            result(3, lm_loss=2.5, squad__f1=0.50, squad__f1_stderr=0.03),
            result(1, lm_loss=2.0, squad__f1=0.70, squad__f1_stderr=0.04),
            result(2, lm_loss=2.2, texts=6),  # other text
            result(4, lm_loss=2.1),
            result(9, lm_loss=1.0),  # another line, alone
        ],
        known,
    )
    assert [(task.name, task.lower_is_better) for task in found] == [("lm_loss", True), ("squad/f1", False)]
    loss, squad = found
    assert [(line.policy.kind, line.value) for line in loss.measured] == [(BASE, 2.0), (PPO, 2.5), (PPO_PTX, 2.1)]
    assert [line.tax for line in loss.measured] == [None, pytest.approx(0.5), pytest.approx(0.1)]
    assert loss.measured[1].low is None and "no standard error" in loss.measured[1].why
    ppo = squad.measured[1]
    assert ppo.tax == pytest.approx(0.2)
    assert (ppo.low, ppo.high) == pytest.approx((0.5 - 1.96 * 0.03, 0.5 + 1.96 * 0.03), abs=1e-4)
    assert (ppo.tax_low, ppo.tax_high) == pytest.approx((0.2 - 1.96 * 0.05, 0.2 + 1.96 * 0.05), abs=1e-4)
