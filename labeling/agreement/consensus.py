"""PURE. One order for each item out of all its rankings: by majority, and by Bradley-Terry with reliability."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from labeling.agreement.pairs import Rankings, orders, summed_by_item
from labeling.agreement.resampling import Floats, Ints


class Consensus(NamedTuple):
    """`scores`: [items, K], higher is better, 0 on average in each item, NaN where there is no completion.
    `reliability`: [labelers], 1 on average, 0 for one whose orders say nothing, below 0 for one who orders the other
    way round."""

    scores: Floats
    reliability: Floats


def majority(rankings: Rankings, items: int) -> NDArray[np.uint8]:
    """Places by Copeland's rule, [items, K], 1 the best, equal ones a tie, 0 no completion.

    A completion's score is on how many others more labelers prefer it than not, less on how many it is the other way
    round; a cycle of majorities is a tie.
    """
    order, _ = orders(rankings.places)
    votes = np.sign(summed_by_item(order, rankings.item, items)).astype(float)
    there = _there(rankings, items)
    return _places(votes @ _ends(there.shape[1]), there)


def bradley_terry(rankings: Rankings, items: int, labelers: int) -> Consensus:
    """The most probable scores and reliabilities under

    P(labeler l prefers a to b) = 1 / (1 + exp(-r_l (s_a - s_b))),  s ~ N(0, 1),  r ~ N(1, 1), their mean being 1;

    a tie is half a vote for each. Without the priors, an item on which all agree would have infinite scores, and a
    labeler of three rankings any reliability; without a fixed mean, all scores would shrink as all r grow. As in Chen
    et al. (2013, 'Pairwise ranking aggregation in a crowdsourced setting') and crowd-kit's NoisyBradleyTerry, labelers
    have a quality; as a slope it also finds who orders the wrong way round. Fitted by L-BFGS from shares of votes and
    r = 1.
    """
    order, known = orders(rankings.places)
    there = _there(rankings, items)
    K, ends = there.shape[1], _ends(there.shape[1])
    row, pair = np.nonzero(known)
    won = (order[row, pair] + 1) / 2
    of_item, of_labeler = rankings.item[row], rankings.labeler[row]
    one, other = (side[pair] for side in np.triu_indices(K, k=1))

    def cost(values: Floats) -> tuple[float, Floats]:
        scores, slopes = values[: items * K].reshape(items, K), _slopes(values[items * K :])
        apart = scores[of_item, one] - scores[of_item, other]
        slope = slopes[of_labeler]
        lean = slope * apart
        wrong = expit(lean) - won  # the derivative of the next line by `lean`
        missed = np.logaddexp(0, lean) - won * lean
        pulls = np.bincount(of_item * len(ends) + pair, wrong * slope, minlength=items * len(ends))
        of_scores = pulls.reshape(items, len(ends)) @ ends + scores
        of_slopes = np.bincount(of_labeler, wrong * apart, minlength=labelers) + slopes - 1
        of_slopes -= of_slopes.mean() if labelers else 0.0
        total = missed.sum() + ((scores**2).sum() + ((slopes - 1) ** 2).sum()) / 2
        return float(total), np.concatenate([of_scores.ravel(), of_slopes])

    start = np.concatenate([_start(order, rankings.item, ends, there), np.ones(labelers)])
    found = minimize(cost, start, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    scores = np.where(there, found[: items * K].reshape(items, K), np.nan)
    return Consensus(scores, _slopes(found[items * K :]))


def _slopes(values: Floats) -> Floats:
    """Moved to a mean of 1."""
    slopes: Floats = values - values.mean() + 1 if len(values) else values
    return slopes


def places_of(scores: Floats) -> NDArray[np.uint8]:
    """Scores [items, K] as places, 1 the best, 0 where there is no score."""
    there = ~np.isnan(scores)
    return _places(np.where(there, scores, 0.0), there)


def _start(order: NDArray[np.int8], item: Ints, ends: Floats, there: NDArray[np.bool_]) -> Floats:
    """Shares of votes: with all scores 0 nothing would tell one reliability from another."""
    votes = summed_by_item(order, item, len(there)).astype(float) @ ends
    most: Floats = np.maximum(np.abs(votes).max(axis=1, initial=0.0), 1.0)
    start: Floats = (votes / most[:, None]).ravel()
    return start


def _there(rankings: Rankings, items: int) -> NDArray[np.bool_]:
    return summed_by_item(rankings.places > 0, rankings.item, items) > 0


def _ends(K: int) -> Floats:
    """[pairs, K]: 1 for the completion of a pair that comes first in the columns, -1 for the other."""
    one, other = np.triu_indices(K, k=1)
    ends = np.zeros((len(one), K))
    ends[np.arange(len(one)), one], ends[np.arange(len(one)), other] = 1, -1
    return ends


def _places(scores: Floats, there: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """1 + how many different scores of the item are higher."""
    places = np.zeros(scores.shape, dtype=np.uint8)
    for at in range(len(scores)):
        _, rank = np.unique(-scores[at][there[at]], return_inverse=True)
        places[at][there[at]] = rank + 1
    return places
