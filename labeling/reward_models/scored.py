"""The rankings of held-out prompts beside what a reward model says of their completions.

The rewards are those of a `score` run (`scoring.py`), whose rows carry the id of the completion; the rankings are those
of the database as they stand now. A ranking with a completion that has no reward yet waits for the next scoring.
"""

from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from django.db.models import Q, QuerySet

from labeling.completions.models import Completion
from labeling.exports import exclude
from labeling.exports.withdrawn import labels_in_use
from labeling.kept import code_of, kept, of_rankings, version_of
from labeling.labelers.models import Labeler
from labeling.prompts.models import Split
from labeling.queue.models import OWN
from labeling.rankings.models import RankedCompletion, Ranking
from training import storage
from training.contract.rows import RowError, iter_rows
from training.models import Checkpoint, Run

CODE = code_of(__file__)
LIVE = (Run.State.QUEUED, Run.State.RUNNING)


class Scored(NamedTuple):
    """One labeler's ranking with the rewards; completions that read the same stand once, at their best place."""

    ranking: int
    item: int
    batch: int
    prompt: str
    use_case: str
    cohort: str  # the labeler's
    labeler: str
    completions: tuple[int, ...]
    places: tuple[int, ...]
    rewards: tuple[float, ...]
    spreads: tuple[float, ...]  # 0 for a reward model with one head
    texts: tuple[str, ...]

    @property
    def k(self) -> int:
        return len(self.completions)


class Scores(NamedTuple):
    run: Run
    scored: list[Scored]
    waiting: int  # rankings of held-out prompts that have a completion without a reward
    later: int  # of `scored`: rankings that were made or corrected after the scoring

    @property
    def at(self) -> datetime:
        return self.run.finished_at or self.run.created_at


def held_out_rankings() -> "QuerySet[Ranking]":
    """Rankings of prompts that no dataset for training takes, of labelers whose labels are in use."""
    held_out = Ranking.objects.filter(item__control__in=OWN, item__prompt__split__in=(Split.VALID, Split.TEST))
    kept, _ = exclude.kept(labels_in_use(held_out))
    return kept


def runs(checkpoint: Checkpoint) -> "QuerySet[Run]":
    """Scorings by this reward model alone that `scoring.py` asked for, the newest first."""
    asked = Run.objects.filter(recipe="score", parents__checkpoint=checkpoint, inputs__name="completions")
    ours = asked.filter(inputs__dataset__exports__filters__has_key="rankings_of_held_out_prompts")
    return ours.distinct().order_by("-created_at")


def read(checkpoint: Checkpoint) -> Scores | None:
    """By the newest scoring that is done; None where there is none, or its file is gone."""
    run = runs(checkpoint).filter(state=Run.State.DONE).first()
    if run is None or not (now := version(run)):
        return None
    beside = kept(f"scored-{CODE}-{now}", lambda: _beside(run))
    return Scores(run, *beside, _later(run, {one.ranking for one in beside.scored})) if beside else None


def version(run: Run) -> str:
    """Of the run's file, and of the rankings with all that is said of them. Empty where the file is gone."""
    try:
        file = samples_file(run).stat()
    except OSError:
        return ""
    left_out = sorted(exclude.standing().values_list("labeler", flat=True))
    people = sorted(Labeler.objects.values_list("pk", "cohort"))
    rankings = of_rankings(held_out_rankings())
    return version_of(run.pk, file.st_size, file.st_mtime_ns, rankings, left_out, people)


def samples_file(run: Run) -> Path:
    return storage.run_folder(run.pk) / "samples.jsonl"


def rewards_of(run: Run) -> dict[int, tuple[float, float]]:
    """Reward and spread by completion id."""
    try:
        return {
            row["completion_id"]: (row["reward"], row["spread"])
            for row in iter_rows(samples_file(run), "completions")
            if "completion_id" in row
        }
    except RowError:
        return {}


class Beside(NamedTuple):
    scored: list[Scored]
    waiting: int


def _beside(run: Run) -> Beside | None:
    """None where the run's file is gone, or says nothing."""
    rewards = rewards_of(run)
    if not rewards:
        return None
    rankings = held_out_rankings()
    about = {
        pk: (pk, item, batch, str(prompt), use_case, cohort, labeler)
        for pk, item, batch, prompt, use_case, cohort, labeler in rankings.order_by("pk").values_list(
            "pk", "item_id", "item__batch_id", "item__prompt_id", "item__prompt__use_case",
            "labeler__cohort", "labeler__pseudonym",
        )
    }  # fmt: skip
    places: dict[int, list[tuple[int, int]]] = defaultdict(list)
    ranked = RankedCompletion.objects.filter(ranking__in=rankings).order_by("completion_id")
    for ranking, completion, place in ranked.values_list("ranking_id", "completion_id", "place").iterator():
        places[ranking].append((completion, place))
    ids = {completion for one in places.values() for completion, _ in one} & set(rewards)
    texts = dict(Completion.objects.filter(pk__in=ids).values_list("pk", "text"))
    found, waiting = [], 0
    for pk, facts in about.items():
        if any(completion not in rewards for completion, _ in places[pk]):
            waiting += 1
            continue
        found.append(_scored(facts, places[pk], rewards, texts))
    return Beside(found, waiting)


def _later(run: Run, rankings: set[int]) -> int:
    """How many of these were made or corrected since the run began."""
    at = run.started_at or run.created_at
    later = held_out_rankings().filter(Q(created_at__gt=at) | Q(corrected_at__gt=at))
    return len(rankings.intersection(later.values_list("pk", flat=True)))


def _scored(
    facts: tuple[int, int, int, str, str, str, str],
    places: list[tuple[int, int]],
    rewards: dict[int, tuple[float, float]],
    texts: dict[int, str],
) -> Scored:
    once: dict[str, tuple[int, int]] = {}
    for completion, place in places:
        text = texts[completion].strip()
        if text not in once or place < once[text][1]:
            once[text] = (completion, place)
    kept = list(once.values())
    return Scored(
        *facts,
        completions=tuple(completion for completion, _ in kept),
        places=tuple(place for _, place in kept),
        rewards=tuple(rewards[completion][0] for completion, _ in kept),
        spreads=tuple(rewards[completion][1] for completion, _ in kept),
        texts=tuple(once),
    )
