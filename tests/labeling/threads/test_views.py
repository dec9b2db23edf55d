"""Messages as pages: two people talk, others find nothing."""

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from labeling.models import Assignment, Kind, Labeler, Post, Reading, Thread, User
from labeling.queue import dispatch
from labeling.threads import talk
from tests.work import writing_work

pytestmark = pytest.mark.django_db
ASK, LIST, ANNOUNCE = "/messages/ask/", "/messages/", "/messages/announce/"
HTMX = {"HX-Request": "true"}


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def lena(labeler: Labeler) -> Client:
    return logged_in(labeler.user)


@pytest.fixture
def rosa(researcher: User) -> Client:
    return logged_in(researcher)


@pytest.fixture
def lease(labeler: Labeler) -> Assignment:
    writing_work(1)
    lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert lease is not None
    return lease


def detail(thread: Thread) -> str:
    return reverse("thread-detail", args=[thread.pk])


def answer(thread: Thread) -> str:
    return reverse("thread-reply", args=[thread.pk])


# ── Asking ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_asking_about_a_piece_swaps_the_part_alone(lena: Client, lease: Assignment) -> None:
    sent = lena.post(ASK, {"assignment": str(lease.pk), "text": "May I rhyme?"}, headers=HTMX)
    part = sent.content.decode().strip()
    assert part.startswith('<details class="skip-box ask-box" id="ask" open')
    assert "Sent. The answer comes under" in part
    assert Thread.objects.get().item == lease.item
    lease.refresh_from_db()
    assert lease.state == Assignment.State.LEASED


def test_asking_without_scripts_goes_back_to_the_piece(lena: Client, lease: Assignment) -> None:
    sent = lena.post(ASK, {"assignment": str(lease.pk), "text": "May I rhyme?"})
    assert sent.headers["Location"] == reverse("demonstration-write", args=[lease.pk])
    assert "Sent. The answer comes under Messages." in lena.get(sent.headers["Location"]).content.decode()


def test_asking_about_a_piece_that_is_done_goes_to_the_conversation(
    lena: Client, lease: Assignment, labeler: Labeler
) -> None:
    dispatch.skip(labeler, lease.pk)
    sent = lena.post(ASK, {"assignment": str(lease.pk), "text": "Was it broken?"})
    assert sent.headers["Location"] == detail(Thread.objects.get())


def test_asking_in_general(lena: Client) -> None:
    assert "Write to the researchers" in lena.get(LIST).content.decode()
    sent = lena.post(ASK, {"text": "When is pay day?"}, follow=True)
    page = sent.content.decode()
    assert "When is pay day?" in page
    assert "<strong>You</strong>" in page


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("", "required"), ("  \n", "required"), ("a\0b", "Null characters"), ("x" * 20_001, "20,001 characters")],
)
def test_a_bad_question_says_why_and_keeps_the_words(lena: Client, lease: Assignment, text: str, sentence: str) -> None:
    for headers in ({}, HTMX):
        sent = lena.post(ASK, {"assignment": str(lease.pk), "text": text}, headers=headers)
        assert sent.status_code == 422
        page = sent.content.decode()
        assert sentence in page
        assert str(lease.pk) in page
        assert text[:50] in page
    assert not Thread.objects.exists()


def test_nobody_asks_about_a_strangers_piece(second_labeler: Labeler, lease: Assignment) -> None:
    luis = logged_in(second_labeler.user)
    for about in (str(lease.pk), str(uuid4()), "nonsense", "\0"):
        assert luis.post(ASK, {"assignment": about, "text": "Hm?"}).status_code == 404
    assert not Thread.objects.exists()


def test_a_second_click_asks_nothing_new(lena: Client, lease: Assignment) -> None:
    for _ in range(2):
        assert lena.post(ASK, {"assignment": str(lease.pk), "text": "Why?"}).status_code == 302
    assert Post.objects.count() == 1


# ── Talking ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_question_and_its_answer(lena: Client, rosa: Client, labeler: Labeler, lease: Assignment) -> None:
    thread = talk.ask(labeler, "May I rhyme?", lease.item)
    listed = rosa.get(LIST).content.decode()
    assert "waits for an answer" in listed
    assert labeler.pseudonym in listed
    page = rosa.get(detail(thread)).content.decode()
    assert labeler.pseudonym in page
    assert "What is 0 plus one?" in page
    assert labeler.user.name not in page
    assert labeler.user.email not in page
    assert rosa.post(answer(thread), {"text": "Please do."}).headers["Location"] == detail(thread)
    assert "waits for an answer" not in rosa.get(LIST).content.decode()

    assert '<span class="badge running">new</span>' in lena.get(LIST).content.decode()
    page = lena.get(detail(thread)).content.decode()
    assert "<strong>Rosa</strong>" in page
    assert "Please do." in page
    assert "rosa@example.org" not in page
    assert '<span class="badge running">new</span>' not in lena.get(LIST).content.decode()


def test_what_waits_for_an_answer_comes_first(
    rosa: Client, labeler: Labeler, second_labeler: Labeler, researcher: User
) -> None:
    talk.ask(labeler, "The question that waits")
    talk.reply(researcher, talk.ask(second_labeler, "The later one"), "Answered.")
    talk.announce(researcher, "The latest news", "Good.")
    page = rosa.get(LIST).content.decode()
    assert page.index("The question that waits") < page.index("The latest news")
    assert page.index("The latest news") < page.index("The later one")


def test_html_in_a_message_is_text(rosa: Client, labeler: Labeler) -> None:
    thread = talk.ask(labeler, "<script>alert(1)</script>")
    for address in (LIST, detail(thread)):
        page = rosa.get(address).content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


@pytest.mark.parametrize("text", ["", "a\0b", "x" * 20_001])
def test_a_bad_answer_is_not_sent(rosa: Client, labeler: Labeler, text: str) -> None:
    thread = talk.ask(labeler, "Why?")
    assert rosa.post(answer(thread), {"text": text}).status_code == 422
    assert Post.objects.count() == 1


def test_an_announcement_reaches_all_labelers(
    rosa: Client, lena: Client, labeler: Labeler, second_labeler: Labeler
) -> None:
    sent = rosa.post(ANNOUNCE, {"title": "Monday", "text": "We start at nine."})
    thread = Thread.objects.get()
    assert sent.headers["Location"] == detail(thread)
    for client in (lena, logged_in(second_labeler.user)):
        assert "Monday" in client.get(LIST).content.decode()
        page = client.get(detail(thread)).content.decode()
        assert "We start at nine." in page
        assert answer(thread) not in page
    assert lena.post(answer(thread), {"text": "I am Lena"}).status_code == 403
    assert Post.objects.count() == 1


def test_a_bad_announcement_is_not_sent(rosa: Client) -> None:
    for data in ({"title": "", "text": "x"}, {"title": "x", "text": ""}, {"title": "x" * 201, "text": "x"}):
        assert rosa.post(ANNOUNCE, data).status_code == 422
    assert not Thread.objects.exists()


def test_looking_at_the_list_reads_nothing(rosa: Client, labeler: Labeler, researcher: User) -> None:
    talk.ask(labeler, "Why?")
    rosa.get(LIST)
    assert not Reading.objects.filter(user=researcher).exists()


# ── Everybody else ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_strangers_conversation_is_not_there(labeler: Labeler, second_labeler: Labeler) -> None:
    thread = talk.ask(labeler, "A private question")
    luis = logged_in(second_labeler.user)
    assert "A private question" not in luis.get(LIST).content.decode()
    assert luis.get(detail(thread)).status_code == 404
    assert luis.post(answer(thread), {"text": "Ha"}).status_code == 404
    assert not Reading.objects.filter(user=second_labeler.user).exists()
    assert Post.objects.count() == 1


def test_others_find_nothing(labeler: Labeler, researcher: User, stranger: User, admin_user: User) -> None:
    thread = talk.ask(labeler, "Why?")
    doors = [("get", LIST), ("get", detail(thread)), ("post", answer(thread)), ("post", ASK), ("post", ANNOUNCE)]
    for method, door in doors:
        assert getattr(Client(), method)(door).headers["Location"].startswith("/accounts/login/")
        assert getattr(logged_in(stranger), method)(door).status_code == 404
    for method, door in doors[1:4]:  # an admin announces, and reads no conversation
        assert getattr(logged_in(admin_user), method)(door).status_code == 404
    assert logged_in(researcher).post(ASK, {"text": "Why?"}).status_code == 404
    assert logged_in(labeler.user).post(ANNOUNCE, {"title": "a", "text": "b"}).status_code == 404
    assert Post.objects.count() == 1


def test_wrong_methods_and_unknown_threads(lena: Client, rosa: Client, labeler: Labeler) -> None:
    thread = talk.ask(labeler, "Why?")
    assert lena.get(ASK).status_code == 405
    assert rosa.get(ANNOUNCE).status_code == 405
    assert lena.get(answer(thread)).status_code == 405
    assert lena.post(detail(thread)).status_code == 405
    assert lena.get("/messages/999999/").status_code == 404
