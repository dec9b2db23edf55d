"""A lineage says what was made from what, both ways, by what the frozen files hold."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from labeling.models import Labeler, User
from labeling.privacy import erase
from labeling.registry import lineage, picture
from tests.labeling.registry.conftest import History, made, run_of
from training import storage
from training.models import Checkpoint

pytestmark = pytest.mark.django_db


def edges(found: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {(edge["from"], edge["to"], edge["as"]) for edge in found["edges"]}


def node(row: Any) -> str:
    return f"{type(row).__name__.lower()}:{row.pk}"


def row_of(found: dict[str, Any], kind: str, pk: object) -> dict[str, Any]:
    return next(row for row in found[kind] if row["id"] == pk)


def test_everything_that_went_into_ppo(history: History) -> None:
    found = lineage.of(history.ppo, pseudonyms=True)
    ppo, sft, rm = node(history.ppo), node(history.sft), node(history.reward_model)
    wanted = {
        (node(history.texts), node(history.base), "texts"),
        (node(history.base), sft, "policy"),
        (node(history.demonstrations), sft, "demonstrations"),
        (sft, node(history.sample), "policy"),
        (node(history.sample), node(history.rankings), "ranked"),
        (node(history.rankings), rm, "rankings"),
        (sft, rm, "policy"),
        (rm, ppo, "reward_model"),
        (sft, ppo, "policy"),
    }
    assert wanted <= edges(found)
    assert {sft, rm, node(history.rankings), node(history.demonstrations), node(history.base)} <= set(
        found["made_from"]
    )
    assert [one for one in found["used_by"] if not one.startswith("run:")] == []


def test_what_was_made_of_the_base_reaches_the_last_policy(history: History) -> None:
    found = lineage.of(history.base, pseudonyms=True)
    assert {node(history.sft), node(history.reward_model), node(history.ppo)} <= set(found["used_by"])
    assert node(history.rankings) in found["used_by"]  # the samples of what was made of it were ranked
    assert found["made_from"] == [node(history.texts)]


def test_runs_say_how_and_where(history: History) -> None:
    run = row_of(lineage.of(history.sft, pseudonyms=True), "runs", str(history.sft.run_id))
    assert (run["seed"], run["spec"]["epochs"], run["code_version"], run["machine"]) == (7, 2, "abc123", "hal")


def test_datasets_say_whose_and_under_what(history: History) -> None:
    found = row_of(lineage.of(history.reward_model, pseudonyms=True), "datasets", history.rankings.pk)
    assert found["sha256"] == history.rankings.sha256
    assert found["cohorts"] == [{"cohort": "training", "rows": 4, "labelers": 2}]
    assert [(one["purpose"], one["version"], one["labels"]) for one in found["guidelines"]] == [("training", 1, 4)]
    people = {history.first.pseudonym: 2, history.second.pseudonym: 2}
    assert {one["pseudonym"]: one["rows"] for one in found["labelers"]} == people
    asked = row_of(lineage.of(history.sft, pseudonyms=True), "datasets", history.demonstrations.pk)
    assert asked["filters"] == [{"by": "hand"}]


def test_without_permission_no_pseudonym_is_said(history: History) -> None:
    text = json.dumps(lineage.of(history.ppo, pseudonyms=False))
    assert history.first.pseudonym not in text
    assert '"labelers": 2' in text


def test_erased_and_withdrawn_is_said(history: History, admin_user: User) -> None:
    erase.carry_out(history.first, admin_user, choice="withdraw", why="They asked.", typed=history.first.pseudonym)
    found = row_of(lineage.of(history.reward_model, pseudonyms=True), "datasets", history.rankings.pk)
    assert found["rows_withdrawn_since"] == 2
    assert {one["pseudonym"]: one["erased"] for one in found["labelers"]} == {
        history.first.pseudonym: True,
        history.second.pseudonym: False,
    }


def test_a_dataset_whose_file_is_gone_is_still_in_the_lineage(history: History) -> None:
    storage.absolute(history.rankings.path).unlink()
    found = row_of(lineage.of(history.reward_model, pseudonyms=True), "datasets", history.rankings.pk)
    assert "cohorts" not in found


def long_history(count: int) -> Checkpoint:
    last = made(run_of("sft", "0"))
    for number in range(1, count):
        last = made(run_of("sft", f"policy {number}", {}, {"policy": last}))
    return last


def test_a_long_history_takes_no_more_queries_than_a_short_one(history: History) -> None:
    lineage.of(history.ppo, pseudonyms=True)  # files are read the first time
    with CaptureQueriesContext(
        connection,
    ) as few:
        lineage.of(history.ppo, pseudonyms=True)
    last = long_history(50)
    with CaptureQueriesContext(connection) as many:
        found = lineage.of(last, pseudonyms=True)
    assert len(found["checkpoints"]) == 50
    assert len(many) <= len(few) <= 20


def test_the_picture_has_a_box_for_all_but_what_only_measured(history: History) -> None:
    found = lineage.of(history.sft, pseudonyms=True)
    drawn = picture.draw(found)
    keys = {box.key for box in drawn.boxes}
    assert {node(history.base), node(history.ppo), node(history.rankings), node(history.sample)} <= keys
    assert len([box for box in drawn.boxes if box.kind == "run"]) == 1
    x = {box.key: box.x for box in drawn.boxes}
    order = [history.base, history.sft, history.sample, history.rankings, history.reward_model, history.ppo]
    assert [x[node(row)] for row in order] == sorted(x[node(row)] for row in order)
    corners = [(box.x, box.y) for box in drawn.boxes]
    assert len(set(corners)) == len(corners)


def test_the_list_says_the_same_and_nothing_endlessly(history: History) -> None:
    entries = picture.tell(lineage.of(history.ppo, pseudonyms=True))
    assert {entry.role for entry in entries} == {"prompts", "policy", "reward model"}

    def titles(rows: list[picture.Entry]) -> list[str]:
        return [title for row in rows for title in (row.title, *titles(row.below))]

    assert titles(entries).count("base") == 1
    assert "Demonstrations" in titles(entries)


def test_the_page_and_the_api(rosa: Client, history: History) -> None:
    page = rosa.get(reverse("checkpoint-detail", args=[history.ppo.pk])).content.decode()
    assert page.count("<svg width") == 1
    for row in (history.sft, history.reward_model, history.base):
        assert reverse("checkpoint-detail", args=[row.pk]) in page
    assert history.first.pseudonym in page
    answered = rosa.get(reverse("api-lineage", args=[history.ppo.pk])).json()
    assert answered["checkpoint"] == history.ppo.pk
    assert history.first.pseudonym not in json.dumps(
        rosa.get(reverse("api-lineage", args=[history.ppo.pk]) + "?pseudonyms=0").json()
    )


def test_others_find_nothing(client: Client, history: History, labeler: Labeler, admin_user: User) -> None:
    addresses = [
        reverse(name, args=[history.ppo.pk])
        for name in ("checkpoint-detail", "checkpoint-card", "checkpoint-readme", "checkpoint-download", "api-lineage")
    ]
    for user in (labeler.user, admin_user):
        client.force_login(user)
        for address in [*addresses, reverse("checkpoint-list"), reverse("playground"), reverse("api-serving")]:
            assert client.get(address).status_code == 404, address
