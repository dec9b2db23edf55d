"""Kappas against published tables."""

import itertools
from typing import Any

import numpy as np
import pytest

from labeling.agreement.kappa import cohen, cohen_of, fleiss, unanimity
from labeling.agreement.resampling import Measure, estimate
from tests import datasets

# The worked example of Wikipedia's article on Fleiss' kappa: ten units, fourteen raters, five categories; 0.210.
FLEISS = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip


def value(measure: Measure) -> float | None:
    found = estimate(measure, resamples=1)
    return found.value if found else None


@pytest.mark.parametrize(
    ("table", "published"),
    [([[20, 5], [10, 15]], 0.4), ([[45, 15], [25, 15]], 0.1304), ([[25, 35], [5, 35]], 0.2593)],
)
def test_cohens_kappa_of_published_tables(table: Any, published: float) -> None:
    """The three tables of Wikipedia's article on Cohen's kappa."""
    assert value(cohen([table])) == pytest.approx(published, abs=5e-5)
    halves = np.array([table, table]) / 2
    assert value(cohen(halves)) == pytest.approx(published, abs=5e-5)


def test_cohens_kappa_is_undefined_where_both_always_say_the_same() -> None:
    assert value(cohen([[[7, 0], [0, 0]]])) is None
    assert value(cohen(np.zeros((1, 2, 2)))) is None
    assert float(cohen_of(np.array([[0.0, 7.0], [0.0, 0.0]]))) == 0.0


def test_fleiss_kappa_of_the_published_table() -> None:
    assert value(fleiss(np.array(FLEISS)[:, None])) == pytest.approx(0.210, abs=5e-4)


def test_units_are_counted_alike_however_they_are_spread_over_items() -> None:
    assert value(fleiss(np.array(FLEISS).reshape(5, 2, 5))) == pytest.approx(0.210, abs=5e-4)


def test_fleiss_kappa_leaves_out_what_one_labeler_alone_saw() -> None:
    alone = [[0, 1, 0, 0, 0], [0, 0, 0, 0, 0]]
    assert value(fleiss(np.array([*FLEISS, *alone])[:, None])) == pytest.approx(0.210, abs=5e-4)


def test_fleiss_kappa_is_undefined_without_variety_or_overlap() -> None:
    assert value(fleiss([[[3, 0]], [[2, 0]]])) is None
    assert value(fleiss([[[1, 0]], [[0, 1]]])) is None


def test_unanimity_by_hand() -> None:
    """Of 3 labelers 2:1, one of three twos agrees; of 2 labelers 2:0, the only two does."""
    assert value(unanimity([[[2, 1]], [[0, 2]]])) == pytest.approx((1 / 3 + 1) / 2)


def test_cohens_kappas_of_pandalm() -> None:
    """Our data are 705 of the authors' 999 items; their kappas for the whole lie within our intervals."""
    rows = datasets.read("pandalm/testset-v1.json")
    reference = datasets.read("iaa_reference/reference.json")["computed_on_this_data"]["pandalm/testset-v1.json"]
    authors = {"1-2": 0.85, "1-3": 0.88, "2-3": 0.86}
    for one, other in itertools.combinations((1, 2, 3), 2):
        tables = np.zeros((len(rows), 3, 3))
        for at, row in enumerate(rows):
            tables[at, row[f"annotator{one}"], row[f"annotator{other}"]] = 1
        found = estimate(cohen(tables))
        assert found is not None and found.low is not None and found.high is not None
        assert found.value == pytest.approx(reference["cohen_kappa"][f"{one}-{other}"], abs=1e-6)
        assert found.low < authors[f"{one}-{other}"] < found.high
