"""A round trains on what labelers said, or on decisions where its settings say so."""

import json

import pytest

from labeling.adjudication import decide
from labeling.models import Labeler, Ranking, Round, User
from labeling.rounds import recipes
from tests.labeling.agreement.overlap import ranked_by
from tests.work import ranking_work
from training import storage

pytestmark = pytest.mark.django_db


@pytest.fixture
def decided(round_: Round, researcher: User, labeler: Labeler, second_labeler: Labeler) -> Round:
    """Its stage of rankings: one item, two labelers who order it the other way round, the first one found right."""
    batch = ranking_work(1, need=2)
    round_.stages.filter(name="rank").update(batch=batch)
    ranked_by(batch, (labeler, [[1, 2, 3, 4]]), (second_labeler, [[4, 3, 2, 1]]))
    item = batch.items.get()
    decide.take(researcher, item)
    right = Ranking.objects.get(labeler=labeler)
    decide.decide(researcher, item, base=0, reason="One answers it.", errors=["taste"], ranking=right.pk)
    return round_


@pytest.mark.parametrize(("adjudicated", "ranks"), [(False, [[1, 2, 3, 4], [4, 3, 2, 1]]), (True, [[1, 2, 3, 4]])])
def test_what_the_reward_model_reads(decided: Round, adjudicated: bool, ranks: list[list[int]]) -> None:
    dataset = recipes._rankings(decided, "rank", adjudicated=adjudicated)
    rows = [json.loads(line) for line in storage.absolute(dataset.path).read_text().splitlines()]
    assert [row["ranks"] for row in rows] == ranks
    assert (rows[0]["labeler"] == "adjudication") is adjudicated
