"""What templates show of people: time and money, what waits for a labeler, precedents."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma

from labeling.exports import whose
from labeling.models import Erasure, Guideline, Labeler, Precedent, Survey, Thread, User
from labeling.surveys import hold
from labeling.threads import precedents, talk
from training.models import Dataset

register = template.Library()


@register.filter
def clock(time: timedelta) -> str:
    """`3:07:09`, in hours, minutes and whole seconds; what is below a second is cut off."""
    seconds = time // timedelta(seconds=1)
    return f"{seconds // 3600:,}:{seconds % 3600 // 60:02}:{seconds % 60:02}"


@register.filter
def money(amount: Decimal) -> str:
    """`1,234.50`"""
    return str(intcomma(f"{amount:.2f}"))


@register.simple_tag(takes_context=True)
def unread_of(context: template.Context, user: User) -> int:
    """In how many conversations there is something new; a page that has counted already is not asked to count again."""
    known = context.get("unread")
    return known if isinstance(known, int) else talk.unread(user)


@register.simple_tag
def notices_for(labeler: Labeler) -> list[Thread]:
    """Announcements that this labeler has not put away."""
    return list(talk.notices(labeler.user))


@register.simple_tag
def surveys_for(labeler: Labeler) -> list[Survey]:
    """Surveys that wait for this labeler."""
    return list(hold.invitations(labeler))


@register.simple_tag
def precedents_of(guideline: Guideline) -> list[Precedent]:
    """The cases beside this version."""
    return list(precedents.beside(guideline))


@register.simple_tag
def erasures_asked() -> list[Erasure]:
    """Labelers who wait to be erased, the longest wait first."""
    return list(Erasure.objects.filter(cancelled_at=None, done_at=None).select_related("labeler").order_by("asked_at"))


@register.simple_tag
def withdrawn_rows(datasets: Iterable[Dataset]) -> dict[int, int]:
    """By dataset: how many rows are of labelers who had theirs withdrawn."""
    return whose.withdrawn_rows(datasets)


@register.filter
def of(counts: dict[int, int], key: int) -> int:
    """The count under this key, or 0."""
    return counts.get(key, 0)
