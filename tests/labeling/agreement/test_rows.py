"""What the columns say of rankings that were sent in through the labelers' doors."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from django.utils import timezone

from labeling.agreement.labels import Labels
from labeling.agreement.rows import Filters, listed, read
from labeling.models import Cohort, Completion, Kind, Labeler, Prompt, Ranking, UseCase
from labeling.queue import dispatch
from labeling.rankings.remarks import Remarks
from labeling.rankings.submit import correct, submit
from tests.labeling.agreement.overlap import claimed, rank, ranked_by
from tests.work import make_batch, make_completions, make_prompts, make_sampling_run, ranking_work

pytestmark = pytest.mark.django_db


def labels(filters: Filters | None = None) -> Labels:
    filters = filters or Filters()
    return read(filters, listed(filters))


def version() -> str:
    return listed(Filters()).version


def test_places_ratings_and_flags_stand_in_the_completions_columns(labeler: Labeler, second_labeler: Labeler) -> None:
    ranking_work(1, need=2)
    rank(labeler, [1, 2, 2, 3], Remarks(ratings={1: 7, 4: 2}, flags={2: ["sexual", "fails-task"]}))
    rank(second_labeler, [4, 3, 2, 1])
    found = labels()
    assert found.labelers.tolist() == [labeler.pk, second_labeler.pk]
    assert found.rankings.item.tolist() == [0, 0]
    assert found.rankings.labeler.tolist() == [0, 1]
    assert found.rankings.places.tolist() == [[1, 2, 2, 3], [4, 3, 2, 1]]
    assert found.ratings.tolist() == [[7, 0, 0, 2], [0, 0, 0, 0]]
    bits = {key: 1 << at for at, key in enumerate(found.flag_keys)}
    assert found.flags.tolist() == [[0, bits["sexual"] | bits["fails-task"], 0, 0], [0] * 4]
    assert found.asked.tolist() == [(1 << 11) - 1] * 2
    assert found.completions.tolist() == [sorted(Completion.objects.values_list("pk", flat=True))]


def test_items_of_one_labeler_are_listed_and_not_read(labeler: Labeler, second_labeler: Labeler) -> None:
    ranking_work(2, need=2)
    rank(labeler, [1, 2, 3, 4])
    rank(labeler, [1, 2, 3, 4])
    rank(second_labeler, [1, 2, 3, 4])
    assert len(listed(Filters()).about["id"]) == 3
    assert len(labels().rankings.item) == 2


def test_identical_samples_are_one_completion(labeler: Labeler, second_labeler: Labeler) -> None:
    """They share a card; blanks at the ends do not tell them apart."""
    ranking_work(1, need=2, texts=("same", "other", " same\n", "third"))
    for person in (labeler, second_labeler):
        submit(person, claimed(person).pk, {1: 1, 2: 1, 3: 2})
    columns = labels().rankings.places
    texts = list(Completion.objects.order_by("pk").values_list("text", flat=True))
    assert texts[2].strip() == texts[0]
    assert columns[:, 2].tolist() == [0, 0]
    assert (columns[:, [0, 1, 3]] > 0).all()


def test_different_texts_that_everybody_ties_stay(labeler: Labeler, second_labeler: Labeler) -> None:
    ranked_by(ranking_work(1, need=2), (labeler, [[1, 1, 2, 3]]), (second_labeler, [[1, 1, 3, 2]]))
    assert labels().rankings.places.tolist() == [[1, 1, 2, 3], [1, 1, 3, 2]]


def test_nothing_is_read_from_an_empty_database() -> None:
    found = labels()
    assert found.rankings.places.shape == (0, 0)
    assert len(found.items) == len(found.labelers) == 0


@pytest.fixture
def three_items(labeler: Labeler, second_labeler: Labeler, held_out_labeler: Labeler) -> list[int]:
    """Two items of a training batch, one of a held-out one whose second ranking is missing."""
    batch = ranking_work(2, need=2)
    ranked_by(batch, *((person, [[1, 2, 3, 4]] * 2) for person in (labeler, second_labeler)))
    held_out, [prompt] = make_batch(Kind.RANK, Cohort.HELD_OUT), make_prompts(1, start=50)
    made = make_completions(make_sampling_run("another"), prompt, ("one", "two", "three", "four"))
    dispatch.add_ranking_items(held_out, [(prompt, made)], need=2)
    rank(held_out_labeler, [1, 2, 3, 4])
    return [batch.pk, held_out.pk]


def ids(filters: Filters) -> int:
    return len(listed(filters).about["id"])


def test_filters(three_items: list[int]) -> None:
    training, held_out = three_items
    prompt = Prompt.objects.filter(items__batch=training).order_by("pk").first()
    assert prompt is not None
    Prompt.objects.filter(pk=prompt.pk).update(use_case=UseCase.CHAT)
    Ranking.objects.filter(item__batch=held_out).update(created_at=datetime(2020, 5, 4, 23, 59, tzinfo=UTC))
    assert ids(Filters()) == 5
    assert ids(Filters(use_case="chat")) == 2
    assert ids(Filters(batch=training)) == 4
    assert ids(Filters(cohort="held_out")) == 1
    assert ids(Filters(purpose="training")) == 5
    assert ids(Filters(purpose="evaluation")) == 0
    assert ids(Filters(round=1)) == 0
    assert ids(Filters(until=date(2020, 5, 4))) == 1
    assert ids(Filters(until=date(2020, 5, 3))) == 0
    assert ids(Filters(since=date(2020, 5, 5))) == 4
    assert ids(Filters(batch=training, use_case="chat", cohort="training")) == 2
    assert len(labels(Filters(use_case="chat")).rankings.item) == 2
    assert len(labels(Filters(batch=training, since=date(2020, 5, 5))).rankings.item) == 4
    assert len(labels(Filters(cohort="held_out")).rankings.item) == 0


def test_the_version_changes_with_whatever_the_figures_rest_on(
    three_items: list[int], labeler: Labeler, second_labeler: Labeler
) -> None:
    seen = [version()]
    assert version() == seen[0]

    def changed() -> None:
        seen.append(version())
        assert len(set(seen)) == len(seen)

    ranking = Ranking.objects.filter(labeler=labeler).latest("pk")
    correct(labeler, ranking.assignment_id, {1: 4, 2: 3, 3: 2, 4: 1})
    changed()
    correct(labeler, ranking.assignment_id, {1: 1, 2: 1, 3: 1, 4: 1})
    changed()
    Prompt.objects.filter(pk=ranking.item.the_prompt.pk).update(use_case=UseCase.REWRITE)
    changed()
    ranked_by(ranking_work(1, need=1), (second_labeler, [[1, 2, 3, 4]]))
    changed()


def test_when_it_was_made_is_seconds_since_1970(labeler: Labeler, second_labeler: Labeler) -> None:
    ranked_by(ranking_work(1, need=2), (labeler, [[1, 2, 3, 4]]), (second_labeler, [[1, 2, 3, 4]]))
    made = labels().about["made"]
    assert np.abs(made - timezone.now().timestamp()).max() < timedelta(minutes=5).total_seconds()
