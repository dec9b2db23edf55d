"""What reward models say of a round's samples, which nobody has ranked yet, and which of them are ranked by it.

The run of the stage `score` reads `exports.freeze.freeze_completions(to_score(round))`, and so its rows name the
completions. Among these are some that held-out labelers have ranked, in earlier rounds: no reward model has learned
from those rankings, so they say how many log odds a difference of rewards is worth.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean

from django.db.models import Q, QuerySet

from labeling.completions.models import Completion
from labeling.errors import BadInput, Conflict
from labeling.prompts.models import Prompt, Split
from labeling.queue.models import OWN
from labeling.rankings.models import RankedCompletion, Ranking
from labeling.rounds import active
from labeling.rounds.models import Round
from training import storage
from training.contract.rows import RowError, iter_rows
from training.models import Run

Group = tuple[Prompt, Sequence[Completion]]

CALIBRATING = 200  # rankings that rewards are held against, the newest
LEAST = 20  # with fewer, a difference of rewards is taken for log odds, as the reward model was trained


def to_score(round: Round) -> QuerySet[Completion]:
    """The samples of train prompts of the round's stage `sample`, and what rewards are to be held against."""
    valid = Ranking.objects.filter(item__batch__stage__name="rank_valid", item__control__in=OWN)
    earlier = valid.exclude(item__batch__stage__round=round).order_by("-pk")
    newest = list(earlier.values_list("pk", flat=True)[:CALIBRATING])
    known = list(RankedCompletion.objects.filter(ranking__in=newest).values_list("completion_id", flat=True))
    runs = list(round.stages.filter(name="sample").values_list("run_id", flat=True))
    return Completion.objects.filter(Q(run__in=runs, prompt__split=Split.TRAIN) | Q(pk__in=known))


def choose(round: Round, groups: Sequence[Group], by: str, count: int) -> list[Group]:
    """`count` of the groups of the round's samples, as active.choose does: by what the stage `score` says of them.

    Raises Conflict before that is done, BadInput where it does not have them all.
    """
    if by == "random":
        return active.choose(groups, {}, by, count, round.seed)
    stage = round.stages.select_related("run").get(name="score")
    if stage.run is None:
        raise Conflict(f"The round “{round}” has not scored its samples yet.")
    found = rewards(stage.run)
    past = [ranking for ranking in ranked(found) if len({place for _, place in ranking}) > 1]
    scale = active.fit_scale(past) if len(past) >= LEAST else 1.0
    return active.choose(groups, found, by, count, round.seed, scale=scale)


def rewards(run: Run) -> dict[int, list[float]]:
    """By completion: what each head of each reward model of the `score` run says of it.

    Raises Conflict before the run is done, BadInput where its rows do not name completions or heads.
    """
    if run.state != Run.State.DONE:
        raise Conflict(f"The run “{run}” has not scored everything yet.")
    path = storage.run_folder(run.pk) / "samples.jsonl"
    found = {}
    try:
        for row in iter_rows(path, "completions"):
            found[int(row["completion_id"])] = [float(one) for one in row["head_rewards"]]
    except (RowError, OSError) as error:
        raise BadInput(f"The scores of the run “{run}” cannot be read: {error}") from error
    except (KeyError, ValueError):
        raise BadInput(
            f"The run “{run}” does not say which completions it scored, or not head by head; queue a new score run "
            "of completions frozen here."
        ) from None
    return found


def ranked(rewards: Mapping[int, Sequence[float]]) -> list[list[tuple[float, int]]]:
    """(mean reward, place) for each ranking of completions that have rewards: what active.fit_scale learns from.

    Rankings of gold and drift items are left out: some of their labelers knew the answer.
    """
    found: dict[int, list[tuple[float, int]]] = defaultdict(list)
    places = RankedCompletion.objects.filter(completion_id__in=list(rewards), ranking__item__control__in=OWN)
    for ranking, completion, place in places.order_by("pk").values_list("ranking_id", "completion_id", "place"):
        found[ranking].append((fmean(rewards[completion]), place))
    return list(found.values())
