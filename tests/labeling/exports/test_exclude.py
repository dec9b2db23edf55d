"""Whose labels are left out, and decisions in the place of rankings: what is in the file, and what is said of it."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from labeling.adjudication import decide
from labeling.errors import BadInput, Conflict
from labeling.exports import exclude, freeze
from labeling.models import Decision, Exclusion, Export, Labeler, Ranking, User, WorkItem
from tests.labeling.agreement.overlap import ranked_by
from tests.work import ranking_work
from training import storage
from training.models import Dataset

pytestmark = pytest.mark.django_db
IN_ORDER, REVERSED = [1, 2, 3, 4], [4, 3, 2, 1]


@pytest.fixture
def items(labeler: Labeler, second_labeler: Labeler) -> list[WorkItem]:
    batch = ranking_work(2, need=2)
    ranked_by(batch, (labeler, [IN_ORDER] * 2), (second_labeler, [REVERSED, IN_ORDER]))
    return list(batch.items.order_by("pk"))


def content(dataset: Dataset) -> list[dict[str, Any]]:
    return [json.loads(line) for line in storage.absolute(dataset.path).read_text().splitlines()]


def test_left_out_not_deleted(
    items: list[WorkItem], labeler: Labeler, second_labeler: Labeler, admin_user: User
) -> None:
    everybody = freeze.freeze_rankings(Ranking.objects.all())
    exclusion = exclude.exclude(second_labeler, "Copies  the first.\n", admin_user)
    rows = content(freeze.freeze_rankings(Ranking.objects.all(), filters={"batch": 1}))
    assert {row["labeler"] for row in rows} == {labeler.pseudonym} and len(rows) == 2
    left_out = {"labeler": second_labeler.pseudonym, "reason": "Copies the first.", "labels": 2}
    assert Export.objects.first().filters == {"batch": 1, "excluded": [left_out]}  # type: ignore[union-attr]
    assert Ranking.objects.count() == 4
    assert len(content(everybody)) == 4  # what is frozen stays
    exclude.lift(exclusion, admin_user)
    assert freeze.freeze_rankings(Ranking.objects.all()) == everybody
    assert Export.objects.first().filters == {}  # type: ignore[union-attr]


def test_nobody_left_is_said(
    items: list[WorkItem], labeler: Labeler, second_labeler: Labeler, admin_user: User
) -> None:
    for one in (labeler, second_labeler):
        exclude.exclude(one, "A test.", admin_user)
    with pytest.raises(BadInput, match="no rankings to freeze"):
        freeze.freeze_rankings(Ranking.objects.all())


def test_a_reason_once_and_lifted_once(labeler: Labeler, admin_user: User) -> None:
    with pytest.raises(BadInput, match="Say why"):
        exclude.exclude(labeler, " \n ", admin_user)
    with pytest.raises(BadInput, match="at most 500"):
        exclude.exclude(labeler, "x" * 501, admin_user)
    row = exclude.exclude(labeler, "Careless.", admin_user)
    with pytest.raises(Conflict, match="left out already"):
        exclude.exclude(labeler, "Again.", admin_user)
    exclude.lift(row, admin_user)
    with pytest.raises(Conflict, match="lifted already"):
        exclude.lift(row, admin_user)
    assert exclude.exclude(labeler, "Again.", admin_user).lifted_at is None
    assert Exclusion.objects.count() == 2


def test_a_decision_in_the_place_of_an_items_rankings(items: list[WorkItem], researcher: User) -> None:
    item = items[0]
    ids = sorted(item.candidates.values_list("completion_id", flat=True))
    decide.take(researcher, item)
    places = dict(zip(ids, [1, 2, 2, 3], strict=True))
    decision = decide.decide(researcher, item, base=0, places=places, reason="So.", errors=["taste"])
    assert len(content(freeze.freeze_rankings(Ranking.objects.all()))) == 4  # not without asking for it
    rows = content(freeze.freeze_rankings(Ranking.objects.all(), adjudicated=True))
    assert [row["ranking_id"] for row in rows[:2]] == [
        str(pk) for pk in items[1].rankings.order_by("pk").values_list("pk", flat=True)
    ]
    assert rows[2] == {
        "ranking_id": f"decision-{decision.pk}",
        "prompt_id": str(item.the_prompt.pk),
        "prompt": item.the_prompt.text,
        "completions": ["one", "two", "three", "four"],
        "ranks": [1, 2, 2, 3],
        "labeler": "adjudication",
        "cohort": "training",
        "use_case": "other",
        "split": "train",
    }
    assert Export.objects.first().filters == {"adjudicated": 1}  # type: ignore[union-attr]
    assert Decision.objects.get().frozen_at is not None
    assert Ranking.objects.filter(item=item, frozen_at=None).count() == 0  # the first file had them


def test_a_decision_that_was_taken_back_is_in_no_dataset(items: list[WorkItem], researcher: User) -> None:
    decide.take(researcher, items[0])
    ranking = items[0].rankings.earliest("pk")
    decide.decide(researcher, items[0], base=0, ranking=ranking.pk, reason="So.", errors=["taste"])
    decide.withdraw(researcher, items[0], base=1, reason="No.")
    assert len(content(freeze.freeze_rankings(Ranking.objects.all(), adjudicated=True))) == 4


def test_the_pages(client: Client, researcher: User, items: list[WorkItem], second_labeler: Labeler) -> None:
    client.force_login(researcher)
    sent = {"labeler": second_labeler.pseudonym, "reason": "<i>Careless</i>."}
    assert client.post(reverse("exclusion-list"), sent).status_code == 302
    text = client.get(reverse("exclusion-list")).content.decode()
    assert "dropping weak labelers did not help the reward model" in text and "&lt;i&gt;Careless" in text
    response = client.post(reverse("exclusion-list"), sent)
    assert response.status_code == 422 and b"left out already" in response.content
    response = client.post(reverse("rankings-freeze"), {"batches": [items[0].batch_id], "split": "valid"})
    assert response.status_code == 422 and b"no rankings to freeze" in response.content
    response = client.post(
        reverse("rankings-freeze"), {"batches": [items[0].batch_id], "adjudicated": "on"}, follow=True
    )
    text = response.content.decode()
    assert f"2 of {second_labeler.pseudonym}" in text and "Labels were left out." in text
    assert "did not help the reward model" in text
    assert (
        reverse("dataset-detail", args=[Dataset.objects.get().pk])
        in client.get(reverse("dataset-list")).content.decode()
    )
    client.post(reverse("exclusion-lift", args=[Exclusion.objects.get().pk]))
    assert "Nobody is left out." in client.get(reverse("exclusion-list")).content.decode()


@pytest.mark.parametrize("name", ["exclusion-list", "rankings-freeze"])
def test_they_are_the_researchers(client: Client, labeler: Labeler, admin_user: User, name: str) -> None:
    for user in (labeler.user, admin_user):
        client.force_login(user)
        assert client.get(reverse(name)).status_code == 404
