"""Disagreement as a finding: the use cases, topics and cohorts on which labelers come apart by groups."""

from collections import defaultdict
from hashlib import sha256
from typing import NamedTuple

import numpy as np

from labeling.agreement import rows, splits
from labeling.agreement.known import known
from labeling.agreement.labels import Labels
from labeling.agreement.pairs import compare
from labeling.agreement.resampling import Ints
from labeling.agreement.rows import COHORTS, USE_CASES, Filters
from labeling.labelers.models import Cohort, Labeler
from labeling.prompts.models import Topic, UseCase
from labeling.queue.models import WorkItem

USE_CASE, TOPIC, COHORT = "use_case", "topic", "cohort"
TOO_LITTLE = (
    f"too little to tell: it takes {splits.FEWEST_COMPARISONS} comparisons of two rankings by "
    f"{splits.FEWEST_LABELERS} labelers, two of them in each group"
)


class Line(NamedTuple):
    """One part of the data: agreement within and between two groups of labelers, and whether chance explains the
    difference. `p` is adjusted for all parts that were tested; `groups` are pseudonyms. `why` says why there is
    nothing."""

    by: str
    value: str
    label: str
    within: float | None = None
    between: float | None = None
    p: float | None = None
    comparisons: int = 0
    groups: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    items: tuple[tuple[int, float | None, float, int], ...] = ()
    why: str = ""

    @property
    def is_found(self) -> bool:
        if self.p is None or self.within is None or self.between is None:
            return False
        return splits.is_listed(self.p, self.within, self.between)


class Findings(NamedTuple):
    version: str
    lines: list[Line]

    @property
    def found(self) -> list[Line]:
        return [line for line in self.lines if line.is_found]


ITEMS_KEPT = 500


def of(filters: Filters) -> Findings:
    """Of what the database holds now; found ones first."""
    listed = rows.listed(filters)
    shared = np.unique(listed.about["item"]).tolist()
    topics = dict(WorkItem.objects.filter(pk__in=shared).exclude(prompt__topics=[]).values_list("pk", "prompt__topics"))
    people = {pk: (name, cohort) for pk, name, cohort in Labeler.objects.values_list("pk", "pseudonym", "cohort")}
    version = sha256(f"{listed.version} {sorted(topics.items())} {sorted(people.items())}".encode()).hexdigest()[:16]
    return known("findings", version, lambda: Findings(version, _computed(rows.read(filters, listed), topics, people)))


def _computed(labels: Labels, topics: dict[int, list[str]], people: dict[int, tuple[str, str]]) -> list[Line]:
    rankings = labels.rankings
    seen = splits.signed(compare(rankings), rankings.item, rankings.labeler)
    count = len(labels.labelers)
    everything = np.arange(len(seen.item))
    whole = splits.of_rows(seen, everything, count)
    names = [people[pk][0] for pk in labels.labelers.tolist()]

    found = []
    for by, value, label, mask in _parts(labels, topics):
        part = np.flatnonzero(mask[seen.item])
        rest = splits.Agreements(
            *(all_ - one for all_, one in zip(whole, splits.of_rows(seen, part, count), strict=True))
        )
        # Of a part that is nearly everything, what is left tells too little of anybody.
        basis = rest if rest.times.sum() >= whole.times.sum() / 4 else whole
        split = splits.found(seen, part, splits.reliability(basis))
        found.append(_line(by, value, label, split, seen, part, labels, names))
    cohorts = np.array(
        [1 if people[pk][1] == Cohort.TRAINING else -1 for pk in labels.labelers.tolist()], dtype=np.int64
    )
    split = splits.given(seen, everything, splits.reliability(whole), cohorts) if count else None
    found.append(_line(COHORT, COHORTS[0], "Training and held-out labelers", split, seen, everything, labels, names))
    return _adjusted(found)


def _parts(labels: Labels, topics: dict[int, list[str]]) -> list[tuple[str, str, str, Ints]]:
    """By, value, label, and [items] whether it belongs: every use case and topic that has items."""
    first = np.searchsorted(labels.rankings.item, np.arange(len(labels.items)))
    use_case = labels.about["use_case"][first]
    parts = [
        (USE_CASE, value, str(UseCase(value).label), use_case == code)
        for code, value in enumerate(USE_CASES)
        if np.any(use_case == code)
    ]
    of_topic: dict[str, list[int]] = defaultdict(list)
    for item, slugs in topics.items():
        for slug in slugs:
            of_topic[slug].append(item)
    called = dict(Topic.objects.values_list("slug", "name"))
    parts += [
        (TOPIC, slug, called.get(slug, slug), np.isin(labels.items, members))
        for slug, members in sorted(of_topic.items())
    ]
    return [part for part in parts if part[3].any()]


def _line(
    by: str,
    value: str,
    label: str,
    split: splits.Split | None,
    seen: splits.Signed,
    part: Ints,
    labels: Labels,
    names: list[str],
) -> Line:
    if split is None:
        return Line(by, value, label, comparisons=len(part), why=TOO_LITTLE)
    groups = [
        tuple(name for name, side in zip(names, split.group.tolist(), strict=True) if side == one) for one in (1, -1)
    ]
    apart = splits.by_item(seen, part, split.group)[:ITEMS_KEPT]
    return Line(
        by, value, label, _or_none(split.within), _or_none(split.between), split.p, split.comparisons,
        groups=(groups[0], groups[1]),
        items=tuple((int(labels.items[at]), _or_none(within), between, n) for at, within, between, n in apart),
    )  # fmt: skip


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _adjusted(lines: list[Line]) -> list[Line]:
    """With p-values for as many tests as there were, the clearest first, those that cannot be told last."""
    tested = [line for line in lines if line.p is not None]
    ps = splits.adjusted([line.p for line in tested if line.p is not None])
    done = [line._replace(p=p) for line, p in zip(tested, ps, strict=True)]
    gap = {id(line): (line.within or 0.5) - (line.between or 0.5) for line in done}
    done.sort(key=lambda line: (line.p if line.p is not None else 1.0, -gap[id(line)], line.label))
    return done + [line for line in lines if line.p is None]
