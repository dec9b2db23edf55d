"""An answer that holds for everybody stands beside the version of the guideline that it was given under."""

import pytest
from django.test import Client
from django.urls import reverse

from labeling.errors import BadInput, Conflict
from labeling.guidelines.publish import current, publish
from labeling.models import Guideline, Kind, Labeler, Precedent, Purpose, Thread, User
from labeling.queue import dispatch
from labeling.threads import precedents, talk
from tests.work import writing_work

pytestmark = pytest.mark.django_db


@pytest.fixture
def guideline(labeler: Labeler) -> Guideline:
    return current(Purpose.TRAINING)


@pytest.fixture
def thread(labeler: Labeler, researcher: User) -> Thread:
    thread = talk.ask(labeler, "May an answer rhyme?")
    talk.reply(researcher, thread, "Where the prompt asks for it.")
    return thread


@pytest.fixture
def rosa(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


def form(guideline: Guideline) -> dict[str, str]:
    words = {"question": "An answer that rhymes.", "answer": "Only if asked for."}
    return {"precedent-guideline": str(guideline.pk), **{f"precedent-{name}": text for name, text in words.items()}}


def test_the_form_comes_with_the_question_and_the_last_answer(rosa: Client, thread: Thread) -> None:
    page = rosa.get(reverse("thread-detail", args=[thread.pk])).content.decode()
    desk = page.split("Publish the answer as a precedent")[1]
    assert "May an answer rhyme?" in desk
    assert "Where the prompt asks for it." in desk


def test_a_labeler_reads_it_beside_the_guideline_and_at_work(
    rosa: Client, thread: Thread, guideline: Guideline, labeler: Labeler
) -> None:
    sent = rosa.post(reverse("precedent-publish", args=[thread.pk]), form(guideline), follow=True)
    assert "Undo" in sent.content.decode()
    writing_work(1)
    lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert lease is not None
    lena = Client()
    lena.force_login(labeler.user)
    for address in (reverse("guideline-read", args=[guideline.pk]), reverse("demonstration-write", args=[lease.pk])):
        page = lena.get(address).content.decode()
        assert "Only if asked for." in page
        assert "May an answer rhyme?" not in page  # the labeler's own words stay in the thread
        assert labeler.pseudonym not in page.split("Only if asked for.")[1]
        assert "Withdraw" not in page


def test_it_is_withdrawn_and_put_back(rosa: Client, thread: Thread, guideline: Guideline) -> None:
    rosa.post(reverse("precedent-publish", args=[thread.pk]), form(guideline))
    precedent = Precedent.objects.get()
    gone = rosa.post(reverse("precedent-withdraw", args=[precedent.pk]), follow=True).content.decode()
    assert "is withdrawn" in gone
    assert "Only if asked for." not in gone
    precedent.refresh_from_db()
    assert precedent.withdrawn_by is not None
    back = rosa.post(reverse("precedent-restore", args=[precedent.pk]), follow=True).content.decode()
    assert "Only if asked for." in back
    precedent.refresh_from_db()
    assert (precedent.withdrawn_at, precedent.withdrawn_by) == (None, None)


def test_it_belongs_to_its_version(researcher: User, thread: Thread, guideline: Guideline) -> None:
    precedents.publish(researcher, thread, guideline, "A case", "A verdict")
    newer = publish(Purpose.TRAINING, "New", "Other words.")
    assert precedents.beside(guideline).count() == 1
    assert precedents.beside(newer).count() == 0
    with pytest.raises(Conflict, match="newer version"):
        precedents.publish(researcher, thread, guideline, "Another case", "A verdict")


def test_twice_is_once_and_nonsense_is_refused(researcher: User, thread: Thread, guideline: Guideline) -> None:
    first = precedents.publish(researcher, thread, guideline, "A case", "A verdict")
    assert precedents.publish(researcher, thread, guideline, " A case ", "A verdict") == first
    for question, answer in (("", "A verdict"), ("A case", " "), ("a\0b", "A verdict")):
        with pytest.raises(BadInput):
            precedents.publish(researcher, thread, guideline, question, answer)
    assert Precedent.objects.count() == 1


def test_the_next_version_is_written_with_the_cases_in_sight(
    rosa: Client, researcher: User, thread: Thread, guideline: Guideline
) -> None:
    precedents.publish(researcher, thread, guideline, "A case", "A verdict")
    assert "A verdict" in rosa.get(reverse("guideline-publish", args=["training"])).content.decode()


def test_bad_input_keeps_the_words(rosa: Client, thread: Thread, guideline: Guideline) -> None:
    answer = rosa.post(reverse("precedent-publish", args=[thread.pk]), {**form(guideline), "precedent-answer": ""})
    assert answer.status_code == 422
    assert "An answer that rhymes." in answer.content.decode()
    assert not Precedent.objects.exists()


def test_others_find_nothing(
    researcher: User, labeler: Labeler, admin_user: User, stranger: User, thread: Thread, guideline: Guideline
) -> None:
    made = precedents.publish(researcher, thread, guideline, "A case", "A verdict")
    doors = [
        (reverse("precedent-publish", args=[thread.pk]), form(guideline)),
        (reverse("precedent-withdraw", args=[made.pk]), {}),
        (reverse("precedent-restore", args=[made.pk]), {}),
    ]
    for address, data in doors:
        client = Client()
        assert client.post(address, data).headers["Location"].startswith("/accounts/login/")
        for user in (labeler.user, admin_user, stranger):
            client.force_login(user)
            assert client.post(address, data).status_code == 404
        client.force_login(researcher)
        assert client.get(address).status_code == 405
    made.refresh_from_db()
    assert made.withdrawn_at is None
    assert Precedent.objects.count() == 1
