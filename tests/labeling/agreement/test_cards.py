"""Scorecards from the database: every figure by hand, and what the pages say where there is little."""

import csv
import io
from datetime import timedelta

import pytest
from django.core.cache import caches
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labeling.agreement import cards
from labeling.models import ActiveSpan, Assignment, Kind, Labeler, Ranking, User, WorkItem
from labeling.queue import dispatch
from labeling.rankings.submit import submit
from tests.labeling.agreement.overlap import claimed, rank
from tests.work import ranking_work

pytestmark = pytest.mark.django_db
IN_ORDER, TURNED = [1, 2, 3, 4], [2, 1, 3, 4]


@pytest.fixture(autouse=True)
def nothing_is_known() -> None:
    caches["reports"].clear()


@pytest.fixture
def office(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


def card(labeler: Labeler) -> cards.Card:
    return cards.of_all().by_labeler[labeler.pk]


def text_of(client: Client, name: str, *args: object, **query: str) -> str:
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200, response.content[:500]
    return response.content.decode()


def test_figures_by_hand(labeler: Labeler, second_labeler: Labeler) -> None:
    """Two shared items, 5 and 6 of 6 pairs alike; the first labeler ranks a third one alone, with a tie."""
    ranking_work(2, need=2)
    for places in (IN_ORDER, IN_ORDER):
        rank(labeler, places)
    for places in (TURNED, IN_ORDER):
        rank(second_labeler, places)
    ranking_work(1)
    rank(labeler, [1, 1, 2, 3])
    found = card(labeler)
    assert found.rankings == 3
    assert found.figures["with_others"].value == pytest.approx(11 / 12)
    assert found.figures["with_others"].low is None  # fewer than 5 items
    assert found.figures["ties"].value == pytest.approx(1 / 18)
    assert found.figures["ties"].others == 0
    assert found.figures["repeats_earlier"].value is None  # always the first
    assert card(second_labeler).figures["repeats_earlier"].value == 0.5
    assert found.figures["same_pattern"].value is None  # of fewer than 25
    assert found.flags == []


def test_where_it_stood(labeler: Labeler) -> None:
    """Placed as it stands on the page: the first wins its 3 pairs, the second 2 of 3, the last none."""
    ranking_work(1)
    lease = claimed(labeler)
    submit(labeler, lease.pk, {1: 1, 2: 2, 3: 3, 4: 4})
    found = card(labeler)
    assert found.won_at == [(1, 1.0, 3), (2, pytest.approx(2 / 3), 3), (3, pytest.approx(1 / 3), 3), (4, 0.0, 3)]
    assert found.figures["first_preferred"].value == 1.0
    assert found.pattern == [1, 2, 3, 4]
    assert [item for item, _ in found.lists["first"]] == [lease.item_id]


def test_time_and_skips(labeler: Labeler, second_labeler: Labeler) -> None:
    """The ledger says 90 seconds and 5 minutes; of three pieces taken the first labeler passed one on."""
    ranking_work(4)
    for seconds in (90, 300):
        done = rank(labeler, IN_ORDER).assignment
        ActiveSpan.objects.filter(assignment=done).delete()
        start = timezone.now() - timedelta(hours=2)
        ActiveSpan.objects.create(
            labeler=labeler, assignment=done, started_at=start, ended_at=start + timedelta(seconds=seconds)
        )
    dispatch.skip(labeler, claimed(labeler).pk, "unclear")
    rank(second_labeler, IN_ORDER)
    found = card(labeler)
    assert (found.speed.pieces, found.speed.median) == (2, pytest.approx(3.25))
    assert [share for share in found.speed.shares if share] == [0.5, 0.5]
    assert found.skipped.pieces == 1
    assert found.skipped.share == pytest.approx(1 / 3)
    assert found.skipped.others == 0
    assert found.skipped.reasons == {"unclear": 1}
    assert [value for _, value in found.lists["fast"]] == [pytest.approx(1.5), pytest.approx(5)]


def test_what_one_would_rather_not_read_is_no_mark(labeler: Labeler) -> None:
    """Passed on: one as unclear, one as uncomfortable, one that touches a topic. With one ranking it is 1 of 2."""
    ranking_work(4)
    rank(labeler, IN_ORDER)
    for reason in ("unclear", "uncomfortable"):
        dispatch.skip(labeler, claimed(labeler).pk, reason)
    lease = claimed(labeler)
    WorkItem.objects.filter(pk=lease.item_id).update(topics=["violence"])
    dispatch.skip(labeler, lease.pk, "language")
    skipped = card(labeler).skipped
    assert (skipped.pieces, skipped.share) == (3, 0.5)


def test_weeks_go_from_monday(labeler: Labeler, second_labeler: Labeler) -> None:
    ranking_work(2, need=2)
    for person in (labeler, second_labeler):
        for _ in range(2):
            rank(person, IN_ORDER)
    first, second = Ranking.objects.filter(labeler=labeler).order_by("pk")
    Ranking.objects.filter(pk=first.pk).update(created_at="2026-03-01T12:00Z")  # a Sunday
    Ranking.objects.filter(pk=second.pk).update(created_at="2026-03-02T12:00Z")
    weeks = card(labeler).weeks
    assert [(str(week.since), week.rankings) for week in weeks] == [("2026-02-23", 1), ("2026-03-02", 1)]
    assert weeks[0].with_others is not None and weeks[0].with_others.value == 1.0
    assert [item for item, _ in card(labeler).lists["week-2026-02-23"]] == [first.item_id]


def test_a_new_ranking_a_skip_and_time_change_the_version(labeler: Labeler) -> None:
    ranking_work(3)
    versions = [cards.of_all().version]
    done = rank(labeler, IN_ORDER).assignment
    versions.append(cards.of_all().version)
    dispatch.skip(labeler, claimed(labeler).pk, "language")
    versions.append(cards.of_all().version)
    now = timezone.now()
    span = ActiveSpan.objects.create(labeler=labeler, assignment=done, started_at=now, ended_at=now)
    versions.append(cards.of_all().version)
    ActiveSpan.objects.filter(pk=span.pk).update(ended_at=now + timedelta(seconds=5))
    versions.append(cards.of_all().version)
    assert len(set(versions)) == 5


def test_who_places_by_position_is_flagged_with_the_evidence(
    office: Client, labeler: Labeler, second_labeler: Labeler
) -> None:
    """30 rankings from top to bottom; a pattern, and of 180 pairs all for what stood first."""
    ranking_work(30)
    for _ in range(30):
        submit(labeler, claimed(labeler).pk, {1: 1, 2: 2, 3: 3, 4: 4})
    assert {flag.key for flag in card(labeler).flags} == {"position", "pattern"}
    text = text_of(office, "scorecard", labeler.pseudonym)
    assert "Prefers what stood first" in text and "100.0\u00a0% of the pairs" in text
    assert "the flag is raised above 25.0\u00a0%" in text
    assert "None yet: this labeler has ranked no gold item" in text
    assert f"{reverse('scorecard-items', args=[labeler.pseudonym])}?by=first" in text
    assert "30 rankings with the most frequent places" in text_of(
        office, "scorecard-items", labeler.pseudonym, by="pattern"
    )
    assert "Prefers what stood first" in text_of(office, "scorecard-list")


def test_everybody_by_any_column(office: Client, labeler: Labeler, second_labeler: Labeler) -> None:
    assert "Nobody has ranked anything yet" in text_of(office, "scorecard-list")
    ranking_work(3)
    for person, count in ((labeler, 1), (second_labeler, 2)):
        for _ in range(count):
            rank(person, IN_ORDER)
    for sort, first in (("rankings", labeler), ("-rankings", second_labeler)):
        text = text_of(office, "scorecard-list", sort=sort).split("<tbody>")[1]
        other = second_labeler if first == labeler else labeler
        assert text.index(first.pseudonym) < text.index(other.pseudonym)
    for sort in ("labeler", "-with_others", "minutes", "skips", "-reliability"):
        text_of(office, "scorecard-list", sort=sort)
    assert office.get(reverse("scorecard-list"), {"sort": "taste"}).status_code == 404


def test_the_csv_file_and_the_api_say_the_same(office: Client, labeler: Labeler, second_labeler: Labeler) -> None:
    ranking_work(2, need=2)
    for person in (labeler, second_labeler):
        for _ in range(2):
            rank(person, IN_ORDER)
    rows = list(csv.DictReader(io.StringIO(text_of(office, "scorecard-csv", labeler.pseudonym))))
    answer = office.get(reverse("api-scorecard", args=[labeler.pseudonym])).json()
    by_name = {row["figure"]: row for row in rows if not row["of"]}
    for line in answer["figures"]:
        assert by_name[line["key"]]["value"] == ("" if line["value"] is None else str(line["value"]))
    assert answer["figures"][0]["value"] == 1.0
    everybody = office.get(reverse("api-scorecards")).json()
    assert {said["labeler"] for said in everybody} == {labeler.pseudonym, second_labeler.pseudonym}
    rows = list(csv.DictReader(io.StringIO(text_of(office, "scorecards-csv"))))
    assert {row["labeler"] for row in rows} == {labeler.pseudonym, second_labeler.pseudonym}


def test_a_labeler_without_labels_has_an_honest_page(office: Client, labeler: Labeler) -> None:
    text = text_of(office, "scorecard", labeler.pseudonym)
    assert "0 rankings" in text and "None yet: this labeler has ranked no gold item" in text and "NaN" not in text
    assert "There are no rankings" in text_of(office, "scorecard-items", labeler.pseudonym, by="fast")
    assert office.get(reverse("scorecard-items", args=[labeler.pseudonym]), {"by": "x"}).status_code == 404
    assert office.get(reverse("scorecard", args=["labeler-none"])).status_code == 404


def test_labelers_see_no_scorecard(client: Client, labeler: Labeler) -> None:
    client.force_login(labeler.user)
    for name in ("scorecard", "scorecard-items", "scorecard-csv", "api-scorecard"):
        assert client.get(reverse(name, args=[labeler.pseudonym])).status_code == 404
    for name in ("scorecard-list", "scorecards-csv", "api-scorecards"):
        assert client.get(reverse(name)).status_code == 404


def test_work_that_was_not_finished_is_no_ranking(labeler: Labeler) -> None:
    ranking_work(1)
    assert dispatch.claim(labeler, Kind.RANK)
    assert Assignment.objects.count() == 1
    assert labeler.pk not in cards.of_all().by_labeler
