"""PURE. What every labeler said of every policy's completion, as columns of numbers."""

from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from labeling.evaluation.crossed import Floats, Ints


class Observed(NamedTuple):
    """One row a ranking, and one a prompt on which all policies said the same: nobody was asked, and it is a tie.

    Columns of N rows; `places` and `ratings` [N, K] with NaN for what is not there; `flags[key]` [N, K] with NaN where
    nobody was asked. `weights`: 1 for a ranking; a tie of all counts as many as a prompt has judges.
    """

    policies: list[str]
    places: Floats
    ratings: Floats
    flags: dict[str, Floats]
    flag_labels: dict[str, str]
    prompt: Ints  # number of the prompt, in the order of `prompts`
    labeler: Ints  # primary key, or NOBODY
    item: Ints  # primary key of the work item, or 0
    use_case: NDArray[np.str_]
    weights: Floats
    prompts: list[UUID]
    pseudonyms: dict[int, str]

    def only(self, rows: NDArray[np.bool_]) -> "Observed":
        """Some of the rows."""
        return self._replace(
            places=self.places[rows],
            ratings=self.ratings[rows],
            flags={key: values[rows] for key, values in self.flags.items()},
            prompt=self.prompt[rows],
            labeler=self.labeler[rows],
            item=self.item[rows],
            use_case=self.use_case[rows],
            weights=self.weights[rows],
        )
