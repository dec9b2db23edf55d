"""A round's settings reach its batches of rankings; what labelers do with known items does not hold it up."""

from collections import Counter

import pytest

from labeling.errors import BadInput
from labeling.models import Batch, Control, Prompt, Round, User, WorkItem
from labeling.quality import drift
from labeling.queue.settings import PLAIN, Settings
from labeling.rounds import people, plan
from tests.labeling.quality.known import origins
from tests.labeling.rounds.conftest import make_round
from tests.labeling.rounds.test_plan import settings as round_settings
from tests.work import make_completions
from training.models import Checkpoint, Run


@pytest.mark.parametrize(
    ("mix", "expected"),
    [
        ({}, Settings()),
        ({"weight": 3, "drift_count": 2}, Settings(weight=3, drift_count=2)),
        (None, PLAIN),
    ],
)
def test_what_is_left_out_has_its_default(mix: dict[str, int] | None, expected: Settings) -> None:
    assert plan.parse(round_settings(mix=mix)).mixed == expected
    assert plan.parse(round_settings()).mixed == Settings()


@pytest.mark.parametrize(
    ("mix", "sentence"),
    [
        ({"calibration_share": 2}, "The calibration share is 2"),
        ({"calibration_labelers": 6}, "an item can get 5 at most"),
        ({"spice": 1}, "no setting “spice”; there are weight, calibration_share"),
        ([1], "“mix” must be an object"),
    ],
)
def test_a_round_with_settings_that_cannot_be_is_not_opened(mix: object, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        plan.parse(round_settings(mix=mix))


def sampled(round_: Round) -> Round:
    """The round's sampling stage has made four samples for each of its six training prompts."""
    stage = round_.stages.get(name="sample")
    stage.run = Run.objects.create(recipe="sample", name="sample", spec={}, seed=1, state=Run.State.DONE)
    stage.save()
    policy = Checkpoint.objects.create(name="policy", kind=Checkpoint.Kind.POLICY, path="runs/x/checkpoint")
    stage.run.parents.create(role="policy", checkpoint=policy)

    for prompt in Prompt.objects.filter(split="train", source="here"):
        make_completions(stage.run, prompt, [f"{prompt.text}: {number}" for number in range(4)])
    return round_


def opened(round_: Round, mix: object) -> Batch:
    Round.objects.filter(pk=round_.pk).update(settings={**round_.settings, "mix": mix})
    round_.refresh_from_db()
    return people.open_batch(round_, round_.stages.get(name="rank"), plan.parse(round_.settings))


@pytest.mark.django_db
def test_without_a_mix_the_first_items_go_to_two_as_before(researcher: User) -> None:
    """0.12 of six items is one, the first in the line."""
    batch = opened(sampled(make_round(researcher)), None)
    assert list(batch.items.order_by("pos").values_list("need", flat=True)) == [2, 1, 1, 1, 1, 1]
    assert set(batch.items.values_list("control", flat=True)) == {Control.ORDINARY}
    assert batch.settings == PLAIN


@pytest.mark.django_db
def test_with_one_its_batch_is_mixed(researcher: User) -> None:
    for item in origins(3):
        drift.add(researcher, item)
    round_ = sampled(make_round(researcher))
    batch = opened(round_, {"calibration_share": 0.34, "drift_count": 2})
    assert batch.seed == round_.seed
    assert Counter(batch.items.values_list("control", flat=True)) == {
        Control.ORDINARY: 4,
        Control.CALIBRATION: 2,
        Control.DRIFT: 2,
    }
    batch.items.exclude(control=Control.DRIFT).update(taken=3, done=3, need=3, is_open=False)
    assert people.is_done(batch)
    people.close(batch)
    assert not WorkItem.objects.filter(batch=batch, is_open=True).exists()
