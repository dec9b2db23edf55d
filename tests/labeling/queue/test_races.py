"""Many labelers at once, on real PostgreSQL, in real processes and threads."""

import multiprocessing
import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections, transaction
from django.db.models import Count, F, Q
from django.utils import timezone

from labeling.demonstrations import submit as demonstrations
from labeling.errors import Conflict
from labeling.models import ActiveSpan, Assignment, Cohort, Cursor, Demonstration, Draft, Kind, Labeler, WorkItem
from labeling.queue import dispatch, drafts, ledger
from labeling.rankings import submit as rankings
from tests.people import make_labeler
from tests.work import ranking_work, writing_work

pytestmark = pytest.mark.django_db(transaction=True)

LABELERS, ITEMS, NEED = 9, 840, 3  # of each of the two populations: 2 x 840 x 3 = 5,040 labels


def in_thread(work: Callable[[], Any]) -> Any:
    try:
        return work()
    finally:
        connection.close()


def all_at_once(works: list[Callable[[], Any]]) -> list[Any]:
    """What the works gave or raised, all started behind one barrier, each on its own connection."""
    barrier = Barrier(len(works))

    def started(work: Callable[[], Any]) -> Any:
        barrier.wait(10)
        try:
            return in_thread(work)
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(started, works))


def finish(labeler: Labeler, assignment_id: UUID) -> Assignment:
    with transaction.atomic():
        return dispatch.finish(labeler, assignment_id)


def work_until_idle(labeler: Labeler, seed: int) -> int:
    """Claim, and mostly finish: some work is skipped, some abandoned, as people do. How many claims it took."""
    chance, claims = random.Random(seed), 0
    while assignment := dispatch.claim(labeler, Kind.DEMONSTRATE):
        claims += 1
        match chance.random():
            case dice if dice < 0.01:
                dispatch.skip(labeler, assignment.pk, "language")
            case dice if dice < 0.02:
                Assignment.objects.filter(pk=assignment.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
                dispatch.sweep()
            case _:
                finish(labeler, assignment.pk)
    return claims


def population(cohort: str, seed: int, claims: Any) -> None:
    """One process: all labelers of a cohort, a thread each."""
    labelers = list(Labeler.objects.filter(cohort=cohort))
    connection.close()
    works = [lambda n=n, labeler=labeler: work_until_idle(labeler, seed + n) for n, labeler in enumerate(labelers)]
    for result in all_at_once(works):
        claims.put(result)


def test_two_populations_race_for_5000_claims() -> None:
    for cohort in Cohort:
        for number in range(LABELERS):
            make_labeler(f"{cohort}-{number}", cohort)
        writing_work(ITEMS, need=NEED, cohort=cohort, start=ITEMS * (cohort == Cohort.HELD_OUT))
    connections.close_all()  # the children must not share a socket with this process
    fork = multiprocessing.get_context("fork")
    claims = fork.Queue()
    children = [fork.Process(target=population, args=(cohort, 100 * n, claims)) for n, cohort in enumerate(Cohort)]
    for child in children:
        child.start()
    results = [claims.get(timeout=120) for _ in range(2 * LABELERS)]
    for child in children:
        child.join(30)
    assert all(isinstance(result, int) for result in results), results
    _drain()

    assert sum(results) >= 5000
    assert _labels_by_item() == dict.fromkeys(WorkItem.objects.values_list("pk", flat=True), NEED)
    assert not WorkItem.objects.exclude(done=NEED, taken=NEED, is_open=False).exists()
    assert not _labels_twice()
    assert not Assignment.objects.exclude(labeler__cohort=F("item__batch__cohort")).exists()
    assert not Assignment.objects.filter(state=Assignment.State.LEASED).exists()
    # the race was one: both populations were at work at the same time, and items went from hand to hand
    assert Assignment.objects.filter(state=Assignment.State.SKIPPED).count() > 10
    assert _overlap_seconds() > 1


def _drain() -> None:
    """What is left once the others are gone: leases that ran out, and items that all cursors stepped over."""
    for labeler in Labeler.objects.all():
        Cursor.objects.update(rescanned_at=None)  # a minute later
        work_until_idle(labeler, labeler.pk)


def _labels_by_item() -> dict[int, int]:
    done = Assignment.objects.filter(state=Assignment.State.DONE)
    return dict(done.order_by().values_list("item").annotate(labels=Count("pk")))


def _labels_twice() -> list[tuple[int, int]]:
    pairs = Counter(Assignment.objects.values_list("item", "labeler"))
    return [pair for pair, count in pairs.items() if count > 1]


def _overlap_seconds() -> float:
    spans = []
    for cohort in Cohort:
        times = Assignment.objects.filter(labeler__cohort=cohort).order_by("leased_at").values_list("leased_at")
        spans.append((times.first()[0], times.last()[0]))
    (start, end), (other_start, other_end) = spans
    return (min(end, other_end) - max(start, other_start)).total_seconds()


@pytest.mark.parametrize("just_ended", [False, True])
def test_tabs_that_claim_together_get_one_lease(just_ended: bool) -> None:
    labeler = make_labeler("tabs")
    writing_work(40)
    for _ in range(5):
        leases = all_at_once([lambda: dispatch.claim(labeler, Kind.DEMONSTRATE, just_ended=just_ended)] * 6)
        assert len({lease.pk for lease in leases}) == 1, leases
        finish(labeler, leases[0].pk)
    assert WorkItem.objects.aggregate(taken=Count("pk", filter=Q(taken=1)))["taken"] == 5


def test_the_same_answer_from_two_tabs_is_kept_once() -> None:
    labeler = make_labeler("tabs")
    writing_work(1, need=3)
    assignment = dispatch.claim(labeler, Kind.DEMONSTRATE)
    texts = [f"answer {number}" for number in range(6)]
    results = all_at_once([lambda text=text: demonstrations.submit(labeler, assignment.pk, text) for text in texts])
    kept = [result for result in results if isinstance(result, Demonstration)]
    assert len(kept) == 1
    assert all(isinstance(result, Conflict) and "before" in result.sentence for result in results if result not in kept)
    assert (WorkItem.objects.get().taken, WorkItem.objects.get().done) == (1, 1)
    assert Demonstration.objects.get() == kept[0]


@pytest.fixture
def late_pair() -> Iterator[tuple[Labeler, Labeler, Assignment]]:
    """A lease that ran out on an item that wants one label, and a second labeler who is after it."""
    late, quick = make_labeler("late"), make_labeler("quick")
    ranking_work(1)
    assignment = dispatch.claim(late, Kind.RANK)
    Assignment.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    dispatch.sweep()
    yield late, quick, assignment


def test_late_work_and_a_new_claim_cannot_both_win(late_pair: tuple[Labeler, Labeler, Assignment]) -> None:
    late, quick, assignment = late_pair
    places = {number: number for number in range(1, 5)}
    submitted, claimed = all_at_once(
        [lambda: rankings.submit(late, assignment.pk, places), lambda: dispatch.claim(quick, Kind.RANK)]
    )
    item = WorkItem.objects.get()
    assert item.taken == 1
    if claimed is None:
        assert item.done == 1
        assert submitted.item_id == item.pk
    else:
        assert item.done == 0
        assert isinstance(submitted, Conflict)


def test_sweep_and_submit_leave_the_counts_right() -> None:
    """Every lease runs out while it is being sent in; whichever comes first, the work is kept and counted once."""
    labelers = [make_labeler(f"worker-{number}") for number in range(6)]
    writing_work(6)
    for _ in range(3):
        leases = [dispatch.claim(labeler, Kind.DEMONSTRATE) for labeler in labelers]
        if not all(leases):
            break
        Assignment.objects.filter(state=0).update(expires_at=timezone.now() - timedelta(seconds=1))
        works: list[Callable[[], Any]] = [
            lambda labeler=labeler, lease=lease: finish(labeler, lease.pk)
            for labeler, lease in zip(labelers, leases, strict=True)
        ]
        results = all_at_once([*works, dispatch.sweep, dispatch.sweep])
        assert not [result for result in results if isinstance(result, Exception)]
    assert not WorkItem.objects.exclude(taken=1, done=1, is_open=False).exists()


def test_windows_that_save_together_lose_no_version() -> None:
    """Of six versions that know revision 0, one is stored and five are told of it."""
    labeler = make_labeler("tabs")
    writing_work(1)
    assignment = dispatch.claim(labeler, Kind.DEMONSTRATE)
    works = [lambda n=n: drafts.save(labeler, assignment.pk, [("text", f"window {n}")], 0) for n in range(6)]
    results = all_at_once(works)
    stored = [result for result in results if isinstance(result, Draft)]
    assert len(stored) == 1, results
    told = [result for result in results if isinstance(result, drafts.Newer)]
    assert [newer.stored.content for newer in told] == [stored[0].content] * 5
    assert Draft.objects.get().revision == 1


def test_a_save_and_the_submit_of_the_same_words_leave_no_draft() -> None:
    labeler = make_labeler("quick")
    writing_work(8)
    for base in (0, 1) * 4:
        assignment = dispatch.claim(labeler, Kind.DEMONSTRATE)
        if base:
            drafts.save(labeler, assignment.pk, [("text", "wor")], 0)
        saved, sent = all_at_once(
            [
                lambda pk=assignment.pk, base=base: drafts.save(labeler, pk, [("text", "words")], base),
                lambda pk=assignment.pk: demonstrations.submit(labeler, pk, "words"),
            ]
        )
        assert isinstance(sent, Demonstration), sent
        assert isinstance(saved, (Draft, Conflict)), saved
        assert drafts.fields_of(Assignment.objects.get(pk=assignment.pk)) is None


def test_tabs_that_sign_together_count_every_moment_once() -> None:
    """Six windows on two pieces sign at the same time, again and again: the spans never overlap."""
    labeler = make_labeler("tabs")
    writing_work(1)
    ranking_work(1)
    pieces = [dispatch.claim(labeler, kind).pk for kind in (Kind.DEMONSTRATE, Kind.RANK)]
    for _ in range(30):
        results = all_at_once([lambda pk=pieces[n % 2]: ledger.sign(labeler.pk, pk) for n in range(6)])
        assert results == [None] * 6
    spans = list(ActiveSpan.objects.order_by("started_at", "ended_at"))
    assert not [1 for one, other in pairwise(spans) if one.ended_at > other.started_at]
    counted = sum((span.ended_at - span.started_at for span in spans), timedelta())
    passed = max(span.ended_at for span in spans) - spans[0].started_at
    assert timedelta() < counted <= passed
    assert ActiveSpan.objects.filter(is_last=True).count() == 1


def test_a_ping_and_a_submit_do_not_block_each_other() -> None:
    labeler = make_labeler("busy")
    writing_work(20)
    for _ in range(20):
        assignment = dispatch.claim(labeler, Kind.DEMONSTRATE)
        sent, *signed = all_at_once(
            [
                lambda pk=assignment.pk: demonstrations.submit(labeler, pk, "words"),
                *[lambda pk=assignment.pk: ledger.sign(labeler.pk, pk)] * 3,
            ]
        )
        assert isinstance(sent, Demonstration), sent
        assert signed == [None] * 3


def test_a_skip_is_undone_once_whoever_is_after_the_piece() -> None:
    """Two windows undo the same skip while somebody else claims: one of the two labelers has it in the end."""
    mine, theirs = make_labeler("mine"), make_labeler("theirs")
    writing_work(2)
    for _ in range(10):
        Assignment.objects.all().delete()
        WorkItem.objects.update(taken=0, is_open=True)
        Cursor.objects.all().delete()
        skipped = dispatch.claim(mine, Kind.DEMONSTRATE)
        dispatch.skip(mine, skipped.pk)
        dispatch.claim(mine, Kind.DEMONSTRATE)
        one, two, claimed = all_at_once(
            [
                lambda pk=skipped.pk: dispatch.take_back(mine, pk),
                lambda pk=skipped.pk: dispatch.take_back(mine, pk),
                lambda: dispatch.claim(theirs, Kind.DEMONSTRATE),
            ]
        )
        leases = Assignment.objects.filter(state=Assignment.State.LEASED)
        for item in WorkItem.objects.all():
            assert item.taken == leases.filter(item=item).count()
            assert item.is_open is (item.taken == 0)
        assert leases.filter(labeler=mine).count() == 1
        if claimed is not None and claimed.item_id == skipped.item_id:
            assert isinstance(one, Conflict)
            assert isinstance(two, Conflict)
        else:
            assert one.pk == two.pk == skipped.pk


def test_two_who_find_it_unclear_at_once_hold_it() -> None:
    labelers = [make_labeler(f"lost-{number}") for number in range(2)]
    writing_work(5, need=2)
    for _ in range(5):
        leases = [dispatch.claim(labeler, Kind.DEMONSTRATE) for labeler in labelers]
        assert leases[0].item_id == leases[1].item_id
        works = zip(labelers, leases, strict=True)
        all_at_once([lambda who=who, pk=lease.pk: dispatch.skip(who, pk, "unclear") for who, lease in works])
        item = WorkItem.objects.get(pk=leases[0].item_id)
        assert (item.taken, item.is_open, item.held_at is None) == (0, False, False)
