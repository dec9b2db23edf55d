"""From rankings in the database to judgements and overlaps, in a few queries."""

from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID

from labeling.completions.models import Completion
from labeling.evaluation.win_rates import Judgement
from labeling.queue.models import OWN, Batch
from labeling.rankings.models import RankedCompletion


def judgements(batch: Batch, policy_of: Mapping[UUID, str]) -> list[Judgement]:
    """The batch's rankings as places of policies; `policy_of` names the policy of each sampling run.

    Where all policies said the same there was nothing to rank, and no item: that is a tie of all of them.
    """
    places: dict[int, dict[str, int]] = defaultdict(dict)
    prompt_of: dict[int, UUID] = {}
    own = batch.items.filter(control__in=OWN)
    ranked = RankedCompletion.objects.filter(ranking__item__in=own, completion__run__in=policy_of)
    rows = ranked.values_list("ranking_id", "ranking__item__prompt_id", "completion__run_id", "place")
    for ranking, prompt, run, place in rows.iterator():
        places[ranking][policy_of[run]] = place
        prompt_of[ranking] = prompt
    found = [Judgement(str(prompt_of[ranking]), places[ranking]) for ranking in sorted(places)]
    asked = set(own.values_list("prompt_id", flat=True))
    alike = _answered_by_all(policy_of) - asked
    tie = dict.fromkeys(policy_of.values(), 1)
    return found + [Judgement(str(prompt), tie) for prompt in sorted(alike)]


def overlaps(batch: Batch) -> list[list[dict[str, int]]]:
    """For each item of the batch's own with several rankings, the places by completion text: one labeler each."""
    by_item: dict[int, dict[int, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    several = batch.items.filter(control__in=OWN, done__gte=2)
    ranked = RankedCompletion.objects.filter(ranking__item__in=several)
    rows = ranked.values_list("ranking__item_id", "ranking_id", "completion__text", "place")
    for item, ranking, text, place in rows.iterator():
        by_item[item][ranking][text.strip()] = place
    return [list(rankings.values()) for _, rankings in sorted(by_item.items())]


def _answered_by_all(policy_of: Mapping[UUID, str]) -> set[UUID]:
    answered: dict[UUID, set[UUID]] = defaultdict(set)
    for run, prompt in Completion.objects.filter(run__in=policy_of).values_list("run_id", "prompt_id"):
        answered[prompt].add(run)
    return {prompt for prompt, runs in answered.items() if len(runs) == len(policy_of)}
