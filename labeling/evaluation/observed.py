"""From a batch of rankings to columns: what every labeler said of every policy's completion, in a few queries."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

import numpy as np
from django.db.models import Max

from labeling.completions.models import Completion
from labeling.evaluation.columns import Observed
from labeling.evaluation.crossed import NOBODY
from labeling.labelers.models import Labeler
from labeling.prompts.models import Prompt
from labeling.queue.models import OWN, Batch
from labeling.rankings.models import RankedCompletion
from labeling.rubrics.models import Rubric


def observe(batch: Batch, policies: Mapping[int, str], runs: Sequence[UUID]) -> Observed:
    """The batch's rankings by policy. `policies` names each checkpoint; `runs` sampled what is judged, and tell the
    prompts on which all policies said the same, which never became an item."""
    column = {checkpoint: at for at, checkpoint in enumerate(policies)}
    rubric = Rubric.objects.get(pk=batch.rubric_id)
    rows = _Rows(len(column), [flag["key"] for flag in rubric.flags])
    own = batch.items.filter(control__in=OWN)
    ranked = RankedCompletion.objects.filter(ranking__item__in=own, completion__checkpoint__in=column)
    said = ranked.order_by("ranking_id").values_list(
        "ranking_id",
        "ranking__item_id",
        "ranking__item__prompt_id",
        "ranking__item__prompt__use_case",
        "ranking__labeler_id",
        "completion__checkpoint_id",
        "place",
        "rating",
        "flags",
    )
    for ranking, item, prompt, use_case, labeler, checkpoint, place, rating, flags in said.iterator():
        rows.say(ranking, (item, prompt, use_case, labeler), column[checkpoint], place, rating, flags)
    asked = set(own.values_list("prompt_id", flat=True))
    judges = own.aggregate(most=Max("need"))["most"] or 1
    for prompt, use_case in _alike(policies, runs, asked):
        rows.tie(prompt, use_case, judges)
    labels = {flag["key"]: flag["label"] for flag in rubric.flags}
    return rows.columns(list(policies.values()), labels)


def _alike(policies: Mapping[int, str], runs: Sequence[UUID], asked: set[UUID]) -> list[tuple[UUID, str]]:
    """Prompts that all policies answered and that never became an item."""
    answered: dict[UUID, set[int]] = defaultdict(set)
    made = Completion.objects.filter(run__in=runs, checkpoint__in=policies).exclude(prompt__in=asked)
    for prompt, checkpoint in made.values_list("prompt_id", "checkpoint_id"):
        answered[prompt].add(checkpoint)
    whole = [prompt for prompt, by in answered.items() if len(by) == len(policies)]
    return list(Prompt.objects.filter(pk__in=whole).order_by("pk").values_list("pk", "use_case"))


class _Rows:
    """Gathers what was said into columns."""

    def __init__(self, policies: int, flags: list[str]) -> None:
        self._policies, self._flags = policies, flags
        self._at: dict[int, int] = {}
        self._about: list[tuple[int, UUID, str, int, float]] = []
        self._places: list[list[float]] = []
        self._ratings: list[list[float]] = []
        self._ticked: list[list[list[float]]] = []

    def say(
        self,
        ranking: int,
        about: tuple[int, UUID, str, int],
        column: int,
        place: int,
        rating: int | None,
        flags: list[str],
    ) -> None:
        if ranking not in self._at:
            self._at[ranking] = self._begin(*about, 1.0)
        row = self._at[ranking]
        self._places[row][column] = place
        self._ratings[row][column] = np.nan if rating is None else rating
        for at, key in enumerate(self._flags):
            self._ticked[row][at][column] = float(key in flags)

    def tie(self, prompt: UUID, use_case: str, judges: int) -> None:
        row = self._begin(0, prompt, use_case, NOBODY, float(judges))
        self._places[row] = [1.0] * self._policies

    def _begin(self, item: int, prompt: UUID, use_case: str, labeler: int, weight: float) -> int:
        self._about.append((item, prompt, use_case, labeler, weight))
        for column in (self._places, self._ratings):
            column.append([np.nan] * self._policies)
        self._ticked.append([[np.nan] * self._policies for _ in self._flags])
        return len(self._about) - 1

    def columns(self, policies: list[str], labels: dict[str, str]) -> Observed:
        items, prompts, use_cases, labelers, weights = zip(*self._about, strict=True) if self._about else ((),) * 5
        number = {prompt: at for at, prompt in enumerate(dict.fromkeys(prompts))}
        shape = (len(self._about), len(self._flags), self._policies)
        ticked = np.array(self._ticked, dtype=float).reshape(shape)
        known = Labeler.objects.filter(pk__in=set(labelers) - {NOBODY}).values_list("pk", "pseudonym")
        return Observed(
            policies=policies,
            places=np.array(self._places, dtype=float).reshape(-1, self._policies),
            ratings=np.array(self._ratings, dtype=float).reshape(-1, self._policies),
            flags={key: ticked[:, at] for at, key in enumerate(self._flags)},
            flag_labels=labels,
            prompt=np.array([number[prompt] for prompt in prompts], dtype=np.int64),
            labeler=np.array(labelers, dtype=np.int64),
            item=np.array(items, dtype=np.int64),
            use_case=np.array(use_cases, dtype=str),
            weights=np.array(weights, dtype=float),
            prompts=list(number),
            pseudonyms=dict(known),
        )
