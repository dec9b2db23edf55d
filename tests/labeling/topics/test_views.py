"""Topics as pages: a labeler opts out, a researcher names and tags."""

import pytest
from django.test import Client
from django.urls import reverse

from labeling.models import Kind, Labeler, Prompt, Topic, User, WorkItem
from labeling.prompts.topics import known
from labeling.queue import dispatch
from tests.work import writing_work

pytestmark = pytest.mark.django_db
CHOOSE, LIST, ADD, TAG = "/topics/", "/topics/all/", "/topics/add/", "/topics/tag/"


@pytest.fixture
def lena(labeler: Labeler) -> Client:
    client = Client()
    client.force_login(labeler.user)
    return client


@pytest.fixture
def rosa(researcher: User) -> Client:
    client = Client()
    client.force_login(researcher)
    return client


def describing(slug: str) -> str:
    return reverse("topic-describe", args=[slug])


# ── A labeler ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_opting_out_and_in_again(lena: Client, labeler: Labeler) -> None:
    page = lena.get(CHOOSE).content.decode()
    assert "it costs you nothing" in page
    assert " checked" not in page
    assert lena.post(CHOOSE, {"unwanted": ["violence", "drugs"]}).headers["Location"] == CHOOSE
    labeler.refresh_from_db()
    assert set(labeler.unwanted_topics) == {"violence", "drugs"}
    assert lena.get(CHOOSE).content.decode().count(" checked") == 2
    lena.post(CHOOSE, {})
    labeler.refresh_from_db()
    assert labeler.unwanted_topics == []


@pytest.mark.parametrize("slug", ["unknown", "", "a\0b", "x" * 5000])
def test_a_topic_that_there_is_not_changes_nothing(lena: Client, labeler: Labeler, slug: str) -> None:
    lena.post(CHOOSE, {"unwanted": ["violence"]})
    assert lena.post(CHOOSE, {"unwanted": ["drugs", slug]}).status_code == 422
    labeler.refresh_from_db()
    assert labeler.unwanted_topics == ["violence"]


# ── A researcher ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_list_has_numbers_and_no_names(rosa: Client, labeler: Labeler, second_labeler: Labeler) -> None:
    writing_work(3)
    Prompt.objects.filter(text__contains="1 plus").update(topics=["violence", "drugs"])
    known()
    dispatch.choose_topics(labeler, ["violence"])
    page = rosa.get(LIST).content.decode()
    row = page[page.index("Violence and injury") :][:400]
    assert '<td class="right">1</td>\n    <td class="right">1</td>' in row
    assert "of 2 active labelers" in page
    assert labeler.pseudonym not in page
    assert labeler.user.name not in page


def test_a_topic_is_added_and_described(rosa: Client) -> None:
    assert rosa.post(ADD, {"name": "War", "description": "Battles."}).headers["Location"] == LIST
    assert "War" in rosa.get(LIST).content.decode()
    assert "Battles." in rosa.get(describing("war")).content.decode()
    assert rosa.post(describing("war"), {"name": "Wars", "description": "Battles."}).headers["Location"] == LIST
    assert Topic.objects.get(slug="war").name == "Wars"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("", "required"), ("戦争", "Latin letters"), ("x" * 61, "at most 60"), ("Abuse", "already"), ("a\0b", "Null")],
)
def test_a_bad_topic_says_why(rosa: Client, name: str, sentence: str) -> None:
    before = len(known())
    answer = rosa.post(ADD, {"name": name, "description": "Something."})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert Topic.objects.count() == before


def test_describing_with_anothers_name_says_why(rosa: Client) -> None:
    known()
    answer = rosa.post(describing("abuse"), {"name": "Violence and injury", "description": "x"})
    assert answer.status_code == 422
    assert "another topic" in answer.content.decode()


def test_words_show_how_many_before_anything_is_tagged(rosa: Client) -> None:
    writing_work(3)
    rosa.get(TAG)
    page = rosa.post(TAG, {"topic": "violence", "words": "0 plus, 2 PLUS"}).content.decode()
    assert "2 prompts found" in page
    assert "Tag 2 prompts" in page
    assert "What is 0 plus one?" in page
    assert "What is 1 plus one?" not in page
    assert not Prompt.objects.exclude(topics=[]).exists()


def test_tagging_reaches_the_queue(rosa: Client, lena: Client, labeler: Labeler) -> None:
    writing_work(2)
    lena.post(CHOOSE, {"unwanted": ["violence"]})
    words = {"topic": "violence", "words": "0 plus"}
    answer = rosa.post(TAG, {**words, "tag": ""}, follow=True)
    assert "Violence and injury: tagged 1 prompt." in answer.content.decode()
    assert WorkItem.objects.get(prompt__text__contains="0 plus").topics == ["violence"]
    assert WorkItem.objects.get(prompt__text__contains="1 plus").topics == []
    second_click = rosa.post(TAG, {**words, "tag": ""}, follow=True)
    assert "tagged 0 prompts." in second_click.content.decode()
    rosa.post(TAG, {**words, "untag": ""})
    assert not WorkItem.objects.exclude(topics=[]).exists()
    assert dispatch.claim(labeler, Kind.DEMONSTRATE)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"topic": "violence", "words": ""}, "required"),
        ({"topic": "violence", "words": ",,"}, "nothing but commas"),
        ({"topic": "unknown", "words": "war"}, "valid choice"),
        ({"topic": "violence", "words": "a\0b"}, "Null"),
        ({"topic": "violence", "words": "a," * 300 + ",".join(map(str, range(300)))}, "too many"),
    ],
)
def test_bad_words_tag_nothing(rosa: Client, data: dict[str, str], sentence: str) -> None:
    writing_work(1)
    answer = rosa.post(TAG, {**data, "tag": ""})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Prompt.objects.exclude(topics=[]).exists()


# ── Everybody else ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_others_find_nothing(labeler: Labeler, researcher: User, admin_user: User, stranger: User) -> None:
    known()
    doors = [LIST, ADD, TAG, describing("abuse")]
    for door in [CHOOSE, *doors]:
        assert Client().post(door).headers["Location"].startswith("/accounts/login/")
    for user, closed in (
        (labeler.user, doors),
        (researcher, [CHOOSE]),
        (admin_user, [CHOOSE, *doors]),
        (stranger, [CHOOSE, *doors]),
    ):
        client = Client()
        client.force_login(user)
        for door in closed:
            assert client.post(door, {"name": "War", "description": "x"}).status_code == 404
            assert client.get(door).status_code == 404
    assert not Topic.objects.filter(name="War").exists()


def test_wrong_methods_and_unknown_topics(rosa: Client, lena: Client) -> None:
    assert rosa.get(ADD).status_code == 405
    assert rosa.post(LIST).status_code == 405
    assert rosa.put(TAG).status_code == 405
    assert lena.put(CHOOSE).status_code == 405
    assert rosa.get(describing("unknown")).status_code == 404
