"""The rankings behind a figure of a judgement."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling.evaluation.columns import Observed


@dataclass(frozen=True)
class Choice:
    """What narrows the rankings; what is empty narrows nothing. `won`: the policy's word against the other: yes, tie
    or no."""

    policy: str = ""
    other: str = ""
    won: str = ""
    flag: str = ""
    use_case: str = ""
    labeler: str = ""


@dataclass(frozen=True)
class Line:
    """One ranking: places and ratings by policy, None where it has none. `item` is 0 where nobody was asked."""

    item: int
    prompt: object
    labeler: str
    places: dict[str, int | None]
    ratings: dict[str, int | None]
    flags: dict[str, list[str]]


def lines(seen: Observed, choice: Choice) -> list[Line]:
    """Those that fit, in the order they came in. An unknown name fits nothing."""
    kept = np.flatnonzero(_fits(seen, choice))
    return [_line(seen, int(row)) for row in kept]


def _fits(seen: Observed, choice: Choice) -> NDArray[np.bool_]:
    fits = np.ones(len(seen.item), dtype=bool)
    column = {name: at for at, name in enumerate(seen.policies)}
    if choice.use_case:
        fits &= seen.use_case == choice.use_case
    if choice.labeler:
        known = [pk for pk, name in seen.pseudonyms.items() if name == choice.labeler]
        fits &= np.isin(seen.labeler, known)
    for name in filter(None, (choice.policy, choice.other)):
        fits &= ~np.isnan(seen.places[:, column[name]]) if name in column else False
    if choice.won and {choice.policy, choice.other} <= set(column):
        apart = np.sign(seen.places[:, column[choice.other]] - seen.places[:, column[choice.policy]])
        fits &= apart == {"yes": 1, "tie": 0, "no": -1}.get(choice.won, 2)
    if choice.flag:
        ticked = seen.flags.get(choice.flag, np.zeros_like(seen.places)) == 1
        fits &= ticked[:, column[choice.policy]] if choice.policy in column else ticked.any(axis=1)
    return fits


def _line(seen: Observed, row: int) -> Line:
    def whole(values: NDArray[np.floating]) -> dict[str, int | None]:
        said = zip(seen.policies, values[row].tolist(), strict=True)
        return {name: None if value != value else int(value) for name, value in said}

    flags = {
        name: [seen.flag_labels[key] for key, values in seen.flags.items() if values[row, at] == 1]
        for at, name in enumerate(seen.policies)
    }
    who = seen.pseudonyms.get(int(seen.labeler[row]), "")
    prompt = seen.prompts[int(seen.prompt[row])]
    return Line(int(seen.item[row]), prompt, who, whole(seen.places), whole(seen.ratings), flags)
