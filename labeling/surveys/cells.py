"""What of the counts may be shown, so that nobody can be singled out. Pure.

1. Nothing is shown below 5 answers, and answers are added to what is shown five or more at a time: whoever looks before
   and after one person's answer sees the same.
2. Within a question that takes one choice, a cell of 1 to 4 people is never shown, nor one that subtraction would give:
   such cells are merged until each merged cell has 5 or more. Where the choices have an order, neighbours are merged,
   else the smallest cells. 'Left out' is a cell like any other, so the cells add up to all answers and nothing is left
   to subtract. A cell of nobody is shown as 0: it points at no person.
3. Where several choices may be ticked, cells overlap and are not merged: a choice is shown only if both those who
   ticked it and those who did not are 5 or more, or nobody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labeling.surveys.questions import Question

LEAST = 5
LEFT_OUT = ("", "Left out")


@dataclass(frozen=True)
class Cell:
    """One bar: the choices that it stands for, and how many people (None: hidden, 1 to 4 did or did not tick it)."""

    choices: tuple[str, ...]
    count: int | None
    of: int

    @property
    def words(self) -> str:
        return " / ".join(self.choices)

    @property
    def percent(self) -> float | None:
        return None if self.count is None else 100 * self.count / self.of


def cells(question: Question, counts: Mapping[str, int], answers: int) -> list[Cell]:
    """The bars of one question. `counts` are by choice key, '' for those who left it out; `answers` is all of them.

    Empty where nothing may be shown: fewer than 5 answers, or all but a few in one cell.
    """
    if answers < LEAST:
        return []
    found = [(words, counts.get(key, 0)) for key, words in [*question["choices"], LEFT_OUT]]
    if question["is_multiple"]:
        return [Cell((words,), count if _may_split(count, answers) else None, answers) for words, count in found]
    empty = [Cell((words,), 0, answers) for words, count in found if not count]
    merged = _merged([([words], count) for words, count in found if count], is_ordered=question["is_ordered"])
    if len(merged) == 1 and len(merged[0][0]) > 1:
        return []  # everybody in one heap of choices says nothing
    order = [words for words, _ in found]
    made = [Cell(tuple(choices), count, answers) for choices, count in merged]
    return sorted([*made, *empty], key=lambda cell: order.index(cell.choices[0]))


def _may_split(count: int, answers: int) -> bool:
    return all(part == 0 or part >= LEAST for part in (count, answers - count))


def _merged(groups: Sequence[tuple[list[str], int]], *, is_ordered: bool) -> list[tuple[list[str], int]]:
    groups = list(groups)
    while len(groups) > 1:
        small = min(range(len(groups)), key=lambda n: groups[n][1])
        if groups[small][1] >= LEAST:
            break
        others = [n for n in range(len(groups)) if (abs(n - small) == 1 if is_ordered else n != small)]
        partner = min(others, key=lambda n: groups[n][1])
        first, second = sorted((small, partner))
        groups[first] = (groups[first][0] + groups[second][0], groups[first][1] + groups[second][1])
        del groups[second]
    return groups
