"""`make screenshots`: the pages of a round for docs/researcher-guide.md. Not a part of the suite."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from labeling.demonstrations.submit import submit as write
from labeling.exports import freeze
from labeling.guidelines.publish import ensure_first
from labeling.models import ActiveSpan, Cohort, Kind, Labeler, Round, Stage, User
from labeling.queue import dispatch
from labeling.rankings.cards import cards
from labeling.rankings.submit import submit
from labeling.rounds import advance, control, take_up
from labeling.rounds.opening import open_round
from tests.browser.photograph import Look, artifacts, photographer, take_in_prompts  # noqa: F401 (fixtures)
from tests.labeling.rounds.test_advance import end_run, stage
from tests.labeling.rounds.test_plan import settings as round_settings
from tests.people import make_labeler
from training import storage
from training.models import Run

pytestmark = pytest.mark.browser


def test_the_opening_form(photograph: Look) -> None:
    take_in_prompts(train=420, valid=60, test=80)
    ensure_first()
    for texts in (["A text.", "Another."], ["A third."]):
        freeze.freeze_texts(texts)
    for number in range(6):
        person = make_labeler(f"labeler-{number}", Cohort.HELD_OUT if number > 3 else Cohort.TRAINING)
        Labeler.objects.filter(pk=person.pk).update(hourly_rate=24)
    photograph(reverse("round-new") + "?preset=toy", "round-new", height=1250)


def test_a_round_at_work(photograph: Look, researcher: User) -> None:
    round_ = round_at_ranking(researcher)
    photograph(reverse("round-detail", args=[round_.pk]), "round", height=1500)


def round_at_ranking(researcher: User) -> Round:
    """Paused once, its SFT tried again once, and labelers in the middle of ranking."""
    take_in_prompts(train=120, valid=20, test=30)
    wanted = round_settings(
        prompts={"demonstrate": 24, "rank": 40, "rank_valid": 10, "judge": 20, "requeue": 10},
        texts=freeze.freeze_texts(["A text.", "Another."]).pk,
        valid_texts=freeze.freeze_texts(["A third."]).pk,
        guidelines={purpose.value: guideline.pk for purpose, guideline in ensure_first().items()},
    )
    round_ = open_round(name="Assistant, second round", settings=wanted, seed=2, user=researcher)
    people = [make_labeler(name) for name in ("lena", "luis", "mara")]
    advance.advance(round_.pk)
    control.set_budget(round_.pk, {"labels": "160", "hours": "30"}, researcher)
    for at in range(24):
        lease = dispatch.claim(people[at % 3], Kind.DEMONSTRATE)
        assert lease
        write(people[at % 3], lease.pk, "An answer that took some thought.")
        if at == 10:
            control.pause(round_.pk, researcher)
            control.resume(round_.pk, researcher)
    end_run(round_, "pretrain", val_loss=3.412)
    advance.advance(round_.pk)
    Run.objects.filter(stage=stage(round_, "sft")).update(state=Run.State.FAILED, error="The disk is full.")
    advance.advance(round_.pk)
    take_up.retry(stage(round_, "sft"), researcher)
    end_run(round_, "sft", val_loss=2.274, best_epoch=2)
    advance.advance(round_.pk)
    sampled(stage(round_, "sample").run)
    advance.advance(round_.pk)
    for at in range(26):
        lease = dispatch.claim(people[at % 3], Kind.RANK)
        assert lease
        submit(people[at % 3], lease.pk, {card.number: card.number for card in cards(lease)})
    for person in people[:2]:
        dispatch.claim(person, Kind.RANK)
    spread_over_the_day(round_)
    first_round(round_, researcher)
    return round_


def first_round(like: Round, researcher: User) -> None:
    """An earlier round, of which one knows how long its stages take."""
    first = Round.objects.create(name="Assistant, first round", settings={}, created_by=researcher, state="done")
    for one in like.stages.all():
        took = timedelta(minutes=90 if one.name.startswith(("rank", "judge")) else 25)
        ended = timezone.now() - timedelta(days=9)
        Stage.objects.create(
            round=first, name=one.name, position=one.position, state="done", started_at=ended - took, finished_at=ended
        )


def sampled(run: Run | None) -> None:
    """As the recipe `sample` leaves a run."""
    assert run
    path = storage.absolute(run.inputs.get(name="prompts").dataset.path)
    folder = storage.run_folder(run.pk)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "samples.jsonl").open("w") as file:
        for row in map(json.loads, path.read_text().splitlines()):
            for sample in range(run.spec.get("samples_per_prompt", 4)):
                line = {"prompt_id": row["prompt_id"], "prompt": row["prompt"], "sample": sample, "finished": True}
                line |= {"completion": f"Answer {sample}.", "token_ids": [], "logprobs": [], "use_case": "other"}
                file.write(json.dumps(line) + "\n")
    Run.objects.filter(pk=run.pk).update(state=Run.State.DONE)


def spread_over_the_day(round_: Round) -> None:
    """What was made here within a second took hours; the label ids and the order stay."""
    opened = timezone.now() - timedelta(hours=5)
    for span in ActiveSpan.objects.all():
        ActiveSpan.objects.filter(pk=span.pk).update(started_at=span.ended_at - timedelta(minutes=7))
    Round.objects.filter(pk=round_.pk).update(created_at=opened)
    events = list(round_.events.order_by("pk"))
    for at, event in enumerate(events):
        type(event).objects.filter(pk=event.pk).update(at=opened + timedelta(minutes=290 * at / len(events)))
    for at, one in enumerate(round_.stages.exclude(started_at=None).order_by("started_at")):
        started = opened + timedelta(minutes=30 * at)
        finished = started + timedelta(minutes=25) if one.finished_at else None
        round_.stages.filter(pk=one.pk).update(started_at=started, finished_at=finished)
