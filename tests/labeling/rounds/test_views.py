"""The round page: for researchers alone; a failed stage is tried again, a held gate let pass, each once."""

import pytest
from django.test import Client
from django.urls import reverse

from labeling.models import Labeler, Round, Stage, User
from labeling.rounds import advance
from tests.labeling.rounds.test_advance import end_run, stage, states
from training.models import Run

pytestmark = pytest.mark.django_db


@pytest.fixture
def rosa(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


def fail_pretraining(round_: Round) -> None:
    advance.advance(round_.pk)
    Run.objects.filter(pk=stage(round_, "pretrain").run.pk).update(  # type: ignore[union-attr]
        state=Run.State.FAILED, error="The disk is full."
    )
    advance.advance(round_.pk)


def test_a_new_round_shows_every_stage_and_what_it_waits_for(rosa: Client, round_: Round) -> None:
    advance.advance(round_.pk)
    page = rosa.get(reverse("round-detail", args=[round_.pk])).content.decode()
    for title in ("Pretrain", "Demonstrate", "SFT", "Sample", "Rank", "Reward model", "PPO", "PPO-ptx", "Judge"):
        assert f">{title}<" in page, title
    assert "0 of 4 labels" in page  # demonstrations


def test_without_any_round_the_list_says_so(rosa: Client) -> None:
    assert "No round was opened yet." in rosa.get(reverse("round-list")).content.decode()


def test_a_judged_round_leads_to_its_judgement(rosa: Client, round_: Round) -> None:
    advance.advance(round_.pk)
    link = f'href="{reverse("round-judgement", args=[round_.pk])}"'
    address = reverse("round-detail", args=[round_.pk])
    page = rosa.get(address)
    assert link not in page.content.decode()
    seen = page.context["round"].last_event  # so the part is the stages alone
    round_.stages.filter(name="judge").update(state=Stage.State.DONE)
    part = rosa.get(address, headers={"HX-Request": "true"}, query_params={"seen": seen})
    assert link in part.content.decode()


def test_htmx_gets_the_loop_alone(rosa: Client, round_: Round) -> None:
    part = rosa.get(reverse("round-detail", args=[round_.pk]), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "hx-get" in part  # it polls itself while the round goes on


def test_a_failed_stage_says_why_and_is_tried_again_once(rosa: Client, round_: Round) -> None:
    fail_pretraining(round_)
    page = rosa.get(reverse("round-detail", args=[round_.pk])).content.decode()
    assert "The disk is full." in page
    assert "Try again" in page
    retry = reverse("stage-retry", args=[round_.pk, "pretrain"])
    assert rosa.post(retry).status_code == 302
    assert states(round_)["pretrain"] == Stage.State.RUNNING
    second = rosa.post(retry)
    assert second.status_code == 409
    assert Run.objects.count() == 1


def test_a_gate_that_is_not_held_cannot_be_let_pass(rosa: Client, round_: Round) -> None:
    advance.advance(round_.pk)
    end_run(round_, "pretrain")
    assert rosa.post(reverse("stage-go-on", args=[round_.pk, "pretrain"])).status_code == 409


@pytest.mark.parametrize("name", ["stage-retry", "stage-go-on"])
def test_a_link_changes_nothing(rosa: Client, round_: Round, name: str) -> None:
    fail_pretraining(round_)
    assert rosa.get(reverse(name, args=[round_.pk, "pretrain"])).status_code == 405
    assert states(round_)["pretrain"] == Stage.State.FAILED


def test_others_find_nothing(client: Client, round_: Round, labeler: Labeler, admin_user: User, stranger: User) -> None:
    fail_pretraining(round_)
    detail = reverse("round-detail", args=[round_.pk])
    retry = reverse("stage-retry", args=[round_.pk, "pretrain"])
    assert client.get(detail).headers["Location"].startswith("/accounts/login/")
    assert client.post(retry).headers["Location"].startswith("/accounts/login/")
    for user in (labeler.user, admin_user, stranger):
        client.force_login(user)
        assert client.get(detail).status_code == 404
        assert client.post(retry).status_code == 404
    assert states(round_)["pretrain"] == Stage.State.FAILED


def test_what_is_not_there_is_404(rosa: Client, round_: Round) -> None:
    assert rosa.get(reverse("round-detail", args=[round_.pk + 1])).status_code == 404
    assert rosa.post(reverse("stage-retry", args=[round_.pk, "nonsense"])).status_code == 404
