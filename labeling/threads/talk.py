"""Questions, answers and announcements, and how far everybody has read.

Researchers see all threads; a labeler sees their own and the announcements to their cohort; admins, who announce too,
see announcements. Labelers go by their pseudonym.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.text import Truncator

from labeling.errors import BadInput, NotAllowed
from labeling.labelers.models import Cohort, Labeler, Role, User
from labeling.queue.models import WorkItem
from labeling.texts import clean
from labeling.threads.models import Post, Reading, Thread

TWICE = timedelta(minutes=1)  # the same words again within this time are a second click
TITLE = 100
ANNOUNCERS = frozenset({Role.RESEARCHER.value, Role.ADMIN.value})


def ask(labeler: Labeler, text: str, item: WorkItem | None = None) -> Thread:
    """A labeler's question to the researchers, about a piece of work or in general; twice is once.

    Raises BadInput for a text that is empty, too long or no text.
    """
    text = clean(text, "Your question")
    with transaction.atomic():
        Labeler.objects.select_for_update().get(pk=labeler.pk)  # a second click waits here, and so does an erasure
        _must_be_open(labeler.user)
        if post := _just_said(labeler.user, text).filter(thread__labeler=labeler, thread__item=item).first():
            return post.thread
        title = Truncator(text.splitlines()[0]).chars(TITLE)
        thread = Thread.objects.create(labeler=labeler, item=item, title=title)
        _add(labeler.user, thread, text)
    return thread


def announce(user: User, title: str, text: str, cohort: str = "") -> Thread:
    """Something that all labelers are told, or those of a cohort; twice is once.

    Raises BadInput for an empty title or text, or an unknown cohort.
    """
    title, text = clean(title, "The title"), clean(text, "The announcement")
    if cohort and cohort not in Cohort.values:
        raise BadInput(f"There is no cohort “{cohort[:20]}”.")
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if (
            post := _just_said(user, text)
            .filter(thread__labeler=None, thread__title=title[:200], thread__cohort=cohort)
            .first()
        ):
            return post.thread
        thread = Thread.objects.create(title=title[:200], cohort=cohort)
        _add(user, thread, text)
    return thread


def reply(user: User, thread: Thread, text: str) -> Post:
    """One more post in a thread that the user sees; twice is once.

    Raises BadInput for an empty text, NotAllowed for a labeler's in an announcement, which all would read.
    """
    if not may_reply(user, thread):
        raise NotAllowed("This was written to everybody. Ask your question as a message of its own.")
    text = clean(text, "Your message")
    with transaction.atomic():
        thread = Thread.objects.select_for_update().get(pk=thread.pk)
        _must_be_open(user)
        return _just_said(user, text).filter(thread=thread).first() or _add(user, thread, text)


def may_reply(user: User, thread: Thread) -> bool:
    return thread.labeler_id is not None or bool(ANNOUNCERS & user.roles)


def mark_read(user: User, thread: Thread) -> None:
    """Up to the last post that this thread was loaded with: what came since stays unread."""
    Reading.objects.bulk_create(
        [Reading(user=user, thread=thread, read_at=thread.last_at)],
        update_conflicts=True,
        unique_fields=["user", "thread"],
        update_fields=["read_at"],
    )


def unread(user: User) -> int:
    """In how many threads there is something new for this account."""
    return visible_to(user).filter(is_unread(user)).count()


def is_unread(user: User) -> Q:
    """What was said before the account was made is no news."""
    read = Reading.objects.filter(user=user, thread=OuterRef("pk"), read_at__gte=OuterRef("last_at"))
    return Q(last_at__gt=user.date_joined) & ~Q(Exists(read))


def visible_to(user: User) -> QuerySet[Thread]:
    if Role.RESEARCHER in user.roles:
        return Thread.objects.all()
    announced = Q(labeler=None)
    if Role.ADMIN in user.roles:
        return Thread.objects.filter(announced | Q(labeler__user=user))
    if Role.LABELER in user.roles:
        cohort = Labeler.objects.filter(user=user).values("cohort")
        return Thread.objects.filter(Q(labeler__user=user) | announced & (Q(cohort="") | Q(cohort__in=cohort)))
    return Thread.objects.none()


def notices(user: User) -> QuerySet[Thread]:
    """Announcements since the account was made that it has not put away, newest first: for a labeler's start page."""
    put_away = Reading.objects.filter(user=user, thread=OuterRef("pk"), is_dismissed=True)
    first = Post.objects.filter(thread=OuterRef("pk")).order_by("created_at", "id").values("text")[:1]
    announced = visible_to(user).filter(labeler=None, created_at__gt=user.date_joined)
    return announced.exclude(Exists(put_away)).annotate(text=Subquery(first))


def dismiss(user: User, thread: Thread) -> None:
    """Put an announcement away from the start page; it stays under the messages, and counts as read."""
    Reading.objects.bulk_create(
        [Reading(user=user, thread=thread, read_at=thread.last_at, is_dismissed=True)],
        update_conflicts=True,
        unique_fields=["user", "thread"],
        update_fields=["read_at", "is_dismissed"],
    )


def is_unanswered() -> Q:
    """Whether the last word in a thread is the labeler's; False, not null, where nobody asked."""
    last = Post.objects.filter(thread=OuterRef("pk")).order_by("-created_at", "-id").values("author")[:1]
    return Q(labeler__isnull=False) & Q(labeler__user=Subquery(last))


def name_of(post: Post, thread: Thread) -> str:
    """The author as others read it: a labeler's pseudonym, a researcher's name, never an address."""
    if thread.labeler and post.author_id == thread.labeler.user_id:
        return thread.labeler.pseudonym
    return post.author.name or "A researcher"


def _must_be_open(user: User) -> None:
    """Raises NotAllowed for an account that was closed since the request began: nothing is added to what was erased."""
    if not User.objects.filter(pk=user.pk, is_active=True).exists():
        raise NotAllowed("This account is closed.")


def _just_said(user: User, text: str) -> QuerySet[Post]:
    return Post.objects.filter(author=user, text=text, created_at__gt=timezone.now() - TWICE).select_related("thread")


def _add(user: User, thread: Thread, text: str) -> Post:
    now = timezone.now()
    thread.last_at = now
    thread.save(update_fields=["last_at"])
    post = Post.objects.create(thread=thread, author=user, text=text, created_at=now)
    mark_read(user, thread)  # who writes has read
    return post
