"""PURE. What labelers say of each policy's outputs: flags and ratings (Ouyang et al. 2022, figure 4 and §3.6)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from labeling.figures.judged import Judged
from labeling.figures.preference import Share, share_of

Values = dict[tuple[int, str], dict[str, list[float]]]


class Remark(NamedTuple):
    checkpoint: int
    flag: str  # its key; empty for the mean rating
    share: Share


def flags(judged: Iterable[Judged], asked: Mapping[int, Iterable[str]]) -> list[Remark]:
    """The share of a policy's outputs with each flag, of those that were asked about it: `asked` by rubric. An output
    that two labelers judged counts twice, once for each."""
    found: Values = defaultdict(lambda: defaultdict(list))
    for one in judged:
        for said in one.said:
            for key in asked.get(one.rubric or 0, ()):
                found[said.checkpoint, key][one.prompt].append(float(key in said.flags))
    return _remarks(found)


def ratings(judged: Iterable[Judged]) -> list[Remark]:
    """The mean overall quality from 1 to 7, of outputs that were rated."""
    found: Values = defaultdict(lambda: defaultdict(list))
    for one in judged:
        for said in one.said:
            if said.rating is not None:
                found[said.checkpoint, ""][one.prompt].append(float(said.rating))
    return _remarks(found)


def _remarks(found: Values) -> list[Remark]:
    return [Remark(*key, share_of(by_prompt)) for key, by_prompt in sorted(found.items())]
