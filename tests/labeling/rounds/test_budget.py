"""Two rounds share the labelers by their priority, and a round whose budget is used up pauses itself."""

import pytest

from labeling.errors import BadInput, Conflict
from labeling.models import Batch, Kind, Labeler, Round, RoundEvent, User
from labeling.queue import dispatch
from labeling.rounds import advance, control
from labeling.rounds.opening import open_round
from tests.labeling.queue.test_weights import served
from tests.labeling.rounds.test_advance import stage, states, write_all
from tests.labeling.rounds.test_control import state

pytestmark = pytest.mark.django_db


# ── Priority ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_two_rounds_share_the_labelers_by_their_priority(round_: Round, researcher: User, labeler: Labeler) -> None:
    other = open_round(name="r2", settings=round_.settings, seed=2, user=researcher)
    for one in (round_, other):
        advance.advance(one.pk)
    control.weigh(round_.pk, "3", researcher)
    batches = [stage(one, "demonstrate").batch for one in (round_, other)]
    assert served(labeler, [batch for batch in batches if batch], 8) == "BAAABABB"
    event = round_.events.first()
    assert event is not None
    assert (event.what, event.details) == ("weight", {"changed": {"priority": [1, 3]}})


def test_batches_that_open_later_have_the_priority_too(round_: Round, researcher: User) -> None:
    control.weigh(round_.pk, 7, researcher)
    advance.advance(round_.pk)
    assert Batch.objects.get().weight == 7


@pytest.mark.parametrize("weight", ["0", "101", "", "a lot", "1.5", "-1"])
def test_a_priority_out_of_bounds_is_refused(round_: Round, researcher: User, weight: str) -> None:
    with pytest.raises(BadInput, match="from 1 to 100"):
        control.weigh(round_.pk, weight, researcher)


# ── Budget ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_round_whose_labels_are_used_up_pauses_itself_and_says_why(
    round_: Round, researcher: User, labeler: Labeler
) -> None:
    control.set_budget(round_.pk, {"labels": "2", "hours": ""}, researcher)
    advance.advance(round_.pk)
    batch = stage(round_, "demonstrate").batch
    assert batch is not None
    assert served(labeler, [batch], 2) == "AA"
    advance.advance(round_.pk)
    assert state(round_) == "paused"
    event = round_.events.first()
    assert event is not None
    assert (event.what, event.who) == ("paused", None)
    assert event.details["why"] == "The budget of 2 labels is used up: 2 are there."
    assert dispatch.claim(labeler, Kind.DEMONSTRATE) is None
    with pytest.raises(Conflict, match="Raise the budget first"):
        control.resume(round_.pk, researcher)
    control.set_budget(round_.pk, {"labels": "10"}, researcher)
    control.resume(round_.pk, researcher)
    advance.advance(round_.pk)
    assert state(round_) == "running"
    assert round_.events.filter(what=RoundEvent.What.BUDGET).first().details == {  # type: ignore[union-attr]
        "changed": {"labels": [2, 10]}
    }


def test_a_budget_that_covers_all_of_peoples_work_pauses_nothing(round_: Round, labeler: Labeler) -> None:
    """The four demonstrations and no more: what follows is runs, but people's later stages would spend again."""
    Round.objects.update(settings={**round_.settings, "budget": {"labels": 5}})
    advance.advance(round_.pk)
    write_all(labeler)
    advance.advance(round_.pk)
    assert (state(round_), states(round_)["demonstrate"]) == ("running", "done")


@pytest.mark.parametrize("values", [{"labels": "many"}, {"labels": "0"}, {"hours": "-1"}, {"hours": "nan"}])
def test_a_budget_that_is_none_is_refused(round_: Round, researcher: User, values: dict[str, str]) -> None:
    with pytest.raises(BadInput, match="budget"):
        control.set_budget(round_.pk, values, researcher)
