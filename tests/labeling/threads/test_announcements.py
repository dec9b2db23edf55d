"""Announcements to all or to a cohort: on the start page until they are put away, unread until they are read."""

import pytest
from django.test import Client
from django.urls import reverse

from labeling.errors import BadInput
from labeling.models import Labeler, Reading, Thread, User
from labeling.threads import talk

pytestmark = pytest.mark.django_db
HOME, LIST, ANNOUNCE = "/", "/messages/", "/messages/announce/"


def page(client: Client, address: str = HOME) -> str:
    return client.get(address).content.decode()


@pytest.fixture
def lena(client: Client, labeler: Labeler) -> Client:
    client.force_login(labeler.user)
    return client


def test_it_stands_on_the_start_page_until_it_is_put_away(lena: Client, labeler: Labeler, researcher: User) -> None:
    thread = talk.announce(researcher, "Monday", "We start at nine.")
    assert "We start at nine." in page(lena)
    lena.get(reverse("thread-detail", args=[thread.pk]))  # read, and still there
    assert "We start at nine." in page(lena)
    for _ in range(2):
        assert lena.post(reverse("thread-dismiss", args=[thread.pk])).headers["Location"] == HOME
    assert "We start at nine." not in page(lena)
    assert "Monday" in page(lena, LIST)
    assert talk.unread(labeler.user) == 0
    assert Reading.objects.filter(user=labeler.user).count() == 1


def test_a_cohort_alone_is_told(labeler: Labeler, held_out_labeler: Labeler, researcher: User) -> None:
    thread = talk.announce(researcher, "For judges", "Only you.", "held_out")
    assert list(talk.visible_to(held_out_labeler.user)) == [thread]
    assert list(talk.notices(held_out_labeler.user)) == [thread]
    assert list(talk.visible_to(labeler.user)) == []
    assert list(talk.notices(labeler.user)) == []
    assert (talk.unread(held_out_labeler.user), talk.unread(labeler.user)) == (1, 0)
    with pytest.raises(BadInput, match="no cohort"):
        talk.announce(researcher, "Title", "Text", "everyone")


def test_another_cohorts_announcement_is_not_there(lena: Client, researcher: User) -> None:
    thread = talk.announce(researcher, "For judges", "Only you.", "held_out")
    assert lena.get(reverse("thread-detail", args=[thread.pk])).status_code == 404
    assert lena.post(reverse("thread-dismiss", args=[thread.pk])).status_code == 404
    assert not Reading.objects.exclude(user=researcher).exists()


def test_the_same_words_to_another_cohort_are_another_announcement(researcher: User) -> None:
    assert talk.announce(researcher, "A", "B") == talk.announce(researcher, "A", "B")
    assert talk.announce(researcher, "A", "B") != talk.announce(researcher, "A", "B", "training")


def test_who_came_later_is_not_told_of_what_was(labeler: Labeler, researcher: User) -> None:
    thread = talk.announce(researcher, "Old", "News")
    Thread.objects.filter(pk=thread.pk).update(created_at="2020-01-01T00:00Z")
    assert list(talk.notices(labeler.user)) == []


def test_an_admin_announces_and_sees_announcements_alone(
    client: Client, admin_user: User, labeler: Labeler, researcher: User
) -> None:
    talk.ask(labeler, "A private question")
    client.force_login(admin_user)
    sent = client.post(ANNOUNCE, {"title": "Pay day", "text": "On Friday.", "cohort": "training"}, follow=True)
    assert "To the training cohort" in sent.content.decode()
    shown = page(client, LIST)
    assert "Pay day" in shown
    assert "A private question" not in shown
    assert client.post(ANNOUNCE, {"title": "a", "text": "b", "cohort": "none"}).status_code == 422


def test_unread_counts_stand_in_the_menu_of_every_page(lena: Client, researcher: User) -> None:
    address = reverse("guideline-list")
    assert 'class="count"' not in page(lena, address)
    talk.announce(researcher, "One", "1")
    talk.announce(researcher, "Two", "2")
    assert '<span class="count" aria-hidden="true">2</span>' in page(lena, address)
    lena.get(reverse("thread-detail", args=[Thread.objects.get(title="One").pk]))
    assert '<span class="count" aria-hidden="true">1</span>' in page(lena, address)
