"""Where labelers split, from rankings in the database: the topic that does and the use case that does not."""

import csv
import io

import pytest
from django.core.cache import caches
from django.test import Client
from django.urls import reverse

from labeling.agreement import findings
from labeling.agreement.rows import Filters
from labeling.models import Labeler, Prompt, UseCase, User, WorkItem
from labeling.prompts import topics
from tests.labeling.agreement.overlap import rank
from tests.people import make_labeler
from tests.work import ranking_work

pytestmark = pytest.mark.django_db
IN_ORDER, TURNED, REVERSED = [1, 2, 3, 4], [2, 1, 3, 4], [4, 3, 2, 1]


@pytest.fixture(autouse=True)
def nothing_is_known() -> None:
    caches["reports"].clear()


@pytest.fixture
def people() -> list[Labeler]:
    return [make_labeler(f"person-{number}") for number in range(8)]


@pytest.fixture
def split(people: list[Labeler]) -> list[WorkItem]:
    """Eight items of politics, on which every second labeler orders the other way round; eight on which all agree but
    for one pair that somebody else turns around in each."""
    batch = ranking_work(16, need=8)
    items = list(batch.items.order_by("pos"))
    topics.known()
    for item in items[:8]:
        Prompt.objects.filter(pk=item.the_prompt.pk).update(topics=["politics"], use_case=UseCase.CHAT)
    for number, person in enumerate(people):
        for at in range(16):
            common = TURNED if at % 8 == number else IN_ORDER
            rank(person, REVERSED if at < 8 and number % 2 else common)
    return items


def test_the_split_topic_is_found_and_the_other_use_case_is_not(split: list[WorkItem], people: list[Labeler]) -> None:
    found = findings.of(Filters())
    by = {(line.by, line.value): line for line in found.lines}
    politics = by["topic", "politics"]
    assert politics.is_found and politics.between is not None and politics.within is not None
    assert politics.within > 0.85 and politics.between < 0.15
    groups = {frozenset(group) for group in politics.groups}
    assert groups == {frozenset(one.pseudonym for one in people[side::2]) for side in (0, 1)}
    assert not by["use_case", "other"].is_found
    assert {row[0] for row in politics.items} == {item.pk for item in split[:8]}
    cohorts = by["cohort", "training"]
    assert cohorts.p is None and "too little" in cohorts.why


def test_a_topic_that_is_tagged_later_is_not_served_from_before(split: list[WorkItem]) -> None:
    findings.of(Filters())
    Prompt.objects.filter(topics=["politics"]).update(topics=["hate"])
    assert {line.value for line in findings.of(Filters()).found} >= {"hate"}


def test_the_pages_say_it(client: Client, researcher: User, split: list[WorkItem], people: list[Labeler]) -> None:
    client.force_login(researcher)
    text = client.get(reverse("finding-list")).content.decode()
    assert "<strong>Politics and religion</strong>" in text and people[0].pseudonym in text
    items = client.get(reverse("finding-items"), {"by": "topic", "value": "politics"}).content.decode()
    assert "8 items that labelers of both groups ranked" in items
    rows = list(csv.DictReader(io.StringIO(client.get(reverse("findings-csv")).content.decode())))
    assert [row["found"] for row in rows if row["value"] == "politics"] == ["True"]
    answer = client.get(reverse("api-findings")).json()
    assert {part["value"] for part in answer["parts"] if part["is_found"]} == {"politics", "chat"}
    assert client.get(reverse("finding-items"), {"by": "topic", "value": "no-such"}).status_code == 404


def test_nothing_to_compare_is_said(client: Client, admin_user: User, labeler: Labeler) -> None:
    client.force_login(admin_user)
    text = client.get(reverse("finding-list")).content.decode()
    assert "no use case and no topic splits labelers" in text
    client.force_login(labeler.user)
    for name in ("finding-list", "finding-items", "findings-csv", "api-findings"):
        assert client.get(reverse(name)).status_code == 404
