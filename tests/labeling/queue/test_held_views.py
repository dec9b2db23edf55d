"""The researcher's list of held pieces, and what they do with one."""

import pytest
from django.test import Client
from django.urls import reverse

from labeling.models import Kind, Labeler, User, WorkItem
from labeling.queue import dispatch
from tests.work import make_batch, writing_work

pytestmark = pytest.mark.django_db


@pytest.fixture
def rosa(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


@pytest.fixture
def held(labeler: Labeler) -> WorkItem:
    writing_work(2)
    lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert lease is not None
    dispatch.skip(labeler, lease.pk, "broken")
    return WorkItem.objects.get(pk=lease.item_id)


def test_the_list_says_what_why_and_who(rosa: Client, labeler: Labeler, held: WorkItem) -> None:
    page = rosa.get("/held/").content.decode()
    assert "1 piece waits" in page
    assert held.the_prompt.text in page
    assert "A labeler says that it is broken." in page
    assert f"<strong>{labeler.pseudonym}</strong>: broken" in page
    assert str(labeler.user) not in page


def test_a_held_brief_is_shown_too(rosa: Client) -> None:
    batch = make_batch(Kind.PROPOSE)
    dispatch.add_proposal_items(batch, [dispatch.Brief(shape="plain", use_case="chat", text="About <b>tea</b>.")])
    dispatch.hold(batch.items.get(), "Is this one meant?")
    page = rosa.get("/held/").content.decode()
    assert "About &lt;b&gt;tea&lt;/b&gt;." in page
    assert "Is this one meant?" in page


def test_nothing_held_is_an_honest_page(rosa: Client) -> None:
    writing_work(1)
    assert "Nothing is held." in rosa.get("/held/").content.decode()


def test_the_batch_page_counts_them(rosa: Client, held: WorkItem) -> None:
    page = rosa.get(reverse("batch-detail", args=[held.batch_id])).content.decode()
    assert '<a href="/held/">1 held</a>' in page
    dispatch.release(held)
    assert "held</a>" not in rosa.get(reverse("batch-detail", args=[held.batch_id])).content.decode()


def test_release_puts_it_back(rosa: Client, second_labeler: Labeler, held: WorkItem) -> None:
    answer = rosa.post(reverse("held-release", args=[held.pk]), follow=True)
    assert "back at the end of the line" in answer.content.decode()
    assert "Nothing is held." in answer.content.decode()
    held.refresh_from_db()
    assert held.is_open


def test_withdraw_takes_it_out(rosa: Client, held: WorkItem) -> None:
    answer = rosa.post(reverse("held-withdraw", args=[held.pk]), follow=True)
    assert "is withdrawn" in answer.content.decode()
    assert "Nothing is held." in answer.content.decode()
    held.refresh_from_db()
    assert (held.is_open, held.withdrawn_at is None) == (False, False)


def test_the_second_click_is_told(rosa: Client, held: WorkItem) -> None:
    rosa.post(reverse("held-release", args=[held.pk]))
    answer = rosa.post(reverse("held-release", args=[held.pk]))
    assert answer.status_code == 409
    assert "not held any more" in answer.content.decode()


def test_the_list_costs_the_same_however_long_it_is(
    rosa: Client, labeler: Labeler, django_assert_num_queries: object
) -> None:
    writing_work(30)
    for item in WorkItem.objects.all():
        dispatch.hold(item, "Looks odd.")
    # Session, account, count, page, words; and what is unread, which the menu of every page of the office says.
    with django_assert_num_queries(6):  # type: ignore[operator]
        page = rosa.get("/held/").content.decode()
    assert "30 pieces wait" in page
    assert page.count("<article") == 25
    assert rosa.get("/held/?page=2").content.decode().count("<article") == 5


def test_others_find_nothing(client: Client, labeler: Labeler, admin_user: User, held: WorkItem) -> None:
    doors = [reverse("held-release", args=[held.pk]), reverse("held-withdraw", args=[held.pk])]
    assert client.get("/held/").headers["Location"] == "/accounts/login/?next=/held/"
    for user in (labeler.user, admin_user):
        client.force_login(user)
        assert client.get("/held/").status_code == 404
        assert [client.post(door).status_code for door in doors] == [404, 404]
    held.refresh_from_db()
    assert held.held_at is not None


def test_wrong_method_and_unknown_piece(rosa: Client, held: WorkItem) -> None:
    assert rosa.post("/held/").status_code == 405
    for name in ("held-release", "held-withdraw"):
        assert rosa.get(reverse(name, args=[held.pk])).status_code == 405
        assert rosa.post(reverse(name, args=[held.pk + 1000])).status_code == 404
