"""What a labeler has put into a page's fields so far, kept on the server. The only writer of Draft beside the line,
which empties a draft whose work is sent in.

Two windows may have the same page open: each names the revision that it knows, and one that comes second is told what
the first one stored (`Newer`) instead of writing over it.
"""

import json
import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import QueryDict
from django.utils import timezone

from labeling.errors import BadInput, Conflict, NotFound
from labeling.labelers.models import Labeler
from labeling.queue import dispatch, ledger
from labeling.queue.models import Assignment, Draft

MAX_BYTES = 1_000_000
EMPTY = "[]"
TOKEN = "csrfmiddlewaretoken"
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

Field = tuple[str, str]


class Newer(Conflict):
    """Another window has stored a newer version: it is in `stored`."""

    def __init__(self, stored: Draft) -> None:
        super().__init__("Another window has stored a newer version of this draft.")
        self.stored = stored


def save(labeler: Labeler, assignment_id: UUID, fields: Iterable[Field], base: int) -> Draft:
    """Store all fields of the page, which knew the revision `base` (0: none); it counts as a sign of life.

    The same words again are no new revision, so an answer that was lost may be asked for again. Raises NotFound for
    somebody else's piece, Newer where `base` is not the stored revision, Conflict for a piece that was skipped or is
    sent in, BadInput for more than 1 MB.
    """
    if not 0 <= base < 2**31 - 1:
        raise BadInput("A draft's revision counts from 0.")
    content = _packed(fields)
    with transaction.atomic():
        assignment = _locked(labeler, assignment_id)
        draft = _put(assignment, content, base)
    ledger.sign(labeler.pk, assignment.pk)
    dispatch.keep_alive(assignment)
    return draft


def _locked(labeler: Labeler, assignment_id: UUID) -> Assignment:
    try:
        # A save and the submit of the same words take turns.
        assignment = Assignment.objects.select_for_update().get(pk=assignment_id, labeler=labeler)
    except Assignment.DoesNotExist:
        raise NotFound(dispatch.UNKNOWN) from None
    if assignment.state == Assignment.State.SKIPPED:
        raise Conflict("You skipped this piece of work. If you take it back, your draft comes with it.")
    return assignment


def _put(assignment: Assignment, content: str, base: int) -> Draft:
    stored = Draft.objects.filter(assignment=assignment).first()
    if stored is None:
        if assignment.state == Assignment.State.DONE and base == 0:
            raise Conflict("You have sent this in meanwhile.")  # a page from before, whose save was on its way
        return Draft.objects.create(assignment=assignment, content=content, revision=base + 1)
    if stored.content == content:
        return stored
    if stored.revision != base:
        raise Newer(stored)
    stored.content, stored.revision, stored.saved_at, stored.came_late_at = content, base + 1, timezone.now(), None
    stored.save(update_fields=["content", "revision", "saved_at", "came_late_at"])
    return stored


def keep_late(assignment: Assignment, posted: QueryDict) -> Draft | None:
    """Keep what was sent in when nothing more was wanted; None where it is too much to keep."""
    try:
        content = _packed(pairs(posted))
    except BadInput:
        return None
    now = timezone.now()
    with transaction.atomic():
        draft, is_new = Draft.objects.select_for_update().get_or_create(
            assignment=assignment, defaults={"content": content, "came_late_at": now}
        )
        if not is_new:
            draft.content, draft.saved_at, draft.came_late_at = content, now, now
            draft.revision += 1
            draft.save(update_fields=["content", "revision", "saved_at", "came_late_at"])
    return draft


def spend(assignment_id: UUID) -> None:
    """Empty the draft of a correction that was sent in; the line does so for what is sent in the first time."""
    with transaction.atomic():
        draft = Draft.objects.select_for_update().filter(assignment=assignment_id).first()
        if draft:
            draft.content, draft.came_late_at = EMPTY, None
            draft.revision += 1
            draft.save(update_fields=["content", "revision", "came_late_at"])


def fields_of(assignment: Assignment) -> QueryDict | None:
    """The draft as if it had been posted; None where there is none."""
    draft = _of(assignment)
    if draft is None or draft.content == EMPTY:
        return None
    posted = QueryDict(mutable=True)
    for name, value in unpacked(draft):
        posted.appendlist(name, value)
    posted._mutable = False
    return posted


def revision_of(assignment: Assignment) -> int:
    """The revision that a page knows which shows this piece now.

    A piece that is sent in and never had a draft starts at 1, so that a first save from before it was sent in is
    told from a first save of its correction.
    """
    draft = _of(assignment)
    return draft.revision if draft else int(assignment.state == Assignment.State.DONE)


def pairs(posted: QueryDict) -> list[Field]:
    """All that a form sent, but its token."""
    return [(name, str(value)) for name, values in posted.lists() if name != TOKEN for value in values]


def unpacked(draft: Draft) -> list[Field]:
    """A draft's fields as a browser would send them: half of a character becomes U+FFFD."""
    return [(_whole(name), _whole(value)) for name, value in json.loads(draft.content)]


def _packed(fields: Iterable[Field]) -> str:
    content = json.dumps([[name, value] for name, value in fields if name != TOKEN], separators=(",", ":"))
    if len(content) > MAX_BYTES:
        raise BadInput("This draft is larger than a megabyte, which is more than any piece of work takes.")
    return content


def _whole(text: Any) -> str:
    return _LONE_SURROGATE.sub("\ufffd", str(text))


def _of(assignment: Assignment) -> Draft | None:
    try:
        return assignment.draft
    except Draft.DoesNotExist:
        return None
