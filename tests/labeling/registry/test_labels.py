"""From a label to the weights that it shaped."""

import pytest
from django.test import Client
from django.urls import reverse

from labeling.adjudication import decide
from labeling.exports import freeze
from labeling.models import Contents, Demonstration, Ranking, User
from labeling.registry import contents, labels
from tests.labeling.registry.conftest import History, made, run_of
from training import storage
from training.models import Dataset

pytestmark = pytest.mark.django_db


def test_a_demonstration_reaches_all_that_was_made_of_it(history: History) -> None:
    shaped = labels.of_demonstrations([Demonstration.objects.earliest("pk").pk])
    assert shaped.datasets == [history.demonstrations]
    assert [(use.run, use.name) for use in shaped.uses] == [(history.sft.run, "demonstrations")]
    assert shaped.checkpoints == [history.sft]
    assert set(shaped.further) == {history.reward_model, history.ppo}


def test_a_label_that_came_after_the_freezing_is_in_nothing(history: History) -> None:
    row = Demonstration.objects.earliest("pk")
    freeze.freeze_demonstrations(Demonstration.objects.exclude(pk=row.pk))
    assert labels.of_demonstrations([row.pk]).datasets == [history.demonstrations]


def test_a_dataset_that_nobody_reads_shaped_nothing(history: History) -> None:
    row = Ranking.objects.earliest("pk")
    alone = freeze.freeze_rankings(Ranking.objects.filter(pk=row.pk))
    made(run_of("reward_model", "another", {"rankings": history.rankings}, {"policy": history.sft}), "reward_model")
    shaped = labels.of_rankings([row.pk])
    assert shaped.datasets == [history.rankings, alone]
    assert [row.name for row in shaped.checkpoints] == ["rm", "another"]
    assert shaped.further == [history.ppo]


def test_a_decision_counts_where_it_stood_in_place_of_rankings(history: History, researcher: User) -> None:
    row = Ranking.objects.earliest("pk")
    decide.take(researcher, row.item)
    decide.decide(researcher, row.item, base=0, reason="So.", errors=["taste"], ranking=row.pk)
    decided = freeze.freeze_rankings(Ranking.objects.all(), adjudicated=True)
    contents.read_missing()
    held = Contents.objects.get(dataset=decided)
    assert (len(held.decision_ids), len(held.label_ids), held.unknown) == (1, 2, 0)
    assert decided in labels.of_rankings([row.pk], held.decision_ids).datasets
    assert decided not in labels.of_rankings([row.pk]).datasets


def test_rows_from_elsewhere_are_counted_as_such(db: None) -> None:
    row = {
        "demonstration_id": "d1", "prompt_id": "p", "prompt": "a", "completion": "b", "labeler": "l", "cohort": "c",
        "use_case": "other", "split": "train",
    }  # fmt: skip
    kept = storage.keep_rows("demonstrations", [row, {**row, "demonstration_id": "999999999"}])
    dataset = Dataset.objects.create(kind="demonstrations", sha256=kept.sha256, path=kept.path, rows=2)
    contents.read_missing()
    held = Contents.objects.get(dataset=dataset)
    assert (held.unknown, held.label_ids, held.cohorts) == (2, [], {"c": 2})


def test_the_pages(client: Client, history: History, admin_user: User, researcher: User) -> None:
    ranking = Ranking.objects.earliest("pk")
    item = reverse("item-shaped", args=[ranking.item_id])
    person = reverse("labeler-shaped", args=[history.first.pseudonym])
    demonstration = reverse("demonstration-shaped", args=[Demonstration.objects.earliest("pk").pk])
    client.force_login(researcher)
    assert item in client.get(reverse("agreement-item", args=[ranking.item_id])).content.decode()
    for address in (item, person, demonstration):
        assert reverse("checkpoint-detail", args=[history.ppo.pk]) in client.get(address).content.decode()
    client.force_login(admin_user)
    assert person in client.get(reverse("labeler-detail", args=[history.first.pseudonym])).content.decode()
    for address in (item, person, demonstration):
        page = client.get(address).content.decode()
        assert ">ppo" in page.replace("<li>", ">")
        assert reverse("checkpoint-detail", args=[history.ppo.pk]) not in page  # not an admin's to open
    client.force_login(history.second.user)
    for address in (item, person, demonstration):
        assert client.get(address).status_code == 404


def test_the_api(client: Client, history: History, researcher: User) -> None:
    client.force_login(researcher)
    ranking = Ranking.objects.earliest("pk")
    answered = client.get(reverse("api-label", args=["rankings", ranking.pk])).json()
    assert [row["sha256"] for row in answered["datasets"]] == [history.rankings.sha256]
    assert [row["id"] for row in answered["checkpoints"]] == [history.reward_model.pk]
    assert [row["id"] for row in answered["further_checkpoints"]] == [history.ppo.pk]
    assert client.get(reverse("api-label", args=["opinions", 1])).status_code == 422
    assert client.get(reverse("api-label", args=["rankings", 99999999])).status_code == 404
