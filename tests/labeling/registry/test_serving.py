"""One policy serves at a time; who, when and why is kept; two at once are settled by the database."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from labeling.errors import BadInput, Conflict
from labeling.models import Promotion, User
from labeling.registry import serving
from tests.labeling.queue.test_races import all_at_once
from tests.labeling.registry.conftest import made, run_of
from training.models import Checkpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def policies(db: None) -> list[Checkpoint]:
    return [made(run_of("sft", f"policy {number}")) for number in range(4)]


def test_the_next_one_takes_its_place_and_the_history_stays(policies: list[Checkpoint], researcher: User) -> None:
    first = serving.promote(policies[0], researcher, "It wins.", None)
    second = serving.promote(policies[1], researcher, "It wins more.", first.pk)
    assert serving.current() == second
    first.refresh_from_db()
    assert first.ended_by == researcher
    assert first.ended_why == "Replaced by policy 1: It wins more."
    serving.demote(second.pk, researcher, "It rambles.")
    assert serving.current() is None
    assert [row.checkpoint_id for row in Promotion.objects.all()] == [policies[1].pk, policies[0].pk]


def test_who_looked_at_an_older_page_is_told_so(policies: list[Checkpoint], researcher: User) -> None:
    first = serving.promote(policies[0], researcher, "a", None)
    with pytest.raises(Conflict, match="came first"):
        serving.promote(policies[1], researcher, "b", None)
    serving.demote(first.pk, researcher, "c")
    with pytest.raises(Conflict):
        serving.demote(first.pk, researcher, "d")
    with pytest.raises(Conflict):
        serving.promote(policies[1], researcher, "e", first.pk)
    assert serving.current() is None


def test_what_cannot_serve(policies: list[Checkpoint], researcher: User) -> None:
    reward_model = made(run_of("reward_model", "rm"), "reward_model")
    elsewhere = Checkpoint.objects.create(name="hub", kind="policy", path="EleutherAI/pythia-160m")
    for row, sentence in ((reward_model, "only a policy"), (elsewhere, "no folder of weights")):
        with pytest.raises(BadInput, match=sentence):
            serving.promote(row, researcher, "why", None)
    with pytest.raises(BadInput, match="reason is empty"):
        serving.promote(policies[0], researcher, "  ", None)
    serving.promote(policies[0], researcher, "why", None)
    with pytest.raises(Conflict, match="serves already"):
        serving.promote(policies[0], researcher, "why", None)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("somebody_serves", [False, True])
def test_of_many_promotions_at_once_one_holds(
    policies: list[Checkpoint], researcher: User, somebody_serves: bool
) -> None:
    seen = serving.promote(policies[3], researcher, "before", None).pk if somebody_serves else None
    outcomes = all_at_once([lambda row=row: serving.promote(row, researcher, "now", seen) for row in policies[:3]])
    assert sum(isinstance(outcome, Promotion) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 2
    assert Promotion.objects.filter(ended_at=None).count() == 1


def test_pages_and_api(rosa: Client, policies: list[Checkpoint]) -> None:
    api = reverse("api-serving")
    assert rosa.get(api).json() == {"serving": None}
    promote = reverse("checkpoint-promote", args=[policies[0].pk])
    assert rosa.post(promote, {"seen": "", "why": ""}).status_code == 422
    assert rosa.post(promote, {"seen": "", "why": "It wins."}).status_code == 302
    answered: dict[str, Any] = rosa.get(api).json()["serving"]
    assert (answered["checkpoint"], answered["why"], answered["by"]) == (policies[0].pk, "It wins.", "Rosa")
    late = rosa.post(reverse("checkpoint-promote", args=[policies[1].pk]), {"seen": "", "why": "Mine."})
    assert late.status_code == 409
    assert "came first" in late.content.decode()
    assert "Mine." in late.content.decode()  # what was typed is not lost
    assert "serving" in rosa.get(reverse("checkpoint-list")).content.decode()
    standing = serving.current()
    assert standing
    demote = reverse("checkpoint-demote", args=[policies[0].pk])
    assert rosa.post(demote, {"seen": standing.pk, "why": "Enough."}).status_code == 302
    assert rosa.get(api).json() == {"serving": None}
    assert "Enough." in rosa.get(reverse("checkpoint-detail", args=[policies[0].pk])).content.decode()
