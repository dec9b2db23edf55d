"""Carrying out an erasure. It cannot be undone.

What becomes of each row is said in `inventory.py`. A submit at the same moment: `dispatch.skip` ends every lease under
the same row locks as `dispatch.finish`, so the work is either stored before, and treated as chosen, or refused.
"""

from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from labeling.errors import BadInput, Conflict
from labeling.exports import whose
from labeling.labelers import standing
from labeling.labelers.models import Invitation, Labeler, Role, StateChange, User, new_token
from labeling.models import Cursor, Demonstration, Draft, Post, Proposal, Ranking, Reading, Sitting, SurveyMark, Thread
from labeling.privacy import wish
from labeling.privacy.models import Choice, Erasure
from labeling.queue import dispatch, drafts
from labeling.queue.models import Assignment
from labeling.texts import clean

ERASED = "(erased)"
WHY = 500


def carry_out(labeler: Labeler, admin: User, *, choice: str, why: str, typed: str) -> Erasure:
    """Empty the account and what the labeler said of themselves; the labels stay or are withdrawn, by `choice`.

    `typed` is the pseudonym, typed by hand. Raises BadInput for another one, for an unknown choice and without a
    reason; Conflict where it was done before, or the account also has a role in the office.
    """
    if typed.strip() != labeler.pseudonym:
        raise BadInput(f"Nothing was erased: type {labeler.pseudonym} to confirm, exactly as it stands here.")
    if choice not in Choice.values:
        raise BadInput("Please choose what is to become of the labels.")
    why = clean(why, "The reason")
    if len(why) > WHY:
        raise BadInput(f"The reason has {len(why)} characters; at most {WHY} are taken.")
    with transaction.atomic():
        # No key is changed: a lock that blocks foreign keys would wait for a submit that waits for this.
        locked = Labeler.objects.select_for_update(no_key=True).select_related("user").get(pk=labeler.pk)
        done = _recorded(locked, admin, choice, why)
        _end_leases(locked)
        _empty_words(locked)
        _close_account(locked, admin)
        whose.count_missing()
        transaction.on_commit(lambda: _end_leases(locked))  # one that was claimed meanwhile
    return done


def _recorded(labeler: Labeler, admin: User, choice: str, why: str) -> Erasure:
    user = labeler.user
    if user.is_superuser or user.groups.filter(name__in=[Role.RESEARCHER, Role.ADMIN]).exists():
        raise Conflict("This account also works in the office. Take its other roles away first.")
    asked = wish.of(labeler) or wish.ask(labeler, admin, choice)
    if asked.done_at:
        raise Conflict(f"{labeler.pseudonym} was erased on {asked.done_at:%d %B %Y}.")
    asked.done_at, asked.done_by, asked.choice, asked.why = timezone.now(), admin, choice, why
    asked.save(update_fields=["done_at", "done_by", "choice", "why"])
    return asked


def _end_leases(labeler: Labeler) -> None:
    """Also those that ran out: work for them would still be taken."""
    unfinished = [Assignment.State.LEASED, Assignment.State.EXPIRED]
    pieces = Assignment.objects.filter(labeler=labeler, state__in=unfinished).order_by("item")
    for piece in list(pieces.values_list("pk", flat=True)):
        try:
            dispatch.skip(labeler, piece)
        except Conflict:  # sent in this moment: that came first
            continue


def _empty_words(labeler: Labeler) -> None:
    for draft in Draft.objects.filter(assignment__labeler=labeler).exclude(content=drafts.EMPTY):
        drafts.spend(draft.assignment_id)
    Demonstration.objects.filter(labeler=labeler).update(earlier=[])
    Proposal.objects.filter(labeler=labeler).update(earlier=[])
    Ranking.objects.filter(labeler=labeler).update(earlier=[], rationale="")
    threads = Thread.objects.filter(labeler=labeler)
    threads.update(title=ERASED)  # locks them: a reply waits, and then finds the account closed
    Post.objects.filter(author=labeler.user_id).update(text=ERASED)
    Reading.objects.filter(user=labeler.user_id).delete()
    SurveyMark.objects.filter(labeler=labeler).delete()
    Cursor.objects.filter(labeler=labeler).delete()
    Sitting.objects.filter(labeler=labeler).delete()  # with its answers and their grades


def _close_account(labeler: Labeler, admin: User) -> None:
    user, nobody = labeler.user, f"erased-{labeler.user_id}@erased.invalid"
    theirs = Invitation.objects.filter(Q(accepted_by=user) | Q(email__iexact=user.email))
    for invitation in theirs:
        invitation.email, invitation.token = nobody, new_token()
        invitation.save(update_fields=["email", "token"])
    EmailAddress.objects.filter(user=user).delete()
    user.email, user.name, user.last_login = nobody, "", None
    user.is_active = user.is_staff = False
    user.set_unusable_password()
    user.save(update_fields=["email", "name", "last_login", "is_active", "is_staff", "password"])
    user.groups.clear()
    user.user_permissions.clear()
    _end_sessions(user)
    _forget_names(labeler)
    StateChange.objects.filter(labeler=labeler).update(why="")
    if labeler.state != Labeler.State.LEFT:
        standing.leave(labeler, by=admin, why="Erased on request.")
    labeler.unwanted_topics, labeler.hourly_rate = [], None
    labeler.save(update_fields=["unwanted_topics", "hourly_rate"])


def _end_sessions(user: User) -> None:
    for session in Session.objects.iterator():
        if session.get_decoded().get("_auth_user_id") == str(user.pk):
            session.delete()


def _forget_names(labeler: Labeler) -> None:
    """Django's admin notes what was changed under the name it had."""
    about = Q()
    for model, key in ((User, labeler.user_id), (Labeler, labeler.pk)):
        about |= Q(content_type=ContentType.objects.get_for_model(model), object_id=str(key))
    LogEntry.objects.filter(about).update(object_repr=ERASED, change_message="")
