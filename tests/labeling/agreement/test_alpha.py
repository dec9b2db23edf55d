"""Krippendorff's alpha against published values, the krippendorff package, and its definition spelled out."""

import itertools
from collections.abc import Sequence
from typing import Any

import krippendorff
import numpy as np
import pytest

from labeling.agreement import alpha as measures
from labeling.agreement.alpha import Distances, alpha, alpha_of, coincidences, fixed, interval, nominal, ordinal
from labeling.agreement.pairs import compare
from labeling.agreement.resampling import Estimate, estimate
from tests import datasets
from tests.labeling.agreement.orders import Item, random_items, rankings

# K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section C; 0 stands for a missing value.
FOUR_CODERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
    [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
]


def counted(coders: Sequence[Sequence[Any]]) -> tuple[Any, list[Any]]:
    """Rows of coders, None or 0 missing → counts [items, 1, V], and the values."""
    values = sorted({value for row in coders for value in row if value})
    counts = [[[column.count(value) for value in values]] for column in map(list, zip(*coders, strict=True))]
    return np.array(counts), values


def distances_of(level: str, values: Sequence[float]) -> Distances:
    if level == "ratio":
        return fixed([[((a - b) / (a + b)) ** 2 for b in values] for a in values])
    return {"nominal": nominal, "ordinal": ordinal, "interval": interval(values)}[level]


def alpha_for(coders: Sequence[Sequence[Any]], level: str) -> float | None:
    counts, values = counted(coders)
    found = estimate(alpha(counts, distances_of(level, values)), resamples=1)
    return found.value if found else None


@pytest.mark.parametrize(
    ("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_the_published_example(level: str, published: float) -> None:
    assert alpha_for(FOUR_CODERS, level) == pytest.approx(published, abs=5e-4)


def test_every_published_matrix_at_hand() -> None:
    matrices = datasets.read("iaa_reference/reference.json")["published_matrices"]
    for matrix in matrices:
        for level, published in matrix["alpha"].items():
            assert alpha_for(matrix["data"], level) == pytest.approx(published, abs=5e-4), (matrix["name"], level)
    assert len(matrices) == 2


def values_of(name: str) -> dict[tuple[str, str], int]:
    """(annotator, item) → value; the last one wins where one returns."""
    if "bbq" in name:
        return {(row["annotator"], row["item"]): row["answer"] for row in datasets.read(name)}
    rows = datasets.read(name)
    return {(f"annotator{n}", str(at)): row[f"annotator{n}"] for at, row in enumerate(rows) for n in (1, 2, 3)}


@pytest.mark.parametrize("name", ["pandalm/testset-v1.json", "bbq_annotations/annotations.jsonl.gz"])
def test_reference_values_of_the_data_sets(name: str) -> None:
    reference = datasets.read("iaa_reference/reference.json")["computed_on_this_data"][name]
    given = values_of(name)
    at = {item: n for n, item in enumerate(sorted({item for _, item in given}))}
    counts = np.zeros((len(at), 1, 3))
    for (_, item), value in given.items():
        counts[at[item], 0, value] += 1
    found = estimate(alpha(counts, nominal))
    assert found is not None and found.low is not None and found.high is not None
    assert found.value == pytest.approx(reference["krippendorff_alpha_nominal"], abs=1e-6)
    assert found.low < found.value < found.high


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
@pytest.mark.parametrize("seed", range(4))
def test_against_the_package_with_gaps(level: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = rng.integers(1, 8, size=(9, 200)).astype(float)
    data[rng.random(data.shape) < 0.6] = np.nan
    counts = np.stack([(data == value).sum(axis=0) for value in range(1, 8)], axis=1)
    theirs = krippendorff.alpha(data, level_of_measurement=level, value_domain=range(1, 8))
    # Four units to an item, which only the resampling looks at.
    ours = estimate(alpha(counts.reshape(50, 4, 7), distances_of(level, range(1, 8))), resamples=1)
    assert ours is not None
    assert ours.value == pytest.approx(theirs, abs=1e-5)


def kemeny(mine: Sequence[int], theirs: Sequence[int]) -> float:
    """From the definition: the mean over pairs of half the difference of the signs."""
    pairs = list(itertools.combinations(range(len(mine)), 2))
    apart = [abs(np.sign(mine[a] - mine[b]) - np.sign(theirs[a] - theirs[b])) / 2 for a, b in pairs]
    return float(np.mean(apart))


def test_over_a_distance_between_rankings_of_fixed_options_it_is_the_packages() -> None:
    """Weak orders of three options as values, Kemeny's distance between them."""
    weak = [(1, 2, 3), (1, 3, 2), (2, 1, 3), (3, 1, 2), (1, 1, 2), (2, 1, 1), (1, 1, 1)]
    table = np.array([[kemeny(a, b) for b in weak] for a in weak])
    counts = np.random.default_rng(0).integers(0, 3, size=(80, len(weak)))

    def metric(v1: Any, v2: Any, i1: Any, i2: Any, n_v: Any, dtype: Any = np.float64) -> Any:
        return table[i1, i2]

    theirs = krippendorff.alpha(value_counts=counts, value_domain=list(range(len(weak))), level_of_measurement=metric)
    assert float(alpha_of(coincidences(counts), fixed(table))) == pytest.approx(theirs, abs=1e-5)


def by_definition(items: Sequence[Item]) -> float:
    """1 - D_o / D_e, one ranking with one other at a time; by chance every matching of completions is as likely."""
    several = [list(item.values()) for item in items if len(item) > 1]
    pool = [ranking for rankings_ in several for ranking in rankings_]
    observed = sum(
        kemeny(a, b) / (len(group) - 1) for group in several for a, b in itertools.permutations(group, 2)
    ) / len(pool)
    matched = list(itertools.permutations(range(len(pool[0]))))
    expected = np.mean(
        [kemeny(a, [b[at] for at in order]) for a, b in itertools.permutations(pool, 2) for order in matched]
    )
    return float(1 - observed / expected)


@pytest.mark.parametrize("seed", range(3))
def test_ranking_alpha_by_its_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    items: list[Item] = [
        {labeler: rng.integers(1, 4, size=3).tolist() for labeler in range(rng.integers(1, 5))} for _ in range(8)
    ]
    found = ranking_alpha(items)
    assert found is not None
    assert found.value == pytest.approx(by_definition([item for item in items if item]))


def ranking_alpha(items: Sequence[Item]) -> Estimate | None:
    made = rankings(items)
    return estimate(measures.ranking_alpha(made, compare(made), len(items)))


def test_ranking_alpha_is_one_for_the_same_and_zero_by_chance() -> None:
    same = [{0: [1, 2, 3, 4], 1: [1, 2, 3, 4]}, {0: [2, 1, 1, 3], 2: [2, 1, 1, 3]}]
    rng = np.random.default_rng(0)
    chance = [{labeler: rng.permutation(4) + 1 for labeler in range(3)} for _ in range(2000)]
    assert (found := ranking_alpha(same)) and found.value == pytest.approx(1)
    by_chance = ranking_alpha(chance)
    assert by_chance and by_chance.low and by_chance.high
    assert by_chance.low < 0 < by_chance.high


def test_undefined_where_nobody_overlaps_or_nothing_differs() -> None:
    assert ranking_alpha([{0: [1, 2]}, {1: [2, 1]}]) is None
    assert ranking_alpha([{0: [1, 1], 1: [1, 1]}]) is None
    assert alpha_for([[1, 2, 3], [0, 0, 0]], "nominal") is None
    assert alpha_for([[2, 2, 2], [2, 2, 2]], "ordinal") is None


def test_random_rankings_of_any_size_have_an_alpha() -> None:
    found = ranking_alpha(random_items(3, items=300))
    assert found is not None and abs(found.value) < 0.1
