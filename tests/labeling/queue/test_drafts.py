"""Drafts on the server: by revision, for their labeler alone, whatever is in them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from uuid import uuid4

import pytest
from django.http import QueryDict
from django.utils import timezone

from labeling import access
from labeling.errors import BadInput, Conflict, NotFound
from labeling.models import Assignment, Draft, Kind, Labeler
from labeling.queue import dispatch, drafts
from tests.work import ranking_work, writing_work

pytestmark = pytest.mark.django_db


@pytest.fixture
def lease(labeler: Labeler) -> Assignment:
    writing_work(2, need=2)
    lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert lease is not None
    return lease


def fresh(assignment: Assignment) -> Assignment:
    return Assignment.objects.get(pk=assignment.pk)


def text_of(assignment: Assignment) -> str | None:
    found = drafts.fields_of(fresh(assignment))
    return None if found is None else str(found["text"])


def save(labeler: Labeler, lease: Assignment, text: str, base: int) -> int:
    return drafts.save(labeler, lease.pk, [("text", text)], base).revision


def test_a_draft_comes_back_as_if_it_were_posted(labeler: Labeler, lease: Assignment) -> None:
    fields = [("text", "Line 1\nLine 2"), ("traits", "a"), ("traits", "b"), ("empty", ""), ("csrfmiddlewaretoken", "x")]
    drafts.save(labeler, lease.pk, fields, 0)
    found = drafts.fields_of(fresh(lease))
    assert found is not None
    assert {name: found.getlist(name) for name in found} == {
        "text": ["Line 1\nLine 2"],
        "traits": ["a", "b"],
        "empty": [""],
    }
    with pytest.raises(AttributeError):
        found["text"] = "a posted form cannot be changed"


def test_no_draft_is_none(lease: Assignment) -> None:
    assert drafts.fields_of(lease) is None
    assert drafts.revision_of(lease) == 0


def test_a_page_reads_its_draft_with_its_assignment(
    labeler: Labeler, lease: Assignment, django_assert_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    for text in ("", "words"):
        if text:
            save(labeler, lease, text, 0)
        assignment = access.assignment_of(labeler, lease.pk, Kind.DEMONSTRATE)
        with django_assert_num_queries(0):
            assert (drafts.fields_of(assignment) or {}).get("text", "") == text
            assert drafts.revision_of(assignment) == bool(text)


def test_revisions_count_up(labeler: Labeler, lease: Assignment) -> None:
    assert [save(labeler, lease, str(number), number) for number in range(4)] == [1, 2, 3, 4]
    assert (text_of(lease), drafts.revision_of(fresh(lease))) == ("3", 4)


def test_who_comes_second_is_told_and_overwrites_nothing(labeler: Labeler, lease: Assignment) -> None:
    save(labeler, lease, "first", 0)
    with pytest.raises(drafts.Newer) as told:
        save(labeler, lease, "second", 0)
    assert drafts.unpacked(told.value.stored) == [("text", "first")]
    assert (told.value.stored.revision, told.value.status) == (1, 409)
    assert text_of(lease) == "first"


def test_the_same_words_again_are_no_news(labeler: Labeler, lease: Assignment) -> None:
    """The answer was lost on the way, and the page asks again."""
    assert save(labeler, lease, "words", 0) == 1
    assert save(labeler, lease, "words", 0) == 1
    assert save(labeler, lease, "more words", 1) == 2


@pytest.mark.parametrize("text", ["a\0b", "\ud83d alone", "\udc00\ud800", "😀 שלום 漢字", "\r\n\t\\u0000", "</script>"])
def test_no_character_is_too_strange(labeler: Labeler, lease: Assignment, text: str) -> None:
    save(labeler, lease, text, 0)
    assert Draft.objects.get().content.isascii()
    found = text_of(lease)
    assert found is not None
    found.encode()  # a page can show it
    kept = [character for character in text if not "\ud800" <= character <= "\udfff"]
    assert [character for character in found if character != "\ufffd"] == kept


def test_a_megabyte_is_the_end(labeler: Labeler, lease: Assignment) -> None:
    save(labeler, lease, "x" * 999_000, 0)
    with pytest.raises(BadInput, match="megabyte"):
        save(labeler, lease, "x" * 1_000_001, 1)
    assert text_of(lease) == "x" * 999_000


@pytest.mark.parametrize("base", [-1, 2**31 - 1, 2**70])
def test_a_revision_is_a_revision(labeler: Labeler, lease: Assignment, base: int) -> None:
    with pytest.raises(BadInput):
        save(labeler, lease, "words", base)


def test_somebody_elses_and_unknown_look_the_same(labeler: Labeler, second_labeler: Labeler, lease: Assignment) -> None:
    for pk in (lease.pk, uuid4()):
        with pytest.raises(NotFound, match="no such piece"):
            drafts.save(second_labeler, pk, [("text", "mine")], 0)
    assert not Draft.objects.exists()


def test_a_lease_that_ran_out_keeps_its_draft(labeler: Labeler, lease: Assignment) -> None:
    Assignment.objects.update(expires_at=timezone.now())
    dispatch.sweep()
    save(labeler, lease, "late, but kept", 0)
    assert text_of(lease) == "late, but kept"
    assert fresh(lease).state == Assignment.State.EXPIRED


def test_a_skipped_piece_takes_no_draft_and_keeps_the_one_it_has(labeler: Labeler, lease: Assignment) -> None:
    save(labeler, lease, "before", 0)
    dispatch.skip(labeler, lease.pk)
    with pytest.raises(Conflict, match="skipped"):
        save(labeler, lease, "after", 1)
    dispatch.take_back(labeler, lease.pk)
    assert text_of(lease) == "before"


# ── A draft and the submit of the same words ────────────────────────────────────────────────────────────────────────


def test_what_is_sent_in_leaves_an_empty_draft(labeler: Labeler, lease: Assignment) -> None:
    save(labeler, lease, "words", 0)
    dispatch.finish(labeler, lease.pk)
    assert drafts.fields_of(fresh(lease)) is None


@pytest.mark.parametrize("saved_before", [0, 1])
def test_a_save_that_was_on_its_way_comes_to_nothing(labeler: Labeler, lease: Assignment, saved_before: int) -> None:
    if saved_before:
        save(labeler, lease, "wor", 0)
    dispatch.finish(labeler, lease.pk)
    with pytest.raises(Conflict):
        save(labeler, lease, "words", saved_before)
    assert drafts.fields_of(fresh(lease)) is None


@pytest.mark.parametrize("saved_before", [0, 1])
def test_a_correction_has_drafts_too(labeler: Labeler, lease: Assignment, saved_before: int) -> None:
    if saved_before:
        save(labeler, lease, "wor", 0)
    dispatch.finish(labeler, lease.pk)
    base = drafts.revision_of(fresh(lease))
    assert save(labeler, lease, "better words", base) == base + 1
    assert text_of(lease) == "better words"
    drafts.spend(lease.pk)
    assert drafts.fields_of(fresh(lease)) is None
    with pytest.raises(Conflict):
        save(labeler, lease, "better wor", base + 1)


def test_a_refused_submit_leaves_the_draft(labeler: Labeler, lease: Assignment) -> None:
    from labeling.demonstrations.submit import submit

    save(labeler, lease, " ", 0)
    with pytest.raises(BadInput):
        submit(labeler, lease.pk, " ")
    assert (text_of(lease), drafts.revision_of(fresh(lease))) == (" ", 1)


# ── Late work ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_late_work_is_kept_over_an_older_draft(labeler: Labeler, lease: Assignment) -> None:
    save(labeler, lease, "half", 0)
    kept = drafts.keep_late(fresh(lease), QueryDict("text=all+of+it&csrfmiddlewaretoken=x"))
    assert kept is not None and kept.came_late_at is not None
    assert (text_of(lease), kept.revision) == ("all of it", 2)
    assert "csrf" not in kept.content


def test_late_work_that_is_too_much_is_not_kept(lease: Assignment) -> None:
    huge = QueryDict(mutable=True)
    huge["text"] = "x" * 1_000_001
    assert drafts.keep_late(lease, huge) is None
    assert not Draft.objects.exists()


# ── Saving is a sign of life ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("minutes_left", "renewed"), [(10, True), (20, False)])
def test_a_save_renews_a_lease_that_is_half_over(
    labeler: Labeler, lease: Assignment, minutes_left: int, renewed: bool
) -> None:
    end = timezone.now() + timedelta(minutes=minutes_left)
    Assignment.objects.update(expires_at=end)
    save(labeler, lease, "still here", 0)
    assert (fresh(lease).expires_at > end) is renewed


def end_by_time(labeler: Labeler, lease: Assignment) -> None:
    Assignment.objects.update(expires_at=timezone.now())
    dispatch.sweep()


@pytest.mark.parametrize("end", [end_by_time, lambda labeler, lease: dispatch.finish(labeler, lease.pk)])
def test_a_save_revives_no_lease_that_has_ended(
    labeler: Labeler, lease: Assignment, end: Callable[[Labeler, Assignment], object]
) -> None:
    end(labeler, lease)
    before = fresh(lease)
    drafts.save(labeler, lease.pk, [("text", "late")], 1)
    assert (fresh(lease).state, fresh(lease).expires_at) == (before.state, before.expires_at)


def test_a_ranking_has_drafts_as_well(labeler: Labeler) -> None:
    ranking_work(1)
    lease = dispatch.claim(labeler, Kind.RANK)
    assert lease is not None
    drafts.save(labeler, lease.pk, [("place-1", "2"), ("place-2", ""), ("flags-1", "a"), ("flags-1", "b")], 0)
    found = drafts.fields_of(fresh(lease))
    assert found is not None
    assert (found["place-1"], found["place-2"], found.getlist("flags-1")) == ("2", "", ["a", "b"])
