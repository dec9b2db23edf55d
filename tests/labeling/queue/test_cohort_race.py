"""A held-out and a training labeler race for the last item, on connections of their own: the right one always wins."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from labeling.models import Cohort, Kind, Labeler, Purpose, WorkItem
from labeling.queue import dispatch
from tests.people import make_labeler
from tests.work import make_batch, make_prompts

pytestmark = pytest.mark.django_db(transaction=True)

OTHER = {Cohort.TRAINING: Cohort.HELD_OUT, Cohort.HELD_OUT: Cohort.TRAINING}


def as_before() -> None:
    """The last item is open, and nobody has ever seen it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM labeling_assignment; DELETE FROM labeling_cursor;"
            "UPDATE labeling_workitem SET taken = 0, is_open = true"
        )


def race(labelers: list[Labeler], trials: int) -> list[list[int | None]]:
    """What each labeler was given in each trial; both ask the moment the item is open again."""
    start = Barrier(len(labelers), action=as_before)

    def ask_again_and_again(labeler: Labeler) -> list[int | None]:
        try:
            given = []
            connection.cursor().execute("SET synchronous_commit = off")  # nothing here must survive a crash
            for _ in range(trials):
                start.wait(10)
                lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
                given.append(lease.item_id if lease else None)
            return given
        finally:
            connection.close()

    with ThreadPoolExecutor(len(labelers)) as pool:
        return list(pool.map(ask_again_and_again, labelers))


@pytest.mark.parametrize(
    ("cohort", "purpose", "trials"),
    [
        (Cohort.TRAINING, Purpose.TRAINING, 500),
        (Cohort.HELD_OUT, Purpose.TRAINING, 500),
        # Evaluation goes to the cohort that its batch was opened for, whichever that is, and to no other.
        (Cohort.HELD_OUT, Purpose.EVALUATION, 100),
        (Cohort.TRAINING, Purpose.EVALUATION, 100),
    ],
)
def test_the_last_item_goes_to_the_cohort_that_it_is_for(cohort: Cohort, purpose: Purpose, trials: int) -> None:
    right, wrong = make_labeler("right", cohort), make_labeler("wrong", OTHER[cohort])
    dispatch.add_demonstration_items(make_batch(Kind.DEMONSTRATE, cohort, purpose), make_prompts(1))
    (item,) = WorkItem.objects.values_list("pk", flat=True)
    theirs, others = race([right, wrong], trials)
    assert Counter(theirs) == {item: trials}
    assert Counter(others) == {None: trials}


def test_two_of_the_right_cohort_race_and_one_wins() -> None:
    """So the race above is one: with both labelers of the cohort, now the one comes first and now the other."""
    labelers = [make_labeler("one"), make_labeler("other")]
    dispatch.add_demonstration_items(make_batch(Kind.DEMONSTRATE), make_prompts(1))
    one, other = race(labelers, 100)
    assert all((mine is None) != (theirs is None) for mine, theirs in zip(one, other, strict=True))
    assert {None} < set(one) and {None} < set(other)
