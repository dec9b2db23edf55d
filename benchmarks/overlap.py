"""Rankings by many labelers of the same items, written straight into the tables: what the agreement page is read from.

Labelers see each completion's quality through noise of their own, so that they agree about as often as people do.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from benchmarks.line import labelers as new_labelers
from labeling.guidelines.publish import current as current_guideline
from labeling.models import Batch, Cohort, Kind, Prompt, Purpose, Split, UseCase
from labeling.queue import dispatch
from labeling.queue.models import Lane
from labeling.rubrics import publish
from training.models import Checkpoint, Run

EACH = 5  # rankings of an item
BATCHES = 10
NOISE = 0.9  # beside a spread of 1 of the completions' quality: two labelers agree on about seven pairs of ten
TEXT = "Sea water is salty because rivers carry minerals from rocks to the sea, and the sun leaves them there. "


def fill(items: int, labelers: int, seed: int = 1) -> None:
    """`items` items of K = 4 to 9, each ranked, rated and flagged by five of the labelers."""
    rng = np.random.default_rng(seed)
    people = [labeler.pk for labeler in new_labelers("overlap", labelers)]
    batches = [_batch(number) for number in range(BATCHES)]
    rubric = publish.current()
    run = Run.objects.create(recipe="sample", name="overlap", spec={}, seed=1, state=Run.State.DONE)
    policy = Checkpoint.objects.create(name="overlap", kind=Checkpoint.Kind.POLICY, path="overlap")
    prompts = [prompt.pk for prompt in _prompts(items)]
    k = rng.integers(4, 10, size=items)
    start = np.concatenate([[0], np.cumsum(k)])
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")  # no foreign key checks: the rows are right
        of_item = np.repeat(np.arange(items), k)
        sample = np.arange(start[-1]) - start[of_item]
        _put(
            "labeling_completion (id, prompt_id, run_id, checkpoint_id, sample, text, finished, created_at)",
            (
                f"{n}\t{prompts[item]}\t{run.pk}\t{policy.pk}\t{slot}\t{n}. {4 * TEXT}\tt\tnow"
                for n, (item, slot) in enumerate(zip(of_item.tolist(), sample.tolist(), strict=True), start=1)
            ),
        )
        _put(
            "labeling_workitem (id, batch_id, prompt_id, lane, priority, pos, need, taken, done, is_open)",
            (
                f"{n + 1}\t{batches[n * BATCHES // items].pk}\t{prompts[n]}\t{int(Lane.RANK_TRAINING)}\t5\t{n + 1}\t"
                f"{EACH}\t{EACH}\t{EACH}\tf"
                for n in range(items)
            ),
        )
        _put(
            "labeling_workitemcompletion (item_id, completion_id)",
            (f"{item + 1}\t{n}" for n, item in enumerate(of_item.tolist(), start=1)),
        )
        _rankings(rng, k, start, people, [batch.guideline_id for batch in batches][:1], rubric.pk)
        _places(rng, k, start, [question["key"] for question in rubric.flags])
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


def _rankings(
    rng: np.random.Generator,
    k: NDArray[np.int64],
    start: NDArray[np.int64],
    people: Sequence[int],
    guideline: Sequence[int],
    rubric: int,
) -> None:
    of = np.concatenate([rng.choice(people, size=EACH, replace=False) for _ in range(len(k))])
    rows = list(enumerate(of.tolist()))
    _put(
        "labeling_assignment (id, item_id, labeler_id, lane, state, display_order, leased_at, expires_at, ended_at, "
        "skip_reason)",
        (
            f"00000000-0000-4000-8000-{n:012d}\t{n // EACH + 1}\t{labeler}\t{int(Lane.RANK_TRAINING)}\t1\t{{}}\t"
            "now\tnow\tnow\t"
            for n, labeler in rows
        ),
    )
    _put(
        "labeling_ranking (id, assignment_id, item_id, labeler_id, guideline_id, rubric_id, display_order, reasons, "
        "rationale, earlier, created_at)",
        (
            f"{n + 1}\t00000000-0000-4000-8000-{n:012d}\t{n // EACH + 1}\t{labeler}\t{guideline[0]}\t{rubric}\t"
            f"{{{','.join(map(str, range(start[n // EACH] + 1, start[n // EACH + 1] + 1)))}}}\t{{}}\t\t[]\t"
            f"2026-{1 + n * 6 // len(rows):02d}-{1 + n % 28:02d} 12:00+00"
            for n, labeler in rows
        ),
    )


def _places(rng: np.random.Generator, k: NDArray[np.int64], start: NDArray[np.int64], flags: Sequence[str]) -> None:
    quality = rng.standard_normal(int(start[-1]))
    flagged = rng.random(int(start[-1])) < 0.15

    def rows() -> Iterable[str]:
        for item in range(len(k)):
            at = slice(int(start[item]), int(start[item + 1]))
            for ranking in range(item * EACH + 1, item * EACH + EACH + 1):
                seen = np.round(quality[at] + NOISE * rng.standard_normal(int(k[item])), 1)  # rounding makes ties
                places = np.unique(-seen, return_inverse=True)[1] + 1
                ratings = np.clip(np.round(4 + 1.5 * seen), 1, 7).astype(int)
                ticked = rng.random(int(k[item])) < np.where(flagged[at], 0.7, 0.05)
                which = rng.integers(0, len(flags), size=int(k[item]))
                for slot in range(int(k[item])):
                    keys = f"{{{flags[which[slot]]}}}" if ticked[slot] else "{}"
                    yield f"{ranking}\t{at.start + slot + 1}\t{places[slot]}\t{ratings[slot]}\t{keys}\t[]"

    _put("labeling_rankedcompletion (ranking_id, completion_id, place, rating, flags, spans)", rows())


def _prompts(count: int) -> list[Prompt]:
    cases = list(UseCase.values)
    return Prompt.objects.bulk_create(
        [
            Prompt(
                text=f"Question {n}?",
                digest=f"{n:064x}",
                split=Split.TRAIN,
                source="overlap",
                use_case=cases[n % len(cases)],
            )
            for n in range(count)
        ],
        batch_size=5000,
    )


def _batch(number: int) -> Batch:
    return dispatch.open_batch(
        name=f"overlap {number}",
        kind=Kind.RANK,
        purpose=Purpose.TRAINING,
        cohort=Cohort.TRAINING,
        guideline=current_guideline(Purpose.TRAINING),
    )


def _put(table: str, rows: Iterable[str]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write(row + "\n")
