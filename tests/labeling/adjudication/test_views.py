"""The adjudication pages: who sees them, what they say, and that nothing is lost when they refuse."""

import csv
import io

import pytest
from django.core.cache import caches
from django.test import Client
from django.urls import reverse

from labeling.adjudication import decide
from labeling.models import Decision, Labeler, Ranking, User, WorkItem
from labeling.rankings.submit import submit
from tests.labeling.agreement.overlap import claimed, ranked_by
from tests.work import ranking_work, writing_work

pytestmark = pytest.mark.django_db
IN_ORDER, REVERSED = [1, 2, 3, 4], [4, 3, 2, 1]
PAGES = ["adjudication", "adjudication-decided", "adjudication-csv", "api-adjudications"]


@pytest.fixture(autouse=True)
def nothing_is_known() -> None:
    caches["reports"].clear()


@pytest.fixture
def office(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


@pytest.fixture
def item(labeler: Labeler, second_labeler: Labeler) -> WorkItem:
    batch = ranking_work(1, need=2)
    ranked_by(batch, (labeler, [IN_ORDER]), (second_labeler, [REVERSED]))
    return batch.items.get()


def text_of(client: Client, name: str, *args: object) -> str:
    response = client.get(reverse(name, args=args))
    assert response.status_code == 200, response.content[:500]
    return response.content.decode()


@pytest.mark.parametrize("name", PAGES)
def test_it_is_the_offices(client: Client, researcher: User, admin_user: User, labeler: Labeler, name: str) -> None:
    assert client.get(reverse(name)).status_code in (302, 401, 403)
    for user, status in ((researcher, 200), (admin_user, 200), (labeler.user, 404)):
        client.force_login(user)
        assert client.get(reverse(name)).status_code == status


def test_labelers_cannot_take_or_decide(client: Client, item: WorkItem, labeler: Labeler) -> None:
    client.force_login(labeler.user)
    for name in ("adjudication-take", "adjudication-item", "adjudication-give-back", "adjudication-withdraw"):
        assert client.post(reverse(name, args=[item.pk])).status_code == 404
    assert client.get(reverse("error-kinds")).status_code == 404


def test_an_empty_queue_says_what_comes_here(office: Client) -> None:
    assert "Items come here when 2 labelers or more have ranked them and differ" in text_of(office, "adjudication")
    assert "Nothing is decided yet" in text_of(office, "adjudication-decided")


def test_looking_holds_nothing(office: Client, item: WorkItem) -> None:
    text = text_of(office, "adjudication-item", item.pk)
    assert "Take this item" in text and "Which order holds?" not in text
    assert "0 of 6 pairs" in text_of(office, "adjudication")
    assert "badge held" not in text_of(office, "adjudication")


def test_take_decide_revise_and_take_back(office: Client, item: WorkItem, second_labeler: Labeler) -> None:
    address = reverse("adjudication-item", args=[item.pk])
    assert office.post(reverse("adjudication-take", args=[item.pk])).status_code == 302
    theirs = Ranking.objects.get(labeler=second_labeler)
    sent = {"base": "0", "order": str(theirs.pk), "error": ["taste"], "reason": "<b>Shorter</b> is asked for."}
    assert office.post(address, sent)["Location"] == reverse("adjudication")
    text = text_of(office, "adjudication-decided")
    assert second_labeler.pseudonym in text and "&lt;b&gt;Shorter" in text and "Taste" in text
    assert "Nothing waits for a decision" in text_of(office, "adjudication")
    office.post(reverse("adjudication-take", args=[item.pk]))
    ids = sorted(item.candidates.values_list("completion_id", flat=True))
    own = {f"place-{pk}": str(place) for pk, place in zip(ids, [1, 1, 2, 3], strict=True)}
    sent = {"base": "1", "order": "own", "error": ["other"], "reason": "Two are equal.", **own}
    assert office.post(address, sent).status_code == 302
    assert [row.revision for row in Decision.objects.all()] == [2, 1]
    [row] = office.get(reverse("api-adjudications")).json()
    assert row["places"] == [[pk, place] for pk, place in zip(ids, [1, 1, 2, 3], strict=True)]
    assert row["taken_from"] is None and row["revision"] == 2
    office.post(reverse("adjudication-withdraw", args=[item.pk]), {"base": "2", "reason": "Too early."})
    text = text_of(office, "adjudication-item", item.pk)
    assert "Taken back" in text and "Too early." in text and "Two are equal." in text
    assert "0 of 6 pairs" in text_of(office, "adjudication")
    assert office.get(reverse("api-adjudications")).json() == []


def test_a_refused_decision_comes_back_as_it_was_sent(office: Client, item: WorkItem) -> None:
    office.post(reverse("adjudication-take", args=[item.pk]))
    first = min(item.candidates.values_list("completion_id", flat=True))
    sent = {"base": "0", "order": "own", "error": ["careless"], "reason": "Half an order.", f"place-{first}": "3"}
    response = office.post(reverse("adjudication-item", args=[item.pk]), sent)
    text = response.content.decode()
    assert response.status_code == 422
    assert "3 completions have no place yet" in text
    assert "Half an order." in text and "<option selected>3</option>" in text
    assert 'value="careless" checked' in text and 'value="own" checked' in text
    assert not Decision.objects.exists()


@pytest.mark.parametrize("sent", [{}, {"order": "own", "base": "x"}, {"order": "1e5", "base": "0"}])
def test_nonsense_is_refused_in_a_sentence(office: Client, item: WorkItem, sent: dict[str, str]) -> None:
    office.post(reverse("adjudication-take", args=[item.pk]))
    response = office.post(reverse("adjudication-item", args=[item.pk]), sent)
    assert response.status_code == 422
    assert b'role="alert"' in response.content


def test_who_comes_second_reads_along(office: Client, client: Client, item: WorkItem, admin_user: User) -> None:
    decide.take(admin_user, item)
    text = text_of(office, "adjudication-item", item.pk)
    assert "Ada is at this item until" in text and "Which order holds?" not in text
    response = office.post(reverse("adjudication-take", args=[item.pk]), follow=True)
    assert b"Ada is at this item until" in response.content
    assert "Ada" in text_of(office, "adjudication")


def test_what_was_written_is_kept_when_somebody_else_has_taken_the_item(
    office: Client, item: WorkItem, admin_user: User
) -> None:
    decide.take(admin_user, item)
    ranking = item.rankings.earliest("pk")
    sent = {"base": "0", "order": str(ranking.pk), "error": ["taste"], "reason": "Words that took a while."}
    response = office.post(reverse("adjudication-item", args=[item.pk]), sent)
    assert response.status_code == 409
    assert b"Words that took a while." in response.content
    assert b"Ada is at this item until" in response.content
    decide.give_back(admin_user, item)  # then it goes through, although nobody pressed Take again
    assert office.post(reverse("adjudication-item", args=[item.pk]), sent).status_code == 302


def test_identical_samples_have_one_row(office: Client, labeler: Labeler, second_labeler: Labeler) -> None:
    batch = ranking_work(1, need=2, texts=("one", "one ", "two", "three"))
    for person, places in ((labeler, {1: 1, 2: 2, 3: 3}), (second_labeler, {1: 3, 2: 2, 3: 1})):
        submit(person, claimed(person).pk, places)
    item = batch.items.get()
    office.post(reverse("adjudication-take", args=[item.pk]))
    text = text_of(office, "adjudication-item", item.pk)
    assert text.count('name="place-') == 3
    one, other, two, three = sorted(item.candidates.values_list("completion_id", flat=True))
    own = {f"place-{one}-{other}": "1", f"place-{two}": "2", f"place-{three}": "3"}
    sent = {"base": "0", "order": "own", "error": ["taste"], "reason": "So.", **own}
    assert office.post(reverse("adjudication-item", args=[item.pk]), sent).status_code == 302
    assert Decision.objects.get().place_of == {one: 1, other: 1, two: 2, three: 3}


def test_the_csv_file_writes_no_formula(office: Client, item: WorkItem, researcher: User) -> None:
    decide.take(researcher, item)
    ranking = item.rankings.earliest("pk")
    decide.decide(researcher, item, base=0, ranking=ranking.pk, reason="=1+1", errors=["taste"])
    [row] = csv.DictReader(io.StringIO(text_of(office, "adjudication-csv")))
    assert row["reason"] == "'=1+1"
    assert row["errors"] == "taste"


def test_only_ranking_items_are_adjudicated(office: Client) -> None:
    item = writing_work(1).items.get()
    assert office.get(reverse("adjudication-item", args=[item.pk])).status_code == 404


def test_the_list_of_what_goes_wrong(office: Client) -> None:
    assert "Missed a factual error" in text_of(office, "error-kinds")
    assert office.post(reverse("error-kinds"), {"label": "Too long"}).status_code == 302
    response = office.post(reverse("error-kinds"), {"label": "Too long", "explained": "kept"})
    assert response.status_code == 409 and b'value="kept"' in response.content
    assert office.post(reverse("error-kind-change", args=["too-long", "retire"])).status_code == 302
    assert "Offer again" in text_of(office, "error-kinds")
    office.post(reverse("error-kind-change", args=["too-long", "offer"]))
    assert "Offer again" not in text_of(office, "error-kinds")
    assert office.post(reverse("error-kind-change", args=["too-long", "erase"])).status_code == 404
