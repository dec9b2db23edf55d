"""How many prompts and judges a judgement needs, by what earlier ones in this installation have shown."""

from collections import defaultdict
from dataclasses import dataclass
from statistics import median

import numpy as np
from django.db.models import Count, F, Q, Sum

from labeling.completions.models import Completion
from labeling.evaluation import bradley_terry, observed, sample_size
from labeling.evaluation.sample_size import Alternative, Components
from labeling.guidelines.models import Purpose
from labeling.kept import code_of, kept, of_rankings, version_of
from labeling.labelers.models import Labeler
from labeling.queue.models import OWN, ActiveSpan, Assignment, Batch, Kind
from labeling.rankings.models import Ranking

CODE = code_of(__file__, observed.__file__)
LATEST = 10  # judgements that are looked at
FEWEST_PEOPLE, FEWEST_ITEMS = 3, 20  # of an earlier judgement: of fewer, variances say nothing
MINUTES = 3.0  # a ranking, where nobody has ranked on the clock yet


@dataclass(frozen=True)
class Size:
    """What is to be expected of the wish, and what would reach it. `chosen` is as the form has it; `needed` the prompts
    with its number of judges, None where no number reaches the wish."""

    of: Components
    minutes: float
    is_timed: bool
    labelers: int
    chosen: Alternative | None
    needed: int | None
    alternatives: list[Alternative]
    floor: float


def size(*, prompts: int, judges: int, cohort: str, wished: float, power: bool = False) -> Size:
    """`wished`: half of the 95 % interval, or with `power` the difference from one half to be found in 80 of 100."""
    labelers = Labeler.objects.filter(cohort=cohort, state=Labeler.State.ACTIVE).count()
    of, timed = past_components(), minutes_a_ranking()
    minutes = timed or MINUTES
    fits = labelers >= 2 and judges <= labelers
    measure = sample_size.detects if power else sample_size.half_width
    return Size(
        of=of,
        minutes=minutes,
        is_timed=timed is not None,
        labelers=labelers,
        chosen=sample_size.alternative(of, prompts, judges, labelers, minutes) if fits and prompts else None,
        needed=sample_size.prompts_for(of, wished, judges, labelers, power=power) if fits else None,
        alternatives=sample_size.alternatives(of, wished, labelers, minutes, power=power) if labelers > 1 else [],
        floor=measure(of, sample_size.MOST_PROMPTS, min(judges, labelers), labelers) if labelers > 1 else 1.0,
    )


def past_components() -> Components:
    """Of the win scores of all pairs of policies in the latest judgements that had several judges a prompt."""
    several = Count("items", filter=Q(items__done__gte=2), distinct=True)
    judged = Batch.objects.filter(kind=Kind.RANK, purpose=Purpose.EVALUATION).annotate(several=several)
    found = []
    for batch in judged.filter(several__gte=FEWEST_ITEMS).order_by("-created_at")[:LATEST]:
        found += _of_batch(batch)
    return sample_size.pooled(found)


def _of_batch(batch: Batch) -> list[Components]:
    """Computed once for what was said: all the forms that are filled in ask for it."""
    said = of_rankings(Ranking.objects.filter(item__batch=batch, item__control__in=OWN))
    return kept(f"judging-size-{CODE}-{version_of(batch.pk, said)}", lambda: _components(batch))


def _components(batch: Batch) -> list[Components]:
    made = Completion.objects.filter(items__batch=batch).order_by("checkpoint")
    policies = {pk: str(pk) for pk in made.values_list("checkpoint", flat=True).distinct()}
    seen = observed.observe(batch, policies, [])
    if len(seen.pseudonyms) < FEWEST_PEOPLE:
        return []
    found = []
    for won in bradley_terry.wins(seen.places).T:
        known = ~np.isnan(won)
        if of := sample_size.components(won[known], seen.prompt[known], seen.labeler[known]):
            found.append(of)
    return found


def minutes_a_ranking() -> float | None:
    """The median of the active time of the latest judged pieces; None where none was on the clock."""
    judged = Assignment.objects.filter(
        state=Assignment.State.DONE, item__batch__kind=Kind.RANK, item__batch__purpose=Purpose.EVALUATION
    ).order_by("-ended_at")[:500]
    spans = ActiveSpan.objects.filter(assignment__in=list(judged.values_list("pk", flat=True)))
    took: dict[object, float] = defaultdict(float)
    for assignment, spent in spans.values_list("assignment").annotate(spent=Sum(F("ended_at") - F("started_at"))):
        took[assignment] = spent.total_seconds() / 60
    return median(took.values()) if took else None
