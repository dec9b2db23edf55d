"""The agreement pages: who sees them, what they say, where each figure leads."""

import csv
import io
import re
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client
from django.urls import reverse

from labeling.models import Batch, Labeler, Prompt, UseCase, User, WorkItem
from labeling.rankings.remarks import Remarks
from tests.labeling.agreement.overlap import rank, ranked_by
from tests.people import make_labeler
from tests.work import ranking_work, writing_work

pytestmark = pytest.mark.django_db
IN_ORDER, REVERSED, TURNED = [1, 2, 3, 4], [4, 3, 2, 1], [2, 1, 3, 4]
PAGES = ["agreement", "agreement-csv", "agreement-items", "api-agreement"]


@pytest.fixture(autouse=True)
def nothing_is_known() -> None:
    caches["reports"].clear()


@pytest.fixture
def office(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


@pytest.fixture
def batch(labeler: Labeler, second_labeler: Labeler) -> Batch:
    """Three items: agreed, reversed, one pair of six turned around."""
    batch = ranking_work(3, need=2)
    ranked_by(batch, (labeler, [IN_ORDER] * 3), (second_labeler, [IN_ORDER, REVERSED, TURNED]))
    return batch


def page(client: Client, name: str = "agreement", *args: object, **query: str) -> str:
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200, response.content[:500]
    return response.content.decode()


@pytest.mark.parametrize("name", PAGES)
def test_researchers_and_admins_see_it(client: Client, researcher: User, admin_user: User, name: str) -> None:
    for user in (researcher, admin_user):
        client.force_login(user)
        assert client.get(reverse(name)).status_code == 200


@pytest.mark.parametrize("name", PAGES)
def test_others_find_nothing(client: Client, labeler: Labeler, stranger: User, name: str) -> None:
    assert client.get(reverse(name)).status_code in (302, 401, 403)
    for user in (labeler.user, stranger):
        client.force_login(user)
        assert client.get(reverse(name)).status_code == 404


def test_an_items_page_is_the_offices(client: Client, batch: Batch, labeler: Labeler, admin_user: User) -> None:
    address = reverse("agreement-item", args=[batch.items.earliest("pk").pk])
    assert client.get(address).status_code == 302
    client.force_login(labeler.user)
    assert client.get(address).status_code == 404
    client.force_login(admin_user)
    assert client.get(address).status_code == 200


@pytest.mark.parametrize("name", ["agreement", "agreement-csv", "agreement-items"])
def test_it_is_read_only(office: Client, name: str) -> None:
    assert office.post(reverse(name)).status_code == 405


def test_an_empty_database_says_what_is_missing(office: Client) -> None:
    text = page(office)
    assert "fewer than 2 labelers on any item" in text
    assert "nan" not in re.sub(r"<[^>]+>", "", text).lower().split()
    assert "No item was ranked by 2 labelers or more" in page(office, "agreement-items")


def test_the_figures_stand_beside_the_papers(office: Client, batch: Batch) -> None:
    text = page(office)
    assert "61.1\u00a0%" in text  # 11 of 18
    assert "72.6\u00a0%" in text and "71.1 to 74.1\u00a0%" in text
    assert "77.3\u00a0%" in text and "76.0 to 78.6\u00a0%" in text
    assert "no interval from fewer than 5 items" in text
    assert "NaN" not in text


def test_every_link_of_the_page_leads_to_items(office: Client, batch: Batch) -> None:
    links = set(re.findall(rf'href="({reverse("agreement-items")}[^"]*)"', page(office)))
    said = {link.split("?")[1].split("=")[0] for link in links if "=" in link}
    assert said >= {"use_case", "batch", "guideline", "cohort", "purpose", "labeler", "since", "flag"}
    for link in links:
        assert office.get(link.replace("&amp;", "&")).status_code == 200, link


def test_items_come_with_the_worst_first(office: Client, batch: Batch) -> None:
    text = page(office, "agreement-items")
    assert re.findall(r"(\d+) of 6 pairs", text) == ["0", "5", "6"]


def test_two_labelers_have_their_figures_and_items(
    office: Client, batch: Batch, labeler: Labeler, second_labeler: Labeler
) -> None:
    text = page(office, "agreement-items", labeler=labeler.pseudonym, other=second_labeler.pseudonym)
    assert f"{labeler.pseudonym} and {second_labeler.pseudonym}" in text
    assert "61.1\u00a0%" in text and text.count(" of 6 pairs") == 3
    assert "both always said the same" in text  # no flag was ticked


def test_two_without_an_item_in_common_are_told_so(office: Client, batch: Batch, labeler: Labeler) -> None:
    other = make_labeler("new")
    text = page(office, "agreement-items", labeler=labeler.pseudonym, other=other.pseudonym)
    assert f"{labeler.pseudonym} and {other.pseudonym} have ranked no item in common" in text
    assert "Undefined: fewer than 2 labelers on any item" in text


def test_items_split_on_a_flag_or_in_their_ratings(office: Client, labeler: Labeler, second_labeler: Labeler) -> None:
    ranking_work(2, need=2)
    for person, flags, rating in ((labeler, ["sexual"], 6), (second_labeler, [], 3)):
        rank(person, IN_ORDER, Remarks(flags={1: flags, 2: ["violent"]}, ratings={3: rating, 4: 5}))
        rank(person, IN_ORDER)
    assert f"{reverse('agreement-items')}?ratings=on" in page(office)
    assert page(office, "agreement-items", flag="sexual").count(" of 6 pairs") == 1
    assert page(office, "agreement-items", ratings="on").count(" of 6 pairs") == 1
    assert "Labelers are split on no item here" in page(office, "agreement-items", flag="violent")


def test_filters_narrow_page_and_items(office: Client, batch: Batch) -> None:
    item = batch.items.earliest("pk")  # the agreed one
    Prompt.objects.filter(pk=item.the_prompt.pk).update(use_case=UseCase.CHAT)
    assert "100.0\u00a0%" in page(office, use_case="chat")
    assert page(office, "agreement-items", use_case="chat").count(" of 6 pairs") == 1
    assert "fewer than 2 labelers on any item" in page(office, cohort="held_out")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"since": "yesterday"}, "“yesterday” does not fit “From”"),
        ({"batch": "999"}, "“999” does not fit “Batch”"),
        ({"use_case": "poetry"}, "“poetry” does not fit “Use case”"),
    ],
)
@pytest.mark.parametrize("name", PAGES)
def test_a_filter_that_makes_no_sense_is_refused(office: Client, name: str, query: dict[str, str], said: str) -> None:
    response = office.get(reverse(name), query)
    assert response.status_code == 422
    answer = response.json()["error"] if name.startswith("api") else response.content.decode()
    assert said in answer


@pytest.mark.parametrize("query", [{"labeler": "nobody"}, {"flag": "no-such-flag"}])
def test_unknown_labelers_and_flags_are_not_there(office: Client, batch: Batch, query: dict[str, str]) -> None:
    assert office.get(reverse("agreement-items"), query).status_code == 404


def test_the_csv_file_and_the_api_say_the_same(office: Client, batch: Batch) -> None:
    rows = list(csv.DictReader(io.StringIO(page(office, "agreement-csv"))))
    answer: dict[str, Any] = office.get(reverse("api-agreement")).json()
    overall = {row["figure"]: row for row in rows if row["by"] == "overall"}
    for line in [*answer["overall"], *answer["ratings"]]:
        said = overall[line["key"]]
        assert said["value"] == ("" if line["value"] is None else str(line["value"]))
        assert said["note"] == line["why"]
    assert float(overall["ties_excluded"]["value"]) == pytest.approx(11 / 18)
    by = {row["by"] for row in rows}
    assert by == {
        "overall",
        "labeler",
        "labelers",
        "use_case",
        "batch",
        "guideline",
        "cohort",
        "purpose",
        "time",
        "flag",
    }
    assert len([row for row in rows if row["by"] == "labelers"]) == len(answer["pairs"]) == 1


def test_a_name_does_not_become_a_formula(office: Client, batch: Batch) -> None:
    Batch.objects.filter(pk=batch.pk).update(name="=1+1")
    assert "'=1+1" in page(office, "agreement-csv")


def test_one_item_side_by_side(office: Client, labeler: Labeler, second_labeler: Labeler) -> None:
    ranking_work(1, need=2, texts=("<b>one</b>", "two", "three", "four"))
    rank(labeler, [1, 2, 2, 3], Remarks(flags={1: ["violent"]}, ratings={1: 6}, rationale="Short & clear."))
    rank(second_labeler, REVERSED)
    text = page(office, "agreement-item", WorkItem.objects.get().pk)
    assert "&lt;b&gt;one&lt;/b&gt;" in text
    assert "Violent content" in text and "(6)" in text
    assert "0 of 5 pairs ordered alike" in text
    assert labeler.pseudonym in text and second_labeler.pseudonym in text


def test_the_majority_stands_beside_what_each_said(
    office: Client, labeler: Labeler, second_labeler: Labeler, third_labeler: Labeler
) -> None:
    """Of four texts the second is preferred by two of three to every other, the rest follows their order."""
    batch = ranking_work(1, need=3, texts=("alpha", "beta", "gamma", "delta"))
    orders = [[2, 1, 3, 4], [2, 1, 3, 4], [1, 4, 2, 3]]
    ranked_by(batch, *zip((labeler, second_labeler, third_labeler), ([one] for one in orders), strict=True))
    text = page(office, "agreement-item", WorkItem.objects.get().pk)
    sheet, consensus = text.split('id="consensus"')
    for part in (sheet, consensus):
        assert re.findall("alpha|beta|gamma|delta", part) == ["beta", "alpha", "gamma", "delta"]
    assert re.findall(r"<strong>(\d)</strong></td></tr>", sheet) == ["1", "2", "3", "4"]


def test_an_item_of_one_labeler_or_none_says_so(office: Client, labeler: Labeler) -> None:
    ranking_work(1, need=2)
    item = WorkItem.objects.get()
    assert "Nobody has ranked this item yet." in page(office, "agreement-item", item.pk)
    rank(labeler, IN_ORDER)
    assert "there is nothing to compare" in page(office, "agreement-item", item.pk)


def test_only_ranking_items_have_the_page(office: Client) -> None:
    item = writing_work(1).items.get()
    assert office.get(reverse("agreement-item", args=[item.pk])).status_code == 404
    assert office.get(reverse("agreement-item", args=[item.pk + 1])).status_code == 404
