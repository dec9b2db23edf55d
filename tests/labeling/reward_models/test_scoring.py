"""A scoring is queued once, of what is held out; its rewards find their completions again."""

import json
from typing import Any

import pytest

from labeling.errors import BadInput, Conflict
from labeling.exports import exclude, freeze
from labeling.models import Batch, Export, Labeler, Ranking, User
from labeling.reward_models import scored, scoring
from tests.labeling.adjudication.test_decide import all_at_once
from tests.labeling.agreement.overlap import rank, ranked_by
from tests.labeling.figures.world import prompts
from tests.labeling.reward_models.conftest import TEXTS, finish, work
from tests.people import make_labeler
from training import storage
from training.contract.rows import read_rows
from training.models import Checkpoint, Run, RunInput


def rows_of(run: Run) -> list[dict[str, Any]]:
    [entry] = run.inputs.select_related("dataset")
    return read_rows(storage.absolute(entry.dataset.path), entry.dataset.kind)


@pytest.mark.django_db
def test_what_is_held_out_is_queued(proxy: Checkpoint, ranked: Batch, labeler: Labeler) -> None:
    trained_on = work(prompts(2, "train"))
    ranked_by(trained_on, (make_labeler("hugo", labeler_cohort()), [[1, 2, 3, 4]] * 2))
    run = scoring.score(proxy)
    assert (run.recipe, run.state) == ("score", Run.State.QUEUED)
    assert [(one.role, one.checkpoint) for one in run.parents.all()] == [("reward_model", proxy)]
    rows = rows_of(run)
    assert len(rows) == 6 * 4 and {row["completion"] for row in rows} == set(TEXTS)
    assert Export.objects.get(dataset__uses__run=run).filters["checkpoint"] == proxy.pk


def labeler_cohort() -> Any:
    from labeling.models import Cohort

    return Cohort.HELD_OUT


@pytest.mark.django_db
def test_settings_of_the_training_are_taken_over(proxy: Checkpoint, ranked: Batch) -> None:
    Run.objects.filter(pk=proxy.run_id).update(spec={"lr": 1e-5, "max_prompt_tokens": 77, "precision": "bf16"})
    proxy.refresh_from_db()
    assert scoring.score(proxy).spec == {"max_prompt_tokens": 77, "precision": "bf16"}


@pytest.mark.django_db
def test_prompts_that_it_learned_from_are_left_out(proxy: Checkpoint, ranked: Batch) -> None:
    """A model that was trained by hand on validation rankings must not be praised for them."""
    learned = freeze.freeze_rankings(Ranking.objects.filter(item__in=ranked.items.order_by("pk")[:4]))
    RunInput.objects.create(run_id=proxy.run_id, name="rankings", dataset=learned)
    assert len({row["prompt_id"] for row in rows_of(scoring.score(proxy))}) == 2


@pytest.mark.django_db
def test_nothing_to_score_is_said(proxy: Checkpoint, researcher: User) -> None:
    with pytest.raises(BadInput, match="nobody has ranked"):
        scoring.score(proxy)
    assert not Run.objects.filter(recipe="score").exists()
    assert not list(storage.absolute("datasets").glob("completions-*"))
    with pytest.raises(BadInput, match="is a policy"):
        scoring.score(Checkpoint.objects.get(name="sft"))


@pytest.mark.django_db
def test_rewards_find_their_completions(proxy: Checkpoint, scored_run: Run) -> None:
    found = scored.read(proxy)
    assert found is not None
    assert (len(found.scored), found.waiting, found.later) == (6, 0, 0)
    for one in found.scored:
        assert one.texts == tuple(TEXTS)
        assert one.rewards == pytest.approx([len(text) / 5 for text in TEXTS])
    assert [one.places for one in found.scored] == [(1, 2, 3, 4)] * 5 + [(4, 3, 2, 1)]


@pytest.mark.django_db
def test_what_came_after_the_scoring_is_told_apart(proxy: Checkpoint, ranked: Batch, held_out_labeler: Labeler) -> None:
    second = work(prompts(1, "valid", "shared "), need=2)
    rank(held_out_labeler, [1, 2, 3, 4])
    finish(scoring.score(proxy))
    other = make_labeler("hugo", labeler_cohort())
    rank(other, [4, 3, 2, 1])  # known completions
    work(prompts(1, "valid", "new "))
    rank(held_out_labeler, [1, 2, 3, 4])  # completions without a reward
    found = scored.read(proxy)
    assert found is not None
    assert (len(found.scored), found.waiting, found.later) == (8, 1, 1)
    assert second.items.get().pk in {one.item for one in found.scored}


@pytest.mark.django_db
def test_labelers_who_are_left_out_are_left_out(
    proxy: Checkpoint, scored_run: Run, held_out_labeler: Labeler, researcher: User
) -> None:
    exclude.exclude(held_out_labeler, "They clicked blindly.", researcher)
    found = scored.read(proxy)
    assert found is not None and found.scored == []


@pytest.mark.django_db
def test_a_file_that_is_gone_or_broken_is_no_scoring(proxy: Checkpoint, scored_run: Run) -> None:
    path = storage.run_folder(scored_run.pk) / "samples.jsonl"
    path.write_text(json.dumps({"broken": True}) + "\n")
    assert scored.read(proxy) is None
    path.unlink()
    assert scored.read(proxy) is None


@pytest.mark.django_db
def test_identical_texts_stand_once(proxy: Checkpoint, held_out_labeler: Labeler) -> None:
    work_of_twins = work(prompts(1, "valid"))
    completions = list(work_of_twins.items.get().completions.order_by("pk"))
    rank(held_out_labeler, [2, 1, 3, 4])
    type(completions[0]).objects.filter(pk=completions[1].pk).update(text=completions[0].text + " ")
    finish(scoring.score(proxy))
    found = scored.read(proxy)
    assert found is not None
    assert found.scored[0].places == (1, 3, 4) and found.scored[0].k == 3


@pytest.mark.django_db(transaction=True)
def test_of_two_clicks_at_once_one_queues_a_run(proxy: Checkpoint, ranked: Batch) -> None:
    answers = all_at_once([lambda: scoring.score(proxy)] * 4)
    assert sum(isinstance(answer, Run) for answer in answers) == 1
    assert sum(isinstance(answer, Conflict) for answer in answers) == 3
    assert Run.objects.filter(recipe="score").count() == 1
