"""Several labelers on a share of the items, and one more where they disagree."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from labeling.errors import BadInput
from labeling.guidelines.publish import current
from labeling.models import Assignment, Batch, Cohort, Control, Kind, Labeler, Purpose, WorkItem
from labeling.queue import dispatch
from labeling.queue.settings import Settings
from labeling.rankings.cards import cards
from labeling.rankings.submit import correct, submit
from tests.people import make_labeler
from tests.work import make_completions, make_prompts, make_sampling_run

UP, DOWN, SWAPPED = [1, 2, 3, 4], [4, 3, 2, 1], [2, 1, 3, 4]
TEXTS = ("one", "two", "three", "four")


def mixed_batch(settings: Settings, *, seed: int = 7, cohort: Cohort = Cohort.TRAINING, name: str = "mixed") -> Batch:
    return dispatch.open_batch(
        name=name,
        kind=Kind.RANK,
        purpose=Purpose.TRAINING,
        cohort=cohort,
        guideline=current(Purpose.TRAINING),
        settings=settings,
        seed=seed,
    )


def fill(batch: Batch, count: int, *, start: int = 0, need: int = 1, texts: Sequence[str] = TEXTS) -> None:
    run = make_sampling_run(f"{batch.pk} {start}")
    groups = [(prompt, make_completions(run, prompt, texts)) for prompt in make_prompts(count, start=start)]
    dispatch.add_ranking_items(batch, groups, need=need)


def drawn(batch: Batch) -> list[int]:
    """Where in the line the calibration items stand, from 0."""
    controls = batch.items.order_by("pos").values_list("control", flat=True)
    return [at for at, control in enumerate(controls) if control == Control.CALIBRATION]


def rank(labeler: Labeler, lease: Assignment, places: list[int], texts: Sequence[str] = TEXTS) -> None:
    place_of = dict(zip(texts, places, strict=True))
    submit(labeler, lease.pk, {card.number: place_of[card.text] for card in cards(lease)})


def rank_next(labeler: Labeler, places: list[int]) -> int | None:
    lease = dispatch.claim(labeler, Kind.RANK)
    if lease is None:
        return None
    rank(labeler, lease, places)
    return lease.item_id


# ── The share ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_15_percent_get_three_labelers_and_stand_anywhere() -> None:
    batch = mixed_batch(Settings())
    fill(batch, 40)
    assert list(batch.items.filter(control=Control.CALIBRATION).values_list("need", flat=True)) == [3] * 6
    assert list(batch.items.filter(control=Control.ORDINARY).values_list("need", flat=True)) == [1] * 34
    places = drawn(batch)
    assert places != list(range(6)) and places != list(range(34, 40))
    assert places[-1] - places[0] > 10


@pytest.mark.django_db
def test_the_draw_follows_from_the_stored_seed_alone() -> None:
    batches = [mixed_batch(Settings(), seed=seed) for seed in (7, 7, 8)]
    for number, batch in enumerate(batches):
        fill(batch, 40, start=100 * number)
        batch.items.update(is_open=False)  # so that the next one stands alone
    one, again, other = map(drawn, batches)
    assert one == again != other


@pytest.mark.django_db
def test_items_that_come_one_by_one_get_their_share_too() -> None:
    batch = mixed_batch(Settings(calibration_share=0.25))
    for number in range(8):
        fill(batch, 1, start=number)
    assert len(drawn(batch)) == 2


@pytest.mark.django_db
def test_who_wants_more_labelers_anyway_keeps_them() -> None:
    batch = mixed_batch(Settings(calibration_share=1.0))
    fill(batch, 2, need=4)
    assert set(batch.items.values_list("need", "control")) == {(4, Control.CALIBRATION)}


# ── One more ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def four(db: None) -> list[Labeler]:
    return [make_labeler(f"labeler-{number}") for number in range(4)]


def shared_item(**changed: float) -> WorkItem:
    """One calibration item for two labelers, and at most four."""
    values = {"calibration_share": 1.0, "calibration_labelers": 2, "most_labelers": 4, **changed}
    fill(mixed_batch(Settings(**values)), 1)  # type: ignore[arg-type]
    return WorkItem.objects.get()


def needs(item: WorkItem) -> tuple[int, int, bool]:
    item.refresh_from_db()
    return item.need, item.done, item.is_open


def test_labelers_who_agree_are_enough(four: list[Labeler]) -> None:
    item = shared_item()
    for labeler in four[:2]:
        assert rank_next(labeler, UP) == item.pk
    assert needs(item) == (2, 2, False)


def test_small_differences_and_ties_are_no_disagreement(four: list[Labeler]) -> None:
    item = shared_item(opposed_share=1 / 6)  # one pair of six is not above it
    rank_next(four[0], UP)
    rank_next(four[1], SWAPPED)
    assert needs(item) == (2, 2, False)


def test_who_disagrees_brings_one_more_at_a_time_up_to_the_most(four: list[Labeler]) -> None:
    """Opposed: 1; then 2/3 with a third like the first; then 4/6 with two against two."""
    item = shared_item()
    rank_next(four[0], UP)
    assert needs(item) == (2, 1, True)
    rank_next(four[1], DOWN)
    assert needs(item) == (3, 2, True)
    assert rank_next(four[2], UP) == item.pk
    assert needs(item) == (4, 3, True)
    assert rank_next(four[3], DOWN) == item.pk
    assert needs(item) == (4, 4, False)


def test_a_correction_that_brings_disagreement_asks_one_more_too(four: list[Labeler]) -> None:
    item = shared_item()
    rank_next(four[0], UP)
    lease = dispatch.claim(four[1], Kind.RANK)
    assert lease is not None
    rank(four[1], lease, UP)
    assert needs(item) == (2, 2, False)
    other_way = {card.number: dict(zip(TEXTS, DOWN, strict=True))[card.text] for card in cards(lease)}
    correct(four[1], lease.pk, other_way)
    assert needs(item) == (3, 2, True)
    correct(four[1], lease.pk, other_way)  # it is wanted once
    assert needs(item) == (3, 2, True)


def test_a_majority_that_is_clear_enough_ends_it(four: list[Labeler]) -> None:
    item = shared_item(opposed_share=0.7)
    rank_next(four[0], UP)
    rank_next(four[1], DOWN)
    rank_next(four[2], UP)  # 2/3 are opposed, which is not above 0.7
    assert needs(item) == (3, 3, False)


def test_nobody_is_waited_for_who_is_not_there(four: list[Labeler]) -> None:
    item = shared_item()
    Labeler.objects.filter(pk__in=[four[2].pk, four[3].pk]).update(state=Labeler.State.PAUSED)
    rank_next(four[0], UP)
    rank_next(four[1], DOWN)
    assert needs(item) == (2, 2, False)


def test_identical_samples_are_one_answer(four: list[Labeler]) -> None:
    """Three cards: of their three pairs one is opposed. With the twins counted apart it would be two of six."""
    texts = ("one", "two", "two ", "three")
    batch = mixed_batch(Settings(calibration_share=1.0, calibration_labelers=2, most_labelers=4, opposed_share=0.333))
    fill(batch, 1, texts=texts)
    orders = ({"one": 1, "two": 2, "three": 3}, {"one": 2, "two": 1, "three": 3})
    for labeler, place_of in zip(four, orders, strict=False):
        lease = dispatch.claim(labeler, Kind.RANK)
        assert lease is not None
        submit(labeler, lease.pk, {card.number: place_of[card.text] for card in cards(lease)})
    assert needs(WorkItem.objects.get()) == (3, 2, True)


def test_an_item_that_wants_several_labelers_without_being_drawn_is_looked_at_too(four: list[Labeler]) -> None:
    fill(mixed_batch(Settings(calibration_share=0.0, calibration_labelers=1, most_labelers=3)), 1, need=2)
    rank_next(four[0], UP)
    rank_next(four[1], DOWN)
    assert needs(WorkItem.objects.get()) == (3, 2, True)


def test_a_held_item_stays_held(four: list[Labeler]) -> None:
    item = shared_item()
    rank_next(four[0], UP)
    lease = dispatch.claim(four[1], Kind.RANK)
    assert lease is not None
    dispatch.hold(item, "Somebody must look.")
    rank(four[1], lease, DOWN)
    assert needs(item) == (3, 2, False)


@pytest.mark.django_db(transaction=True)
def test_two_who_disagree_at_once_ask_for_one_more_once() -> None:
    """Both read the other's ranking or wait for it: whoever stores the last one sees both."""
    people = [make_labeler(f"racer-{number}") for number in range(4)]
    for trial in range(25):
        batch = mixed_batch(Settings(calibration_share=1.0, calibration_labelers=2, most_labelers=5))
        fill(batch, 1, start=trial)
        leases = [dispatch.claim(labeler, Kind.RANK) for labeler in people[:2]]
        start = Barrier(2)

        def send(at: int, leases: list[Assignment | None] = leases, start: Barrier = start) -> None:
            try:
                lease = leases[at]
                assert lease is not None
                start.wait(10)
                rank(people[at], lease, [UP, DOWN][at])
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(send, range(2)))
        item = batch.items.get()
        assert (item.need, item.done, item.taken, item.is_open) == (3, 2, 2, True)
        batch.items.update(is_open=False)


# ── Settings ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ({"calibration_share": 1.1}, "The calibration share is 1.1"),
        ({"calibration_share": -0.1}, "from 0 to 1"),
        ({"opposed_share": float("nan")}, "from 0 to 1"),
        ({"gold_share": "half"}, "The gold share is 'half'"),
        ({"gold_share": True}, "The gold share is True"),
        ({"weight": 0}, "The weight is 0; it is a whole number from 1 to 100"),
        ({"weight": 1.5}, "a whole number"),
        ({"drift_count": -1}, "drift items is -1"),
        ({"calibration_labelers": 4, "most_labelers": 3}, "gets 4 labelers, but an item can get 3 at most"),
    ],
)
def test_settings_that_cannot_be_open_no_batch(bad: dict[str, float], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        mixed_batch(Settings(**bad))  # type: ignore[arg-type]
    assert not Batch.objects.exists()


@pytest.mark.django_db
def test_only_rankings_are_calibrated() -> None:
    with pytest.raises(BadInput, match="nothing is ranked"):
        dispatch.open_batch(
            name="texts",
            kind=Kind.DEMONSTRATE,
            purpose=Purpose.TRAINING,
            cohort=Cohort.TRAINING,
            guideline=current(Purpose.TRAINING),
            settings=Settings(),
        )


@pytest.mark.django_db
def test_a_higher_share_reaches_what_nobody_has_seen(labeler: Labeler) -> None:
    batch = mixed_batch(Settings(calibration_share=0.1))
    fill(batch, 20)
    lease = dispatch.claim(labeler, Kind.RANK)
    assert lease is not None
    before = set(batch.items.filter(control=Control.CALIBRATION).values_list("pk", flat=True))
    dispatch.change_settings(batch, Settings(calibration_share=0.5, calibration_labelers=4))
    now = batch.items.filter(control=Control.CALIBRATION)
    assert now.count() == 10
    assert before <= set(now.values_list("pk", flat=True))
    assert set(now.filter(taken=0).values_list("need", flat=True)) == {4}
    assert lease.item_id in before or not now.filter(pk=lease.item_id).exists()


@pytest.mark.django_db
def test_a_lower_share_takes_nothing_back() -> None:
    batch = mixed_batch(Settings(calibration_share=0.5))
    fill(batch, 10)
    dispatch.change_settings(batch, Settings(calibration_share=0.0))
    assert len(drawn(batch)) == 5
    batch.refresh_from_db()
    fill(batch, 4, start=50)
    assert len(drawn(batch)) == 5
