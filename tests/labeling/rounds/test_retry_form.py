"""A failed stage is tried again with other settings: what was changed, and only that, is changed and told."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from labeling.errors import BadInput, Conflict
from labeling.models import Round, RoundEvent, User
from labeling.rounds import advance, control, take_up
from labeling.rounds.retry_form import SpecForm
from tests.labeling.rounds.test_advance import stage, states
from tests.labeling.rounds.test_control import run_of, set_run
from training.models import Run

pytestmark = pytest.mark.django_db


@pytest.fixture
def failed(round_: Round) -> Round:
    """Its pretraining has failed."""
    advance.advance(round_.pk)
    set_run(round_, "pretrain", Run.State.FAILED, error="Out of memory.")
    advance.advance(round_.pk)
    return round_


def as_shown(round_: Round, name: str = "pretrain") -> dict[str, Any]:
    """What a browser would send of the form as it is."""
    form = SpecForm(None, stage=stage(round_, name))
    return {key: field.initial for key, field in form.fields.items() if field.initial not in (False, None)}


def test_the_form_shows_every_setting_as_it_was(failed: Round) -> None:
    shown = as_shown(failed)
    assert shown["lr"] == str(run_of(failed, "pretrain").spec.get("lr", shown["lr"]))
    assert {"lr", "batch_size", "save_every", "precision"} <= set(shown)


def test_what_was_changed_is_what_the_run_gets(failed: Round, researcher: User, client: Client) -> None:
    client.force_login(researcher)
    page = reverse("stage-settings", args=[failed.pk, "pretrain"])
    assert "Out of memory." in client.get(page).content.decode()
    response = client.post(page, {**as_shown(failed), "batch_size": "4"})
    assert response.status_code == 302
    run = run_of(failed, "pretrain")
    assert (run.spec, run.state) == ({"batch_size": 4}, Run.State.QUEUED)
    assert states(failed)["pretrain"] == "running"
    event = failed.events.get(what=RoundEvent.What.RETRIED)
    before = SpecForm(None, stage=stage(failed, "pretrain"))
    assert event.who == researcher
    assert list(event.details["changed"]) == ["batch_size"]
    assert event.details["changed"]["batch_size"][1] == 4
    assert before.before["batch_size"] == 4


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"batch_size": "four"}, "batch_size is a whole number; “four” is not."),
        ({"batch_size": "0"}, "batch_size is 0; it must be more than 0."),
        ({"precision": "fp8"}, "precision is &#x27;fp8&#x27;; it must be &#x27;fp32&#x27; or &#x27;bf16&#x27;."),
    ],
)
def test_what_cannot_work_is_refused_with_its_sentence(
    failed: Round, researcher: User, client: Client, wrong: dict[str, str], sentence: str
) -> None:
    client.force_login(researcher)
    response = client.post(reverse("stage-settings", args=[failed.pk, "pretrain"]), {**as_shown(failed), **wrong})
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert run_of(failed, "pretrain").state == Run.State.FAILED


def test_as_it_was_is_no_change(failed: Round, researcher: User) -> None:
    take_up.retry(stage(failed, "pretrain"), researcher, dict(run_of(failed, "pretrain").spec))
    assert failed.events.get(what=RoundEvent.What.RETRIED).details == {}


def test_a_stopped_stage_may_go_on_with_other_settings_too(round_: Round, researcher: User) -> None:
    advance.advance(round_.pk)
    set_run(round_, "pretrain", Run.State.STOPPED)
    advance.advance(round_.pk)
    take_up.retry(stage(round_, "pretrain"), researcher, {"batch_size": 8})
    assert run_of(round_, "pretrain").spec == {"batch_size": 8}
    assert states(round_)["pretrain"] == "running"


def test_a_spec_that_cannot_work_is_refused_at_the_door_too(failed: Round, researcher: User) -> None:
    with pytest.raises(BadInput, match="batch_size"):
        take_up.retry(stage(failed, "pretrain"), researcher, {"batch_size": -1})
    assert states(failed)["pretrain"] == "failed"


def test_a_stage_without_a_run_has_no_settings_to_change(round_: Round, researcher: User, client: Client) -> None:
    advance.advance(round_.pk)
    client.force_login(researcher)
    assert client.get(reverse("stage-settings", args=[round_.pk, "demonstrate"])).status_code == 404


def test_while_the_round_rests_nothing_is_tried_again(failed: Round, researcher: User) -> None:
    control.stop(failed.pk, researcher)
    with pytest.raises(Conflict, match="has ended"):
        take_up.retry(stage(failed, "pretrain"), researcher)
