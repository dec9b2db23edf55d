"""What a score run says, found again by completion."""

import json
from pathlib import Path

import pytest

from labeling.errors import BadInput, Conflict
from labeling.exports.freeze import freeze_completions
from labeling.models import Cohort, Completion, Kind, Labeler, Prompt, Round, Stage, User
from labeling.prompts import intake
from labeling.queue import dispatch
from labeling.rankings import submit as rankings
from labeling.rankings.cards import cards
from labeling.rounds import scored
from tests.work import make_completions, make_prompts, make_sampling_run, ranking_work
from training import storage
from training.contract.rows import read_rows
from training.models import Run

pytestmark = pytest.mark.django_db


def score_run(rows: list[dict], state: str = Run.State.DONE) -> Run:
    """A run whose recipe wrote these rows."""
    run = Run.objects.create(recipe="score", name="scores", spec={}, seed=1, state=state)
    folder: Path = storage.run_folder(run.pk)
    folder.mkdir(parents=True)
    (folder / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return run


def frozen_rows() -> list[dict]:
    dataset = freeze_completions(Completion.objects.all())
    return read_rows(storage.absolute(dataset.path), "completions")


def test_two_runs_samples_of_one_prompt_are_told_apart() -> None:
    """Both have a sample 0: the rows go by the completions' ids, through the file and back."""
    [prompt] = make_prompts(1)
    first = make_completions(make_sampling_run("first"), prompt, ["two", ""])
    second = make_completions(make_sampling_run("second"), prompt, ["three"])
    rows = frozen_rows()
    assert [(row["prompt"], row["sample"], row["completion"]) for row in rows] == [
        ("What is 0 plus one?", 0, "two"),
        ("What is 0 plus one?", 1, ""),
        ("What is 0 plus one?", 0, "three"),
    ]
    run = score_run([row | {"head_rewards": [number, -0.5]} for number, row in enumerate(rows)])
    assert scored.rewards(run) == {first[0].pk: [0.0, -0.5], first[1].pk: [1.0, -0.5], second[0].pk: [2.0, -0.5]}


def test_nothing_to_score_is_a_sentence() -> None:
    with pytest.raises(BadInput):
        freeze_completions(Completion.objects.none())


def test_scores_that_cannot_be_used_are_a_sentence() -> None:
    [prompt] = make_prompts(1)
    make_completions(make_sampling_run(), prompt, ["two"])
    [row] = frozen_rows()
    with pytest.raises(BadInput) as refused:
        scored.rewards(score_run([row]))
    assert "head by head" in refused.value.sentence
    foreign = {name: value for name, value in row.items() if name != "completion_id"}
    with pytest.raises(BadInput):
        scored.rewards(score_run([foreign | {"head_rewards": [1.0]}]))
    with pytest.raises(BadInput) as refused:
        scored.rewards(Run.objects.create(recipe="score", name="gone", spec={}, seed=1, state=Run.State.DONE))
    assert "cannot be read" in refused.value.sentence
    with pytest.raises(Conflict):
        scored.rewards(score_run([row], Run.State.RUNNING))


def test_rankings_come_with_the_mean_reward_of_what_they_order(labeler: Labeler) -> None:
    """Nothing that has no reward, and a completion's mean over its heads beside the place it was given."""
    ranking_work(1, texts=("a", "b", "c", "d"))
    lease = dispatch.claim(labeler, Kind.RANK)
    place_of = {"a": 2, "b": 1, "c": 4, "d": 3}
    rankings.submit(labeler, lease.pk, {card.number: place_of[card.text] for card in cards(lease)})
    of = {one.text: one.pk for one in Completion.objects.all()}
    rewards = {of["a"]: [1.0, 3.0], of["b"]: [0.0, 0.0], of["c"]: [-1.0, -2.0]}
    [found] = scored.ranked(rewards)
    assert sorted(found) == [(-1.5, 4), (0.0, 1), (2.0, 2)]
    assert scored.ranked({}) == []


@pytest.fixture
def sampled(researcher: User) -> Round:
    """A round that has sampled four answers to each of three train prompts, and to one for validation."""
    round_ = Round.objects.create(name="now", settings={}, seed=5, created_by=researcher)
    run = make_sampling_run("of the round")
    Stage.objects.create(round=round_, name="sample", position=1, run=run)
    intake.take_in([{"prompt": "Held out?", "split": "valid"}], source="test")
    for prompt in [*make_prompts(3), Prompt.objects.get(split="valid")]:
        make_completions(run, prompt, "abcd")
    return round_


def groups_of(round_: Round) -> list[scored.Group]:
    prompts = Prompt.objects.filter(split="train", completions__run__stage__round=round_).distinct().order_by("text")
    return [(one, list(one.completions.filter(run__stage__round=round_).order_by("pk"))) for one in prompts]


def ended(round_: Round, heads: dict[int, list[float]], state: str = Run.State.DONE) -> None:
    """The stage `score`, whose recipe said this of the completions."""
    dataset = freeze_completions(scored.to_score(round_))
    rows = read_rows(storage.absolute(dataset.path), "completions")
    run = score_run([row | {"head_rewards": heads[int(row["completion_id"])]} for row in rows], state)
    Stage.objects.create(round=round_, name="score", position=2, run=run)


@pytest.fixture
def ranked_before(researcher: User, held_out_labeler: Labeler) -> list[Completion]:
    """Of two validation items of an earlier round one was ranked: its completions, the best first."""
    earlier = Round.objects.create(name="before", settings={}, seed=1, created_by=researcher)
    batch = ranking_work(2, cohort=Cohort.HELD_OUT, texts=("one", "two", "three", "four"))
    Stage.objects.create(round=earlier, name="rank_valid", position=1, batch=batch)
    lease = dispatch.claim(held_out_labeler, Kind.RANK)
    place_of = {"one": 1, "two": 2, "three": 3, "four": 4}
    rankings.submit(held_out_labeler, lease.pk, {card.number: place_of[card.text] for card in cards(lease)})
    return sorted(lease.item.completions.all(), key=lambda one: place_of[one.text])


def test_the_pool_is_scored_and_what_held_out_labelers_ranked_before(
    ranked_before: list[Completion], sampled: Round
) -> None:
    """Not the samples for validation, and not what nobody has ranked in the earlier round."""
    found = scored.to_score(sampled)
    train = Completion.objects.filter(run__stage__round=sampled, prompt__split="train")
    assert {one.pk for one in found} == {one.pk for one in [*train, *ranked_before]}
    assert len(found) == 12 + 4


def test_the_closest_calls_of_the_pool_are_chosen(sampled: Round) -> None:
    """One of three prompts by chance at most: of two, the one where the heads see no difference comes last."""
    groups = groups_of(sampled)
    apart = {0: 9.0, 1: 0.0, 2: 0.5}
    heads = {
        one.pk: [place * apart[number]] * 2
        for number, (_, completions) in enumerate(groups)
        for place, one in enumerate(completions)
    }
    ended(sampled, heads)
    lucky, *rest = scored.choose(sampled, groups, "labelers", 3)
    expected = [groups[1], groups[2], groups[0]]
    assert rest == [group for group in expected if group != lucky]
    assert len(scored.choose(sampled, groups, "random", 2)) == 2


def test_nothing_is_chosen_before_it_is_scored(sampled: Round) -> None:
    groups = groups_of(sampled)
    ended(sampled, {one.pk: [1.0, 2.0] for _, completions in groups for one in completions}, Run.State.RUNNING)
    with pytest.raises(Conflict):
        scored.choose(sampled, groups, "ensemble", 2)


def test_rewards_are_held_against_what_labelers_said(
    ranked_before: list[Completion], sampled: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reward model that turned their order around is none to choose by: to it all prompts are the same.

    Its heads disagree on no pair of the first prompt's completions, on three of the second's, and on all of the
    third's.
    """
    monkeypatch.setattr(scored, "LEAST", 1)
    groups = groups_of(sampled)
    apart = [(0, 0, 0, 0), (0, 0, 0, 1), (0, 1, 2, 3)]
    heads = {
        one.pk: [float(apart[number][place]), 0.0]
        for number, (_, completions) in enumerate(groups)
        for place, one in enumerate(completions)
    }
    ended(sampled, heads | {one.pk: [float(place)] * 2 for place, one in enumerate(ranked_before)})
    assert scored.choose(sampled, groups, "ensemble", 3) == scored.choose(sampled, groups, "random", 3)
    right = {one.pk: [-float(place)] * 2 for place, one in enumerate(ranked_before)}
    sampled.stages.get(name="score").delete()
    ended(sampled, heads | right)
    lucky, *rest = scored.choose(sampled, groups, "ensemble", 3)
    assert rest == [group for group in reversed(groups) if group != lucky]
