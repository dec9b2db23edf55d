"""Consensus against cases by hand, the condition a maximum fulfils, and simulated labelers."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_expit

from labeling.agreement.consensus import bradley_terry, majority, places_of
from labeling.agreement.pairs import Rankings
from tests.labeling.agreement.orders import Item, rankings


def of(item: Item) -> list[int]:
    places: list[int] = majority(rankings([item]), 1)[0].tolist()
    return places


def test_the_majority_by_hand() -> None:
    assert of({0: [1, 2, 3], 1: [1, 2, 3], 2: [3, 2, 1]}) == [1, 2, 3]
    assert of({0: [1, 2, 3], 1: [2, 1, 3]}) == [1, 1, 2]  # the first two are undecided
    assert of({0: [1, 2, 3], 1: [1, 1, 1]}) == [1, 2, 3]  # who ties everything takes no part
    assert of({0: [1, 2, 3], 1: [2, 3, 1], 2: [3, 1, 2]}) == [1, 1, 1]  # a cycle


def test_items_of_several_sizes_and_columns_without_a_completion() -> None:
    made = rankings([{0: [2, 1, 3, 4]}, {0: [2, 0, 1], 1: [2, 0, 1]}])
    assert majority(made, 2).tolist() == [[2, 1, 3, 4], [2, 0, 1, 0]]
    found = bradley_terry(made, 2, 2)
    assert np.isnan(found.scores[1]).tolist() == [False, True, False, True]
    assert places_of(found.scores).tolist() == [[2, 1, 3, 4], [2, 0, 1, 0]]


def test_two_completions_and_four_labelers_against_a_search_in_two_dimensions() -> None:
    """Three for the first, one against it. Scores x and -x; reliabilities 1 + a of the three and 1 - 3 a of the one.

    log L = 3 log σ(2 x (1 + a)) + log σ(-2 x (1 - 3 a)) - x² - (3 a² + 9 a²) / 2
    """

    def loss(at: np.ndarray) -> float:
        x, a = at
        return float(-3 * log_expit(2 * x * (1 + a)) - log_expit(-2 * x * (1 - 3 * a)) + x**2 + 6 * a**2)

    x, a = minimize(loss, [0.5, 0.1], method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-9}).x
    found = bradley_terry(rankings([{0: [1, 2], 1: [1, 2], 2: [1, 2], 3: [2, 1]}]), 1, 4)
    assert found.scores[0].tolist() == pytest.approx([x, -x], abs=1e-3)
    assert found.reliability.tolist() == pytest.approx([1 + a] * 3 + [1 - 3 * a], abs=1e-3)


def test_a_tie_is_half_a_vote_for_each() -> None:
    found = bradley_terry(rankings([{0: [1, 1], 1: [2, 2]}, {0: [1, 1, 2]}]), 2, 2)
    assert found.scores[0, :2].tolist() == pytest.approx([0, 0], abs=1e-4)
    assert found.scores[1, 0] == pytest.approx(found.scores[1, 1], abs=1e-3)
    assert found.scores[1, 0] > found.scores[1, 2]


def simulated(slopes: list[float], items: int, each: int, seed: int) -> tuple[Rankings, np.ndarray]:
    """Labelers see true scores through Gumbel noise, which makes their pairs Bradley-Terry: P = σ(slope · apart)."""
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal((items, 5))
    made: list[Item] = []
    for at in range(items):
        there = rng.choice(len(slopes), size=each, replace=False)
        made.append({int(one): _ranked(slopes[one] * truth[at] + rng.gumbel(size=5)) for one in sorted(there)})
    return rankings(made), truth


def _ranked(seen: np.ndarray) -> list[int]:
    return [int(place) for place in np.argsort(np.argsort(-seen)) + 1]


def test_reliabilities_of_simulated_labelers_are_found() -> None:
    """12 ordinary ones, 3 who place at random and one who takes 1 for the worst."""
    made, _ = simulated([1.5] * 12 + [0.0] * 3 + [-1.5], items=400, each=4, seed=0)
    found = bradley_terry(made, 400, 16).reliability
    assert found.mean() == pytest.approx(1)
    assert found[:12].min() > 1
    assert np.abs(found[12:15]).max() < 0.3
    assert found[15] < -1


def test_scores_and_reliabilities_keep_their_scale_with_many_items() -> None:
    """All alike: reliabilities stay around 1, whatever the number of items, and scores do not shrink to nothing."""
    made, _ = simulated([1.5] * 6, items=600, each=3, seed=1)
    found = bradley_terry(made, 600, 6)
    assert np.abs(found.reliability - 1).max() < 0.2
    assert found.scores.std() > 0.5


def kendall(scores: np.ndarray, truth: np.ndarray) -> float:
    one, other = np.triu_indices(5, k=1)
    return float(np.mean(np.sign(scores[:, one] - scores[:, other]) == np.sign(truth[:, one] - truth[:, other])))


@pytest.mark.parametrize("seed", range(3))
def test_where_some_are_careless_it_is_nearer_to_the_truth_than_the_majority(seed: int) -> None:
    made, truth = simulated([2.0] * 8 + [0.0] * 6, items=300, each=5, seed=seed)
    weighed = kendall(bradley_terry(made, 300, 14).scores, truth)
    counted = kendall(-majority(made, 300).astype(float), truth)
    assert weighed > counted + 0.03


def test_nothing_to_agree_on_is_empty() -> None:
    nothing = Rankings(np.zeros((0, 4), np.uint8), np.zeros(0, np.int64), np.zeros(0, np.int64))
    assert majority(nothing, 0).shape == (0, 4)
    assert bradley_terry(nothing, 0, 0).scores.shape == (0, 4)
