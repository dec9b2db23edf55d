"""What a round would take, before it is opened: labels, hours, money, machine time. Only reads.

Hours are labels times the median active time of this project's past labels of the kind, and machine time the work of a
stage at the pace of past runs of its recipe on this installation. Where there are none, that is said instead.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from django.utils import timezone

from labeling.labelers.models import Cohort, Labeler
from labeling.queue.models import Kind
from labeling.queue.settings import share
from labeling.rounds import pace, plan, selection
from labeling.rounds.models import Round
from labeling.rounds.settings import Settings

CENT = Decimal("0.01")
Z = 1.96  # 95 %


class People(NamedTuple):
    """What a stage asks of people."""

    stage: str
    cohort: str
    kind: str
    prompts: int
    items: int
    labels: int
    hours: float


class Machine(NamedTuple):
    """What a stage asks of a machine; None: no run of its recipe has been done here."""

    stage: str
    recipe: str
    seconds: float | None


class Money(NamedTuple):
    cohort: Cohort
    hours: float
    labelers: int
    amounts: Mapping[str, Decimal]  # by currency: the hours at the mean of the rates that are set in it


@dataclass(frozen=True)
class Estimate:
    people: list[People] = field(default_factory=list)
    machine: list[Machine] = field(default_factory=list)
    money: list[Money] = field(default_factory=list)
    basis: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def labels(self) -> int:
        """Those that the round waits for: what it puts up for the next is not among them."""
        return sum(row.labels for row in self.people if row.stage != "requeue")

    @property
    def hours(self) -> float:
        return sum(row.hours for row in self.people if row.stage != "requeue")

    @property
    def seconds(self) -> float:
        return sum(row.seconds or 0 for row in self.machine)

    @property
    def unknown(self) -> list[str]:
        """Recipes of which no run was done here, so that the time lacks theirs."""
        return list(dict.fromkeys(row.recipe for row in self.machine if row.seconds is None))


def of(settings: Settings, seed: int) -> Estimate:
    """For settings that plan.parse has checked."""
    round_ = Round(seed=seed, created_at=timezone.now())  # never saved: prompts are counted as if it were opened now
    seconds, basis = pace.of_labels()
    people = list(_people(settings, seconds))
    machine = list(_machine(settings, round_))
    money = [_money(cohort, people) for cohort in Cohort if any(row.cohort == cohort for row in people)]
    found = Estimate(people, machine, money, basis)
    return Estimate(people, machine, money, basis, list(_warnings(settings, found)))


def _people(settings: Settings, seconds: Mapping[str, float]) -> Iterator[People]:
    counts, run = settings.prompts, set(settings.run)

    def row(stage: str, cohort: str, kind: str, prompts: int, items: int, labels: int) -> People:
        return People(stage, cohort, kind, prompts, items, labels, labels * seconds[kind] / 3600)

    if "sft" in run:
        wanted = counts.demonstrate
        yield row("demonstrate", Cohort.TRAINING, Kind.DEMONSTRATE, wanted, wanted, wanted)
    if "reward_model" in run:
        items = counts.rank * settings.rankings_per_prompt
        yield row("rank", Cohort.TRAINING, Kind.RANK, counts.rank, items, labels_of_rankings(settings, items))
        items = counts.rank_valid * settings.rankings_per_prompt
        yield row("rank_valid", Cohort.HELD_OUT, Kind.RANK, counts.rank_valid, items, items)
    if "judge" in run:
        labels = counts.judge * settings.judges
        yield row("judge", Cohort.HELD_OUT, Kind.RANK, counts.judge, counts.judge, labels)
    if "requeue" in run:
        labels = labels_of_rankings(settings, counts.requeue) if settings.mix is not None else counts.requeue
        yield row("requeue", Cohort.TRAINING, Kind.RANK, counts.requeue, counts.requeue, labels)


def labels_of_rankings(settings: Settings, items: int) -> int:
    """Of so many items for training: some go to several labelers. Disagreement and gold items come on top."""
    if settings.mix is None:
        return items + share(settings.overlap, items)
    mixed = settings.mixed
    return items + share(mixed.calibration_share, items) * (mixed.calibration_labelers - 1)


def _machine(settings: Settings, round_: Round) -> Iterator[Machine]:
    counts = settings.prompts
    train = selection.eligible(round_, counts, "train").count()
    measured = counts.rank_valid
    rows = {
        "sft": {"demonstrations": counts.demonstrate},
        "sample": {"prompts": settings.pool + counts.rank_valid},
        "score": {"completions": settings.pool * settings.samples},
        "reward_model": {"rankings": counts.rank * settings.rankings_per_prompt},
        "ppo": {"prompts": counts.ppo or train},
        "ppo_ptx": {"prompts": counts.ppo or train},
        "requeue": {"prompts": counts.requeue},
    }
    for stage in plan.stages(settings):
        recipe = plan.recipe_of(stage.name)
        if not recipe:
            continue
        reads = rows.get(stage.name, {"prompts": counts.judge if recipe == "sample" else measured})
        spec = dict(settings.specs.get(stage.name if stage.name in settings.specs else recipe, {}))
        if recipe == "sample":
            spec["samples_per_prompt"] = {"sample": settings.samples, "requeue": settings.k}.get(stage.name, 1)
        yield Machine(stage.name, recipe, pace.of_run(recipe, spec, reads))


def _money(cohort: Cohort, people: list[People]) -> Money:
    hours = sum(row.hours for row in people if row.cohort == cohort and row.stage != "requeue")
    active = list(at_work(cohort))
    by_currency: dict[str, list[Decimal]] = {}
    for labeler in active:
        if labeler.hourly_rate is not None:
            by_currency.setdefault(labeler.currency, []).append(labeler.hourly_rate)
    paid = sum(map(len, by_currency.values()))
    amounts = {
        # Who is paid in this currency does their part of the hours.
        currency: (Decimal(hours) * sum(rates, Decimal(0)) / paid).quantize(CENT)
        for currency, rates in sorted(by_currency.items())
    }
    return Money(cohort, hours, len(active), amounts)


def at_work(cohort: str) -> Iterator[Labeler]:
    """The labelers of a cohort who may work now."""
    yield from Labeler.objects.filter(cohort=cohort, state=Labeler.State.ACTIVE)


def _warnings(settings: Settings, found: Estimate) -> Iterator[str]:
    at = {row.cohort: row.labelers for row in found.money}
    run = set(settings.run)
    for cohort in (row.cohort for row in found.money if not row.labelers):
        yield f"Nobody of the {cohort.label.lower()} cohort is at work: its labels would wait for somebody."
    if "judge" in run and 0 < at.get(Cohort.HELD_OUT, 0) < settings.judges:
        yield (
            f"A prompt is to be judged by {settings.judges} held-out labelers, with {at[Cohort.HELD_OUT]} at work: "
            "the judgement would not end."
        )
    several = settings.mixed.calibration_labelers if settings.mix is not None else 2
    shared = settings.mixed.calibration_share if settings.mix is not None else settings.overlap
    if "reward_model" in run and shared and 0 < at.get(Cohort.TRAINING, 0) < several:
        yield (
            f"Some items are to be ranked by {several} training labelers, with {at[Cohort.TRAINING]} at work: "
            "these items would stay open."
        )
    for money in found.money:
        if money.labelers and not money.amounts:
            yield f"No rate is set for the {money.cohort.label.lower()} cohort, so the cost lacks their hours."
    yield from _wishes(settings, found)


def _wishes(settings: Settings, found: Estimate) -> Iterator[str]:
    """Where the settings miss what is wished, or go beyond what may be spent."""
    targets, budget = settings.targets, settings.budget
    if found.labels < targets.get("labels", 0):
        yield f"The round asks for {found.labels:,} labels; {targets['labels']:,} are wished."
    if found.labels > budget.get("labels", found.labels):
        yield f"The round asks for {found.labels:,} labels; the budget is {budget['labels']:,}."
    if found.hours > budget.get("hours", found.hours):
        yield f"The labels take about {found.hours:,.0f} hours; the budget is {budget['hours']:,.0f}."
    width = targets.get("interval")
    if width and "judge" in settings.run and interval(settings.prompts.judge) > width:
        yield (
            f"With {settings.prompts.judge:,} judged prompts the 95 % interval of an even win rate is about "
            f"{interval(settings.prompts.judge):.2f} wide; {width:g} takes {prompts_for(width):,} prompts."
        )


def interval(prompts: int) -> float:
    """Width of the 95 % interval of a win rate of one half over so many prompts, by the normal approximation; ties and
    several judges a prompt make it narrower."""
    return float(2 * Z * 0.5 / prompts**0.5)


def prompts_for(width: float) -> int:
    """How many prompts give an interval at most so wide."""
    return -int(-((Z / width) ** 2) // 1)
