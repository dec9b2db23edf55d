"""What a round would take: counted by hand."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from labeling.models import ActiveSpan, Assignment, Labeler
from labeling.rounds import estimate, pace, plan
from tests.labeling.rounds.test_parts import part
from tests.labeling.rounds.test_plan import settings, with_prompts
from tests.work import writing_work
from training.models import Dataset, Run, RunInput

pytestmark = pytest.mark.django_db


def of(wanted: dict[str, Any]) -> estimate.Estimate:
    return estimate.of(plan.parse(wanted), seed=1)


def labels(found: estimate.Estimate) -> dict[str, int]:
    return {row.stage: row.labels for row in found.people}


def test_labels_per_stage() -> None:
    """100 rankings: 12 % get a second labeler. 3 prompts, judged by 4 each. What is put up for later does not count."""
    found = of(with_prompts(rank=100) | {"judges": 4, "mix": None})
    assert labels(found) == {"demonstrate": 4, "rank": 112, "rank_valid": 2, "judge": 12, "requeue": 2}
    assert found.labels == 4 + 112 + 2 + 12
    assert {row.stage: row.cohort for row in found.people}["judge"] == "held_out"


def test_calibration_items_get_several_labelers() -> None:
    """15 of 100 items get three labelers instead of one: 30 labels more. Two rankings a prompt are twice the items."""
    assert labels(of(with_prompts(rank=100)))["rank"] == 130
    assert labels(of(with_prompts(rank=100) | {"rankings_per_prompt": 2}))["rank"] == 260


def test_without_past_labels_the_assumption_is_stated() -> None:
    found = of(part("sft", specs=("sft",), base=1))
    assert found.hours == pytest.approx(4 * 600 / 3600)
    assert any("assumed to take 10 minutes" in sentence for sentence in found.basis)


def test_hours_are_the_median_of_what_labels_took(labeler: Labeler) -> None:
    """1, 2, 3, 4 and 30 minutes: the median is 3. One of a simulated labeler's is left out."""
    spend(labeler, 60, 120, 180, 240, 1800)
    found = of(part("sft", specs=("sft",), base=1))
    assert found.hours == pytest.approx(4 * 3 / 60)
    Labeler.objects.update(is_simulated=True)
    assert of(part("sft", specs=("sft",), base=1)).hours == pytest.approx(4 * 600 / 3600)


def spend(labeler: Labeler, *seconds: int) -> None:
    """As many demonstrations, and how long each took; one in two spans."""
    batch = writing_work(len(seconds))
    at = timezone.now() - timedelta(days=1)
    for number, (item, time) in enumerate(zip(batch.items.all(), seconds, strict=True)):
        done = Assignment.objects.create(
            item=item, labeler=labeler, lane=item.lane, state=Assignment.State.DONE, expires_at=at, ended_at=at
        )
        for length in (time // 2, time - time // 2):
            ActiveSpan.objects.create(
                labeler=labeler, assignment=done, started_at=at, ended_at=at + timedelta(seconds=length), is_last=False
            )
            at += timedelta(hours=1 + number)


def test_cost_is_the_hours_at_the_mean_rate(labeler: Labeler, second_labeler: Labeler) -> None:
    """12 demonstrations are 2 hours; 20 and 30 an hour are 25 on average: 50."""
    Labeler.objects.filter(pk=labeler.pk).update(hourly_rate=20)
    Labeler.objects.filter(pk=second_labeler.pk).update(hourly_rate=30)
    wanted = part("sft", specs=("sft",), base=1, prompts={"demonstrate": 12})
    (money,) = of(wanted).money
    assert (money.labelers, dict(money.amounts)) == (2, {"USD": Decimal("50.00")})


def test_two_currencies_share_the_hours(labeler: Labeler, second_labeler: Labeler) -> None:
    Labeler.objects.filter(pk=labeler.pk).update(hourly_rate=20)
    Labeler.objects.filter(pk=second_labeler.pk).update(hourly_rate=30, currency="EUR")
    (money,) = of(part("sft", specs=("sft",), base=1, prompts={"demonstrate": 12})).money
    assert dict(money.amounts) == {"EUR": Decimal("30.00"), "USD": Decimal("20.00")}


def test_too_few_people_are_said(labeler: Labeler, held_out_labeler: Labeler) -> None:
    said = " ".join(of(settings(judges=3)).warnings)
    assert "judged by 3 held-out labelers, with 1 at work" in said
    assert "ranked by 3 training labelers, with 1 at work" in said
    assert "Nobody of" not in said


def test_nobody_at_work_is_said() -> None:
    assert "Nobody of the held-out cohort" in " ".join(of(settings()).warnings)


def test_budget_and_targets() -> None:
    """Table of the normal distribution: (1.96 / 0.1)^2 = 384.16, so 385 prompts for an interval 0.1 wide."""
    wanted = settings(budget={"labels": 5, "hours": 0.5}, targets={"interval": 0.1, "labels": 1000})
    said = " ".join(of(wanted).warnings)
    assert "the budget is 5." in said
    assert "1,000 are wished" in said
    assert "0.1 takes 385 prompts" in said
    assert estimate.interval(385) == pytest.approx(0.0999, abs=1e-4)
    assert estimate.interval(100) == pytest.approx(0.196)


def test_machine_time_is_the_pace_of_past_runs() -> None:
    """10 demonstrations in 2 epochs took 40 s, so 2 s a piece; 4 demonstrations in 2 epochs take 16 s."""
    assert pace.of_run("sft", {}, {}) is None
    dataset = Dataset.objects.create(kind="demonstrations", sha256="1" * 64, path="d", rows=10)
    now = timezone.now()
    run = Run.objects.create(
        recipe="sft", name="past", spec={"epochs": 2}, seed=1, state=Run.State.DONE, started_at=now,
        finished_at=now + timedelta(seconds=40),
    )  # fmt: skip
    RunInput.objects.create(run=run, name="demonstrations", dataset=dataset)
    found = {row.stage: row.seconds for row in of(settings()).machine}
    assert found["sft"] == pytest.approx(16)
    assert found["ppo"] is None
    assert "ppo" in of(settings()).unknown
    assert "sft" not in of(settings()).unknown
