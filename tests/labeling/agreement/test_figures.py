"""All figures at once, against counting one by one."""

import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import krippendorff
import numpy as np
import pytest

from labeling.agreement.figures import Figures, compute
from labeling.agreement.labels import Labels
from labeling.evaluation.agreement import compare
from tests.labeling.agreement.orders import random_items, rankings

CODES = {"use_case": 3, "batch": 40, "round": 3, "guideline": 2, "cohort": 2, "purpose": 1}


def random_labels(seed: int = 0, items: int = 120) -> Labels:
    """Rankings, ratings and flags with gaps; flag `b` was not asked in every second item."""
    rng = np.random.default_rng(seed)
    made = rankings(random_items(seed, items))
    several = np.isin(made.item, [at for at in range(items) if np.sum(made.item == at) > 1])
    kept, item = np.unique(made.item[several], return_inverse=True)
    made = made._replace(places=made.places[several], item=item, labeler=made.labeler[several])
    ranked = made.places > 0
    of_item = {name: rng.integers(0, count, size=len(kept))[item] for name, count in CODES.items()}
    when = [datetime(2026, 1, 1 + day, tzinfo=UTC).timestamp() for day in rng.integers(0, 5, size=len(item))]
    return Labels(
        rankings=made,
        ratings=(rng.integers(0, 8, size=ranked.shape) * ranked).astype(np.uint8),
        flags=rng.integers(0, 4, size=ranked.shape) * ranked,
        asked=np.where(item % 2 == 0, 3, 1),
        flag_keys=["a", "b", "never-asked"],
        about={**of_item, "made": np.array(when, dtype=np.int64)},
        items=np.arange(len(kept)) + 1000,
        completions=np.zeros((len(kept), made.places.shape[1]), dtype=np.int64),
        labelers=np.arange(6) + 500,
    )


@pytest.fixture(scope="module")
def labels() -> Labels:
    return random_labels()


@pytest.fixture(scope="module")
def figures(labels: Labels) -> Figures:
    return compute(labels)


def rows_where(labels: Labels, holds: Callable[[int], bool]) -> list[tuple[int, int]]:
    """Every two rankings of one item that both hold."""
    at = [row for row in range(len(labels.rankings.item)) if holds(row)]
    return [(a, b) for a, b in itertools.combinations(at, 2) if labels.rankings.item[a] == labels.rankings.item[b]]


def as_mapping(labels: Labels, row: int) -> dict[str, int]:
    return {str(at): int(place) for at, place in enumerate(labels.rankings.places[row]) if place}


def counted(labels: Labels, pairs: Sequence[tuple[int, int]]) -> tuple[float, int]:
    """The rate and the items it rests on, by the loop of evaluation/agreement.py."""
    found = [(labels.rankings.item[a], compare(as_mapping(labels, a), as_mapping(labels, b))) for a, b in pairs]
    rate = sum(pair.alike for _, pair in found) / sum(pair.counted for _, pair in found)
    return rate, len({item for item, pair in found if pair.counted})


def test_overall_and_every_group(labels: Labels, figures: Figures) -> None:
    overall = figures.overall.rankings.ties_excluded
    everything = rows_where(labels, lambda row: True)
    assert overall is not None and overall.value == pytest.approx(counted(labels, everything)[0])
    assert figures.comparisons == len(everything)
    for name in CODES:
        column = labels.about[name]
        values = sorted(set(column.tolist()) - ({0} if name == "round" else set()))
        assert list(figures.groups[name]) == values
        for value in values:
            found = figures.groups[name][value].ties_excluded
            assert found is not None
            pairs = rows_where(labels, lambda row, value=value, column=column: column[row] == value)  # type: ignore[misc]
            assert (found.value, found.items) == pytest.approx(counted(labels, pairs), abs=1e-6)


def test_labelers_two_by_two(labels: Labels, figures: Figures) -> None:
    assert len(figures.pairs) == 15
    for (one, other), found in figures.pairs.items():
        assert one < other
        both = (one - 500, other - 500)
        pairs = rows_where(labels, lambda row, both=both: labels.rankings.labeler[row] in both)  # type: ignore[misc]
        assert found.value == pytest.approx(counted(labels, pairs)[0], abs=1e-6)


def test_a_labeler_against_the_majority_of_the_others(labels: Labels, figures: Figures) -> None:
    places, item = labels.rankings.places.astype(int), labels.rankings.item
    for labeler in range(6):
        alike = seen = 0
        for row in np.flatnonzero(labels.rankings.labeler == labeler):
            others = [places[at] for at in np.flatnonzero(item == item[row]) if at != row]
            k = int(np.count_nonzero(places[row]))
            for a, b in itertools.combinations(range(k), 2):
                vote = sum(np.sign(other[b] - other[a]) for other in others)
                mine = np.sign(places[row][b] - places[row][a])
                seen += bool(vote and mine)
                alike += bool(vote and mine and np.sign(vote) == mine)
        found = figures.others[labeler + 500]
        assert found is not None and found.value == pytest.approx(alike / seen, abs=1e-6)


def test_periods_are_days_by_the_later_of_the_two(labels: Labels, figures: Figures) -> None:
    assert [period.first for period in figures.periods] == [date(2026, 1, day) for day in range(1, 6)]
    day = [datetime.fromtimestamp(made, tz=UTC).day for made in labels.about["made"].tolist()]
    for period in figures.periods:
        assert period.first == period.last
        pairs = [
            pair for pair in rows_where(labels, lambda row: True) if max(day[pair[0]], day[pair[1]]) == period.first.day
        ]
        assert period.ties_excluded is not None
        assert period.ties_excluded.value == pytest.approx(counted(labels, pairs)[0], abs=1e-6)


@pytest.mark.parametrize(
    ("days", "starts"),
    [
        ([0, 60], [date(2026, 1, 5), date(2026, 3, 9)]),
        ([0, 500], [date(2026, 1, 1), date(2027, 5, 1)]),
    ],
)
def test_longer_spans_have_weeks_from_monday_or_months(labels: Labels, days: list[int], starts: list[date]) -> None:
    begin = int(datetime(2026, 1, 8, tzinfo=UTC).timestamp())  # a Thursday
    later = labels.rankings.item >= 50
    made = np.where(later, begin + days[1] * 86400, begin)
    found = compute(labels._replace(about={**labels.about, "made": made})).periods
    assert [period.first for period in found] == starts


def units(labels: Labels) -> list[tuple[int, int]]:
    return sorted(
        {(int(item), slot) for item in labels.rankings.item for slot in range(labels.rankings.places.shape[1])}
    )


def by_coder(labels: Labels, values: Any, there: Any) -> Any:
    """[labelers, units], NaN where a labeler said nothing."""
    at = {unit: column for column, unit in enumerate(units(labels))}
    table = np.full((6, len(at)), np.nan)
    for row, (item, labeler) in enumerate(zip(labels.rankings.item, labels.rankings.labeler, strict=True)):
        for slot in np.flatnonzero(there[row]):
            table[labeler, at[int(item), int(slot)]] = values[row, slot]
    return table


@pytest.mark.parametrize("level", ["ordinal", "interval"])
def test_ratings_against_the_package(labels: Labels, figures: Figures, level: str) -> None:
    table = by_coder(labels, labels.ratings, labels.ratings > 0)
    theirs = krippendorff.alpha(table, level_of_measurement=level, value_domain=range(1, 8))
    ours = getattr(figures.overall, f"rating_{level}")
    assert ours.value == pytest.approx(theirs, abs=1e-5)


def test_flags_where_they_were_asked(labels: Labels, figures: Figures) -> None:
    assert [flag.key for flag in figures.flags] == ["a", "b"]
    for bit, flag in enumerate(figures.flags):
        asked = (labels.rankings.places > 0) & ((labels.asked >> bit & 1) > 0)[:, None]
        table = by_coder(labels, labels.flags >> bit & 1, asked)
        given = [column[~np.isnan(column)] for column in table.T]
        assert (flag.ticked, flag.answers) == (np.nansum(table), sum(len(column) for column in given))
        same = [np.mean([a == b for a, b in itertools.combinations(column, 2)]) for column in given if len(column) > 1]
        assert flag.same is not None and flag.same.value == pytest.approx(np.mean(same), abs=1e-6)
        # Alpha differs from kappa by its correction for few units, and by the weights of units of several sizes.
        alpha = krippendorff.alpha(table, level_of_measurement="nominal", value_domain=[0, 1])
        assert flag.kappa is not None and flag.kappa.value == pytest.approx(alpha, abs=0.03)


def test_intervals_hold_the_value_and_are_narrower_overall_than_in_a_part(figures: Figures) -> None:
    whole, part = figures.overall.rankings.ties_excluded, figures.groups["cohort"][0].ties_excluded
    for found in (whole, part):
        assert found is not None and found.low is not None and found.high is not None
        assert found.low < found.value < found.high
    assert whole and part and whole.high and whole.low and part.high and part.low
    assert whole.high - whole.low < part.high - part.low


def test_no_labels_have_no_figures(labels: Labels) -> None:
    nothing = Labels(
        rankings=labels.rankings._replace(
            places=labels.rankings.places[:0], item=labels.rankings.item[:0], labeler=labels.rankings.labeler[:0]
        ),
        ratings=labels.ratings[:0], flags=labels.flags[:0], asked=labels.asked[:0], flag_keys=labels.flag_keys,
        about={name: column[:0] for name, column in labels.about.items()},
        items=labels.items[:0], completions=labels.completions[:0], labelers=labels.labelers[:0],
    )  # fmt: skip
    found = compute(nothing)
    assert found.comparisons == 0
    assert set(found.overall.rankings) == {None}
    assert set(found.overall[1:]) == {None}
    assert (found.pairs, found.others, found.flags, found.periods) == ({}, {}, [], [])
    assert all(group == {} for group in found.groups.values())
