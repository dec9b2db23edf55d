"""What reward models say of completions that nobody has ranked yet, out of a `score` run; active.py chooses by it.

The run reads `exports.freeze.freeze_completions(…)`, and so its rows name the completions.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean

from labeling.errors import BadInput, Conflict
from labeling.queue.models import OWN
from labeling.rankings.models import RankedCompletion
from training import storage
from training.contract.rows import RowError, iter_rows
from training.models import Run


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
