"""Weights go, the record stays; nothing that is needed is deleted, and nothing starts from what is gone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from labeling.errors import BadInput, Conflict
from labeling.models import Removal, User
from labeling.registry import playground, removal, serving
from labeling.registry.packing import packed
from labeling.rounds.opening import open_round
from tests.labeling.queue.test_races import all_at_once
from tests.labeling.registry.conftest import finish, made, run_of
from tests.labeling.rounds.conftest import make_round
from training import storage
from training.models import Checkpoint, Run
from training.runs.weights import WeightsGone

pytestmark = pytest.mark.django_db


@pytest.fixture
def policy(db: None) -> Checkpoint:
    return made(run_of("sft", "old one"))


def delete(policy: Checkpoint, user: User) -> Removal:
    return removal.delete_weights(policy, user, "The disk is full.", policy.name)


def test_weights_and_state_go_and_the_rest_stays(policy: Checkpoint, researcher: User) -> None:
    done = delete(policy, researcher)
    folder = storage.run_folder(policy.run_id or "")
    assert done.bytes == 1502  # 1000 of weights, 2 of config.json, 500 of state
    assert sorted(path.name for path in folder.iterdir()) == ["run.json"]
    policy.refresh_from_db()
    assert policy.weights_deleted_at is not None
    with pytest.raises(Conflict, match="before"):
        delete(policy, researcher)


def test_a_name_typed_wrong_deletes_nothing(policy: Checkpoint, researcher: User) -> None:
    for typed, why in (("another", "why"), (policy.name, " ")):
        with pytest.raises(BadInput):
            removal.delete_weights(policy, researcher, why, typed)
    assert storage.absolute(policy.path).is_dir()


def test_what_serves_or_is_read_stays(policy: Checkpoint, researcher: User) -> None:
    promotion = serving.promote(policy, researcher, "It wins.", None)
    with pytest.raises(Conflict, match="It serves"):
        delete(policy, researcher)
    serving.demote(promotion.pk, researcher, "Enough.")
    run = run_of("evaluate", "measure it", {}, {"policy": policy})
    for state in ("queued", "running"):
        Run.objects.filter(pk=run.pk).update(state=state)
        with pytest.raises(Conflict, match=f"“measure it” is {state}"):
            delete(policy, researcher)
    finish(run)
    delete(policy, researcher)


def test_an_open_round_keeps_its_base(policy: Checkpoint, researcher: User) -> None:
    round_ = make_round(researcher)
    specs = {name: spec for name, spec in round_.settings["specs"].items() if name != "pretrain"}
    settings = {**round_.settings, "base": policy.pk, "specs": specs}
    other = open_round(name="of mine", settings=settings, seed=1, user=researcher)
    with pytest.raises(Conflict, match="“of mine” is not finished"):
        delete(policy, researcher)
    other.state = "done"
    other.save()
    delete(policy, researcher)
    with pytest.raises(BadInput, match="“old one”, whose weights were deleted"):
        open_round(name="again", settings=settings, seed=1, user=researcher)


@pytest.mark.parametrize(
    "named",
    [
        lambda pk: {"instead": {"sft": pk}},
        lambda pk: {"instead": {"reward_model": pk}},
        lambda pk: {"sample_from": [{"checkpoint": None, "samples": 2}, {"checkpoint": pk, "samples": 2}]},
        lambda pk: {"policies": ["sft", pk]},
        lambda pk: {"choose": {"by": "ensemble", "pool": 40, "reward_model": pk}},
    ],
)
def test_an_open_round_keeps_every_checkpoint_that_its_settings_name(
    named: Callable[[int], dict[str, Any]], policy: Checkpoint, researcher: User
) -> None:
    round_ = make_round(researcher)
    round_.settings |= named(policy.pk + 1)
    round_.save()
    assert removal.why_not(policy) == ""
    round_.settings |= named(policy.pk)
    round_.save()
    assert "may need it" in removal.why_not(policy)
    round_.state = "stopped"
    round_.save()
    assert removal.why_not(policy) == ""


def test_what_is_elsewhere_cannot_be_deleted(researcher: User, artifacts: Path) -> None:
    outside = artifacts.parent / "outside"
    outside.mkdir()
    for path in ("EleutherAI/pythia-160m", "../outside", "."):
        row = Checkpoint.objects.create(name="x", kind="policy", path=path)
        with pytest.raises(Conflict, match="no weights of it on this machine"):
            removal.delete_weights(row, researcher, "why", "x")
    assert outside.is_dir()


def test_nothing_starts_from_it_any_more(policy: Checkpoint, researcher: User) -> None:
    delete(policy, researcher)
    policy.refresh_from_db()
    with pytest.raises(WeightsGone, match="“old one” were deleted"):
        run_of("ppo", "late", {}, {"policy": policy})
    with pytest.raises(BadInput, match="deleted"):
        playground.start(researcher, "Hi", [policy], playground.Settings())
    with pytest.raises(BadInput, match="deleted"):
        serving.promote(policy, researcher, "why", None)
    with pytest.raises(Conflict, match="deleted"):
        packed(policy)
    assert policy not in playground.usable()
    assert Run.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_run_and_a_deletion_at_once_are_never_both(researcher: User) -> None:
    for attempt in range(5):
        policy = made(run_of("sft", f"raced {attempt}"))
        start = lambda policy=policy: run_of("evaluate", "e", {}, {"policy": policy})  # noqa: E731
        outcomes = all_at_once([lambda policy=policy: delete(policy, researcher), start])
        lost = [type(one) for one in outcomes if isinstance(one, Exception)]
        assert lost in ([Conflict], [WeightsGone])


def test_the_page_says_who_when_and_why(rosa: Client, policy: Checkpoint) -> None:
    address = reverse("checkpoint-delete", args=[policy.pk])
    refused = rosa.post(address, {"typed": "wrong", "why": "Room."})
    assert refused.status_code == 422
    assert "type the checkpoint’s name" in refused.content.decode()
    assert rosa.post(address, {"typed": policy.name, "why": "Room for the next."}).status_code == 302
    page = rosa.get(reverse("checkpoint-detail", args=[policy.pk])).content.decode()
    assert "Room for the next." in page
    assert "Rosa" in page
    assert rosa.get(reverse("checkpoint-download", args=[policy.pk])).status_code == 409
    assert "deleted" in rosa.get(reverse("checkpoint-list")).content.decode()
