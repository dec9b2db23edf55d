"""Asking, answering, announcing, and what is unread."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from labeling.errors import BadInput, NotAllowed
from labeling.models import Labeler, Post, Reading, Thread, User, WorkItem
from labeling.threads.talk import announce, ask, is_unanswered, mark_read, name_of, reply, unread, visible_to
from tests.labeling.queue.test_races import all_at_once
from tests.work import writing_work

pytestmark = pytest.mark.django_db


def test_a_question_is_about_its_piece(labeler: Labeler) -> None:
    writing_work(1)
    thread = ask(labeler, "  May I rhyme?\nI would like to.  ", WorkItem.objects.get())
    assert (thread.title, thread.item, thread.labeler) == ("May I rhyme?", WorkItem.objects.get(), labeler)
    assert [post.text for post in thread.posts.all()] == ["May I rhyme?\nI would like to."]


def test_a_long_question_has_a_short_title(labeler: Labeler) -> None:
    thread = ask(labeler, "x" * 20_000)
    assert len(thread.title) == 100
    assert len(Post.objects.get().text) == 20_000


@pytest.mark.parametrize("text", ["", " \n ", "a\0b", "a\udfffb", "x" * 20_001])
def test_nonsense_is_refused_at_every_door(labeler: Labeler, researcher: User, text: str) -> None:
    thread = ask(labeler, "A question")
    doors: list[Callable[[], object]] = [
        lambda: ask(labeler, text),
        lambda: announce(researcher, "Title", text),
        lambda: announce(researcher, text, "Text"),
        lambda: reply(researcher, thread, text),
    ]
    for door in doors:
        with pytest.raises(BadInput):
            door()
    assert (Thread.objects.count(), Post.objects.count()) == (1, 1)


def test_the_same_question_at_once_is_one(labeler: Labeler, researcher: User) -> None:
    assert ask(labeler, "Why?") == ask(labeler, "Why?")
    writing_work(1)
    assert ask(labeler, "Why?", WorkItem.objects.get()) != ask(labeler, "Why?")
    assert Thread.objects.count() == 2
    thread = ask(labeler, "Why?")
    assert reply(researcher, thread, "Because.") == reply(researcher, thread, "Because.")
    assert announce(researcher, "News", "Good.") == announce(researcher, "News", "Good.")
    assert Thread.objects.count() == 3


def test_the_same_words_later_are_said_again(labeler: Labeler, researcher: User) -> None:
    thread = ask(labeler, "Why?")
    reply(researcher, thread, "Because.")
    Post.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    reply(researcher, thread, "Because.")
    assert thread.posts.count() == 3
    assert ask(labeler, "Why?") != thread


@pytest.mark.django_db(transaction=True)
def test_a_double_click_asks_once(labeler: Labeler) -> None:
    results = all_at_once([lambda: ask(labeler, "Why?") for _ in range(4)])
    assert {result.pk for result in results} == {Thread.objects.get().pk}


def test_a_labeler_sees_their_own_and_what_is_for_all(
    labeler: Labeler, second_labeler: Labeler, researcher: User, stranger: User
) -> None:
    mine, theirs, news = ask(labeler, "Mine"), ask(second_labeler, "Theirs"), announce(researcher, "News", "Good.")
    assert set(visible_to(labeler.user)) == {mine, news}
    assert set(visible_to(researcher)) == {mine, theirs, news}
    assert set(visible_to(stranger)) == set()


def test_unread_is_what_others_wrote_since(labeler: Labeler, second_labeler: Labeler, researcher: User) -> None:
    thread = ask(labeler, "Why?")
    assert (unread(labeler.user), unread(researcher), unread(second_labeler.user)) == (0, 1, 0)
    reply(researcher, thread, "Because.")
    assert (unread(labeler.user), unread(researcher), unread(second_labeler.user)) == (1, 0, 0)
    thread.refresh_from_db()
    for _ in range(2):
        mark_read(labeler.user, thread)
    assert unread(labeler.user) == 0
    announce(researcher, "News", "Good.")
    assert (unread(labeler.user), unread(second_labeler.user)) == (1, 1)


def test_what_came_while_somebody_read_stays_unread(labeler: Labeler, researcher: User) -> None:
    thread = ask(labeler, "Why?")
    reply(researcher, thread, "Because.")
    on_screen = Thread.objects.get()
    reply(researcher, thread, "One more thing.")
    mark_read(labeler.user, on_screen)
    assert unread(labeler.user) == 1


def test_news_from_before_somebody_came_are_no_news(labeler: Labeler, researcher: User) -> None:
    announce(researcher, "News", "Old.")
    User.objects.filter(pk=labeler.user_id).update(date_joined=timezone.now() + timedelta(seconds=1))
    labeler.user.refresh_from_db()
    assert unread(labeler.user) == 0
    assert visible_to(labeler.user).count() == 1


def test_a_labeler_does_not_answer_to_everybody(labeler: Labeler, researcher: User) -> None:
    news = announce(researcher, "News", "Good.")
    with pytest.raises(NotAllowed, match="to everybody"):
        reply(labeler.user, news, "My name is Lena")
    reply(researcher, news, "Even better.")
    assert news.posts.count() == 2


def test_unanswered_is_where_the_labeler_has_the_last_word(labeler: Labeler, researcher: User) -> None:
    thread = ask(labeler, "Why?")
    announce(researcher, "News", "Good.")
    assert list(Thread.objects.filter(is_unanswered())) == [thread]
    reply(researcher, thread, "Because.")
    assert not Thread.objects.filter(is_unanswered()).exists()
    reply(labeler.user, thread, "I see. And now?")
    assert list(Thread.objects.filter(is_unanswered())) == [thread]


def test_names_are_pseudonyms_for_labelers_and_never_addresses(labeler: Labeler, researcher: User) -> None:
    thread = ask(labeler, "Why?")
    assert name_of(thread.posts.get(), thread) == labeler.pseudonym
    post = reply(researcher, thread, "Because.")
    assert name_of(post, thread) == "Rosa"
    researcher.name = ""
    assert name_of(post, thread) == "A researcher"


def test_a_reading_is_kept_once(labeler: Labeler, researcher: User) -> None:
    thread = ask(labeler, "Why?")
    for _ in range(3):
        mark_read(researcher, thread)
    assert Reading.objects.filter(user=researcher).count() == 1
