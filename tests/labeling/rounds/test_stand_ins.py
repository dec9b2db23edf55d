"""What the recipes of a round get where checkpoints stand in for its parts, or its samples come from several."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from labeling.exports import freeze
from labeling.guidelines.publish import ensure_first
from labeling.models import Completion, Labeler, Prompt, Round, Stage, User
from labeling.prompts import intake
from labeling.queue import dispatch
from labeling.rankings.submit import submit
from labeling.rounds import people, plan, recipes, report
from labeling.rounds.opening import open_round
from tests.labeling.rounds.test_advance import end_run
from tests.labeling.rounds.test_parts import part
from training import storage
from training.models import Checkpoint, Run, RunParent

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows() -> dict[str, Any]:
    for split, count in (("train", 6), ("valid", 2), ("test", 3)):
        intake.take_in([{"prompt": f"{split} {number}", "split": split} for number in range(count)], source="here")
    return {
        "guidelines": {purpose.value: guideline.pk for purpose, guideline in ensure_first().items()},
        "texts": freeze.freeze_texts(["A text."]).pk,
        "valid_texts": freeze.freeze_texts(["Another."]).pk,
    }


def checkpoint(name: str, kind: str = "policy") -> int:
    return Checkpoint.objects.create(name=name, kind=kind, path=name).pk


def opened(user: User, wanted: dict[str, Any]) -> tuple[Round, plan.Settings]:
    round_ = open_round(name="r", settings=wanted, seed=1, user=user)
    return round_, plan.parse(wanted)


def needs(round_: Round, settings: plan.Settings, stage: str) -> recipes.Needs:
    return recipes._needs_of(stage)(round_, settings)


def test_k_is_shared_out_among_policies(researcher: User, rows: dict[str, Any]) -> None:
    sft, other = checkpoint("sft"), checkpoint("ppo of the last round")
    wanted = part(
        "reward_model", specs=("sample", "reward_model"), instead={"sft": sft}, **rows,
        sample_from=[{"checkpoint": None, "samples": 3}, {"checkpoint": other, "samples": 1}],
    )  # fmt: skip
    found = needs(*opened(researcher, wanted), "sample")
    assert found.spec["samples_by_policy"] == {"policy": 3, "policy_2": 1}
    assert found.spec["samples_per_prompt"] == 4
    assert {role: one.pk for role, one in found.parents.items()} == {"policy": sft, "policy_2": other}


def test_ppo_starts_from_what_stands_in(researcher: User, rows: dict[str, Any]) -> None:
    stands_in = {"sft": checkpoint("sft"), "reward_model": checkpoint("rm", "reward_model")}
    wanted = part("ppo_ptx", "evaluate", specs=("ppo_ptx", "evaluate"), instead=stands_in, **rows)
    round_, settings = opened(researcher, wanted)
    found = needs(round_, settings, "ppo_ptx")
    assert {role: one.pk for role, one in found.parents.items()} == {
        "policy": stands_in["sft"],
        "reward_model": stands_in["reward_model"],
    }
    assert set(found.inputs) == {"prompts", "texts"}
    end_run_of(round_, "ppo_ptx")
    measured = needs(round_, settings, "evaluate_ppo_ptx")
    assert measured.parents["policy"].run.stage.name == "ppo_ptx"  # type: ignore[union-attr]
    assert measured.parents["reference"].pk == stands_in["sft"]


def end_run_of(round_: Round, name: str) -> None:
    stage = round_.stages.get(name=name)
    stage.run = Run.objects.create(recipe="ppo", name=name, spec={}, seed=1)
    stage.save()
    end_run(round_, name)


def test_a_policy_without_reward_model_or_reference_is_measured_on_texts_alone(
    researcher: User, rows: dict[str, Any]
) -> None:
    wanted = part("evaluate", specs=("evaluate",), policies=[checkpoint("one")], **rows)
    found = needs(*opened(researcher, wanted), f"evaluate_c{wanted['policies'][0]}")
    assert (set(found.inputs), set(found.parents)) == ({"texts"}, {"policy"})


def sampled(round_: Round, stage_name: str, prompts: list[Prompt], texts: list[str]) -> None:
    """As a sampling stage leaves its completions."""
    run = Run.objects.create(recipe="sample", name=stage_name, spec={}, seed=1, state=Run.State.DONE)
    policy = Checkpoint.objects.create(name=stage_name, kind="policy", path=f"{stage_name}-{run.pk}")
    RunParent.objects.create(run=run, role="policy", checkpoint=policy)
    round_.stages.filter(name=stage_name).update(run=run, state=Stage.State.DONE)
    for prompt in prompts:
        Completion.objects.bulk_create(
            Completion(prompt=prompt, run=run, checkpoint=policy, sample=number, text=f"{text} {prompt}", finished=True)
            for number, text in enumerate(texts)
        )


def test_two_existing_policies_are_judged_head_to_head(
    client: Client, researcher: User, held_out_labeler: Labeler, rows: dict[str, Any]
) -> None:
    """The first wins all three prompts; the round's page shows it and nothing else."""
    first, second = checkpoint("one"), checkpoint("two")
    round_, settings = opened(researcher, part("judge", specs=("sample",), policies=[first, second], **rows))
    tests = list(Prompt.objects.filter(split="test"))
    for pk, text in ((first, "good"), (second, "bad")):
        sampled(round_, f"sample_c{pk}", tests, [text])
    stage = round_.stages.get(name="judge")
    stage.batch = people.open_batch(round_, stage, settings)
    stage.save()
    while lease := dispatch.claim(held_out_labeler, "rank"):
        good = Completion.objects.get(prompt=lease.item.prompt, text__startswith="good").pk
        places = {1 + place: 1 if pk == good else 2 for place, pk in enumerate(lease.display_order)}
        submit(held_out_labeler, lease.pk, places)
    round_.stages.update(state=Stage.State.DONE)
    (won,) = report.of_round(round_)["win_rates"]
    assert (won["policy"], won["other"], won["rate"], won["prompts"]) == (f"c{first}", f"c{second}", 1.0, 3)
    client.force_login(researcher)
    assert client.get(reverse("round-detail", args=[round_.pk])).status_code == 200


def test_the_prompts_that_are_ranked_are_those_the_reward_model_doubts(researcher: User, rows: dict[str, Any]) -> None:
    """Of five sampled prompts one by chance and the one on which two heads are furthest apart; none for validation."""
    doubt = checkpoint("rm", "reward_model")
    wanted = part(
        "reward_model", specs=("sample", "reward_model"), instead={"sft": checkpoint("sft")}, **rows,
        prompts={"rank": 2, "rank_valid": 1}, mix=None, overlap=0.0,
        choose={"by": "ensemble", "pool": 5, "reward_model": doubt},
    )  # fmt: skip
    round_, settings = opened(researcher, wanted)
    prompts = list(Prompt.objects.filter(split="train").order_by("text")[:5])
    sampled(round_, "sample", [*prompts, *Prompt.objects.filter(split="valid")[:1]], ["a", "b", "c", "d"])
    asked = needs(round_, settings, "score")
    assert asked.parents["reward_model"].pk == doubt
    frozen = [json.loads(line) for line in storage.absolute(asked.inputs["completions"].path).read_text().splitlines()]
    assert len(frozen) == 5 * 4

    run = Run.objects.create(recipe="score", name="score", spec={}, seed=1, state=Run.State.DONE)
    round_.stages.filter(name="score").update(run=run)
    apart = {str(prompt.pk): far for prompt, far in zip(prompts, (0.1, 2.0, 0.2, 0.3, 0.1), strict=True)}
    folder = storage.run_folder(run.pk)
    folder.mkdir(parents=True)
    said = [{**row, "reward": 0.0, "spread": 0.0, "head_rewards": heads(row, apart)} for row in frozen]
    (folder / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in said))
    batch = people.open_batch(round_, round_.stages.get(name="rank"), settings)
    chosen = {item.prompt for item in batch.items.all()}
    assert len(chosen) == 2
    assert prompts[1] in chosen
    assert chosen <= set(prompts)


def heads(row: dict[str, Any], apart: dict[str, float]) -> list[float]:
    """Two heads that order the samples a, b, c, d the opposite way, by as much as is said of the prompt."""
    reward = apart[row["prompt_id"]] * "abcd".index(row["completion"].strip()[0])
    return [reward, -reward]


def test_a_checkpoint_of_the_wrong_kind_cannot_stand_in(researcher: User, rows: dict[str, Any]) -> None:
    from labeling.errors import BadInput

    policy = checkpoint("policy")
    wanted = part("ppo_ptx", specs=("ppo_ptx",), instead={"sft": policy, "reward_model": policy}, **rows)
    with pytest.raises(BadInput) as refused:
        open_round(name="r", settings=wanted, seed=1, user=researcher)
    assert "no reward model's checkpoint" in refused.value.sentence
    assert not Round.objects.exists()
