"""Consensus off the request: few at once, many by a worker, and nothing stale without saying so."""

from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client
from django.urls import reverse

from labeling.agreement import consensus_report
from labeling.models import Labeler, User, WorkItem
from labeling.tasks import compute_consensus
from tests.labeling.agreement.overlap import ranked_by
from tests.work import ranking_work

pytestmark = pytest.mark.django_db
IN_ORDER, TURNED = [1, 2, 3, 4], [2, 1, 3, 4]


@pytest.fixture(autouse=True)
def nothing_is_known() -> None:
    caches["reports"].clear()


@pytest.fixture
def item(labeler: Labeler, second_labeler: Labeler, third_labeler: Labeler) -> WorkItem:
    batch = ranking_work(1, need=3)
    ranked_by(batch, (labeler, [IN_ORDER]), (second_labeler, [IN_ORDER]), (third_labeler, [TURNED]))
    return batch.items.get()


@pytest.fixture
def bells(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """As on a large installation: nothing is computed in a request, and a worker is told."""
    rung: list[str] = []
    monkeypatch.setattr(consensus_report, "AT_ONCE", 0)
    monkeypatch.setattr(consensus_report, "ring", lambda task, *_: rung.append(task))
    return rung


def test_few_rankings_are_computed_at_once(item: WorkItem, third_labeler: Labeler) -> None:
    """Two of three prefer the first; all put the third before the fourth. The one who differs is the least reliable."""
    looked = consensus_report.look()
    assert looked.is_current and looked.fitted is not None
    found = consensus_report.of_item(looked.fitted, item.pk)
    assert found is not None
    assert list(found.places.values()) == [1, 2, 3, 4]
    assert sum(found.scores.values()) == pytest.approx(0, abs=1e-3)
    known = {pk: consensus_report.of_labeler(looked.fitted, pk) for pk in looked.fitted.labelers.tolist()}
    assert min(known, key=lambda pk: known[pk] or 0) == third_labeler.pk
    assert consensus_report.of_item(looked.fitted, item.pk + 1) is None
    assert consensus_report.of_labeler(looked.fitted, 10**9) is None


def test_many_are_left_to_a_worker_who_is_told_once(item: WorkItem, bells: list[str]) -> None:
    assert consensus_report.look() == (None, False, consensus_report.look().version)
    assert bells == ["labeling.tasks.compute_consensus"]
    compute_consensus()
    assert consensus_report.look().is_current


def test_an_earlier_one_says_that_it_is_earlier(
    client: Client, researcher: User, item: WorkItem, bells: list[str], labeler: Labeler, second_labeler: Labeler
) -> None:
    client.force_login(researcher)
    address = reverse("agreement-item", args=[item.pk])
    text = client.get(address).content.decode()
    assert "is being computed from all rankings" in text and 'hx-trigger="every 5s"' in text
    compute_consensus()
    text = client.get(address).content.decode()
    assert "being computed" not in text and "From exactly the rankings that are stored" in text
    ranked_by(ranking_work(1, need=2), (labeler, [IN_ORDER]), (second_labeler, [IN_ORDER]))
    text = client.get(address).content.decode()
    assert "Rankings have come in or changed" in text and 'hx-trigger="every 5s"' in text
    assert "From exactly the rankings" not in text
    part = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<section id="consensus"')
    card = client.get(reverse("scorecard", args=[labeler.pseudonym])).content.decode()
    assert "of earlier rankings; the present ones are being computed" in card


def test_an_empty_database_has_no_consensus() -> None:
    looked: Any = consensus_report.look()
    assert looked.is_current and len(looked.fitted.items) == 0
