"""Labels of benchmarks.ten_rounds, straight into the tables: batches as they are when people have done their part."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from labeling.models import Assignment, Batch, Completion, Labeler, Prompt, RankedCompletion, Ranking
from labeling.queue import dispatch

Groups = list[tuple[Prompt, Sequence[Completion]]]


class People(NamedTuple):
    """Who labels, drawn by `rng`, and when."""

    labelers: Sequence[Labeler]
    rng: random.Random
    at: datetime


def assignments(batch: Batch, need: int, people: People) -> list[Assignment]:
    """Every item of the batch is done: by so many labelers, who are drawn."""
    batch.items.update(taken=need, done=need, is_open=False)
    return Assignment.objects.bulk_create(
        Assignment(
            item=item, labeler=labeler, lane=item.lane, state=Assignment.State.DONE, leased_at=people.at,
            expires_at=people.at, ended_at=people.at + timedelta(minutes=5),
        )
        for item in batch.items.select_related("prompt")
        for labeler in people.rng.sample(people.labelers, need)
    )  # fmt: skip


def rank(batch: Batch, groups: Groups, need: int, people: People, *, open_ones: int = 0) -> None:
    """Each group as an item that `need` people have put in order; the last `open_ones` nobody has seen yet."""
    done = groups[: len(groups) - open_ones]
    dispatch.add_ranking_items(batch, done, need=need)
    shown = {prompt.pk: [one.pk for one in completions] for prompt, completions in done}
    rankings = Ranking.objects.bulk_create(
        Ranking(
            assignment=one, item=one.item, labeler=one.labeler, guideline=batch.guideline, rubric=batch.rubric,
            display_order=shown[one.item.the_prompt.pk], created_at=people.at,
        )
        for one in assignments(batch, need, people)
    )  # fmt: skip
    RankedCompletion.objects.bulk_create(
        (
            RankedCompletion(ranking=ranking, completion_id=pk, place=place, rating=max(1, 8 - place))
            for ranking in rankings
            for place, pk in enumerate(people.rng.sample(ranking.display_order, len(ranking.display_order)), start=1)
        ),
        batch_size=5000,
    )
    dispatch.add_ranking_items(batch, groups[len(done) :], need=need)
