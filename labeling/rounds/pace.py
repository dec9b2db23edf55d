"""How long a label and a run take here: the medians of what was done. Only reads."""

from collections.abc import Mapping
from statistics import median
from typing import Any

from django.db import connection

from labeling.queue.models import Assignment, Kind, Lane
from training.contract.specs import SPECS
from training.models import Run

ENOUGH = 5  # labels of a kind, below which their median says little
ASSUMED = {Kind.DEMONSTRATE: 600.0, Kind.RANK: 360.0, Kind.PROPOSE: 300.0}  # seconds a label; ours, no paper says it
RECENT = 5  # runs

# People's own pace: labels by simulated labelers are left out.
MEDIANS = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds), count(*)
FROM (
    SELECT extract(epoch FROM sum(s.ended_at - s.started_at))::float AS seconds
    FROM labeling_assignment a
    JOIN labeling_activespan s ON s.assignment_id = a.id
    JOIN labeling_labeler l ON l.id = a.labeler_id
    WHERE a.state = %s AND a.lane = ANY(%s) AND NOT l.is_simulated
    GROUP BY a.id
) labels
"""


def of_labels() -> tuple[dict[str, float], list[str]]:
    """Seconds of active time a label, by kind of work; and in a sentence each what that rests on."""
    seconds, said = {}, []
    for kind in (Kind.DEMONSTRATE, Kind.RANK):
        half, count = _median([lane for lane in Lane if lane.kind == kind])
        word = "demonstration" if kind == Kind.DEMONSTRATE else "ranking"
        if count >= ENOUGH and half:
            seconds[kind.value] = half
            said.append(f"A {word} takes {half / 60:.1f} minutes: the median of {count:,} past ones.")
        else:
            seconds[kind.value] = ASSUMED[kind]
            said.append(f"A {word} is assumed to take {ASSUMED[kind] / 60:.0f} minutes: there are too few past ones.")
    return seconds, said


def _median(lanes: list[Lane]) -> tuple[float | None, int]:
    with connection.cursor() as cursor:
        cursor.execute(MEDIANS, [Assignment.State.DONE, [lane.value for lane in lanes]])
        half, count = cursor.fetchone()
    return half, count


def of_run(recipe: str, spec: Mapping[str, Any], rows: Mapping[str, int]) -> float | None:
    """Seconds that such a run takes at the pace of the last ones of its recipe, whatever their model; None where there
    is none. `rows` are those of its inputs."""
    recent = Run.objects.filter(
        recipe=recipe, state=Run.State.DONE, started_at__isnull=False, finished_at__isnull=False
    )
    paces = []
    for run in recent.prefetch_related("inputs__dataset").order_by("-finished_at")[:RECENT]:
        there = {one.name: one.dataset.rows for one in run.inputs.all()}
        assert run.started_at and run.finished_at  # the query has asked for them
        paces.append((run.finished_at - run.started_at).total_seconds() / max(1.0, work(recipe, run.spec, there)))
    return median(paces) * work(recipe, spec, rows) if paces else None


def work(recipe: str, spec: Mapping[str, Any], rows: Mapping[str, int]) -> float:
    """How much a run has to do, in pieces of its recipe's own: rows, completions or episodes."""

    def of(name: str) -> float:
        value: float = spec.get(name, getattr(SPECS[recipe], name))
        return value

    pieces = {
        "pretrain": lambda: of("steps") * of("batch_size"),
        "sft": lambda: of("epochs") * rows.get("demonstrations", 0),
        "sample": lambda: of("samples_per_prompt") * rows.get("prompts", 0),
        "score": lambda: float(rows.get("completions", 0)),
        "reward_model": lambda: of("epochs") * rows.get("rankings", 0),
        "ppo": lambda: of("total_episodes") * of("num_ppo_epochs"),
        "evaluate": lambda: of("max_blocks") + of("samples_per_prompt") * rows.get("prompts", 0),
    }
    return pieces[recipe]()
