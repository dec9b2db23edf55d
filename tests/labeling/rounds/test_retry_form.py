"""A failed stage is tried again with other settings: what was changed, and only that, is changed and told."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from labeling.errors import BadInput, Conflict
from labeling.models import Round, RoundEvent, User
from labeling.rounds import advance, control, take_up
from labeling.rounds.retry_form import RetryForm
from tests.labeling.rounds.test_advance import stage, states
from tests.labeling.rounds.test_control import run_of, set_run
from training.contract.spec_help import settings_of
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
    form = RetryForm(None, stage=stage(round_, name))
    return {field.name: field.value() for field in form if field.value() is not None}


def test_the_form_shows_what_differs_from_the_default_and_explains_it(
    failed: Round, researcher: User, client: Client
) -> None:
    run = run_of(failed, "pretrain")
    Run.objects.filter(pk=run.pk).update(spec={"batch_size": 4, "lr": 0.002})
    assert as_shown(failed) == {"specs__pretrain__batch_size": "4", "specs__pretrain__lr": "0.002"}
    client.force_login(researcher)
    page = client.get(reverse("stage-settings", args=[failed.pk, "pretrain"])).content.decode()
    help_ = {one.name: one.help for one in settings_of("pretrain")}
    assert escape(help_["batch_size"]) in page


def test_what_was_changed_is_what_the_run_gets(failed: Round, researcher: User, client: Client) -> None:
    client.force_login(researcher)
    page = reverse("stage-settings", args=[failed.pk, "pretrain"])
    assert "Out of memory." in client.get(page).content.decode()
    before = run_of(failed, "pretrain").spec
    response = client.post(page, {**as_shown(failed), "specs__pretrain__batch_size": "4"})
    assert response.status_code == 302
    run = run_of(failed, "pretrain")
    assert (run.spec, run.state) == ({**before, "batch_size": 4}, Run.State.QUEUED)
    assert states(failed)["pretrain"] == "running"
    event = failed.events.get(what=RoundEvent.What.RETRIED)
    assert event.who == researcher
    assert list(event.details["changed"]) == ["batch_size"]
    assert event.details["changed"]["batch_size"][1] == 4
    assert as_shown(failed)["specs__pretrain__batch_size"] == "4"


def test_what_follows_from_the_round_is_not_asked_for_and_stays(failed: Round) -> None:
    here = stage(failed, "pretrain")
    assert here.run
    here.run.recipe, here.run.spec = "sample", {"samples_per_prompt": 6, "temperature": 0.5}
    form = RetryForm({"specs__sample__temperature": "0.7"}, stage=here)
    assert form.is_valid(), form.errors
    assert form.spec() == {"samples_per_prompt": 6, "temperature": 0.7}
    assert "specs__sample__samples_per_prompt" not in form.fields


def test_an_emptied_field_is_the_default(failed: Round) -> None:
    here = stage(failed, "pretrain")
    assert here.run
    here.run.recipe, here.run.spec = "ppo", {"samples_per_prompt": 4, "batch_size": 64, "minibatch_size": 32}
    form = RetryForm({"specs__ppo__batch_size": "64", "specs__ppo__minibatch_size": "32"}, stage=here)
    assert form.is_valid(), form.errors
    assert form.spec() == {"batch_size": 64, "minibatch_size": 32}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"batch_size": "four"}, "&#x27;batch_size&#x27; is &#x27;four&#x27;; it must be a whole number."),
        ({"batch_size": "0"}, "batch_size is 0; it must be more than 0."),
        ({"precision": "fp8"}, "Select a valid choice. fp8 is not one of the available choices."),
    ],
)
def test_what_cannot_work_is_refused_with_its_sentence(
    failed: Round, researcher: User, client: Client, wrong: dict[str, str], sentence: str
) -> None:
    client.force_login(researcher)
    given = as_shown(failed) | {f"specs__pretrain__{name}": value for name, value in wrong.items()}
    response = client.post(reverse("stage-settings", args=[failed.pk, "pretrain"]), given)
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
