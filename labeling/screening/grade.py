"""Blind grading: one demonstration after another, in random order, without a word on who wrote it."""

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from labeling.errors import BadInput, Conflict, NotAllowed
from labeling.labelers.models import Labeler, User
from labeling.screening.models import Grade, Response, ScreeningItem, ScreeningSet, Sitting


def to_grade(researcher: User, screening_set: ScreeningSet) -> QuerySet[Response]:
    """The demonstrations that this researcher has not graded, of candidates on whom nobody has decided yet.

    In the order of their random ids, which follows neither candidates nor time.
    """
    mine = Grade.objects.filter(response=OuterRef("pk"), researcher=researcher)
    return (
        Response.objects.filter(
            ~Exists(mine),
            item__screening_set=screening_set,
            item__kind=ScreeningItem.Kind.WRITE,
            sitting__sent_in_at__isnull=False,
            sitting__labeler__state=Labeler.State.SCREENING,
        )
        .exclude(sitting__labeler__user=researcher)
        .select_related("item")
        .order_by("pk")
    )


def grade(researcher: User, response: Response, value: int) -> Grade:
    """This researcher's grade, 1 to 7; a second one takes the place of their first.

    Raises BadInput for another number, Conflict once the candidate is decided on, NotAllowed for one's own.
    """
    if not 1 <= value <= 7:
        raise BadInput("A grade is a number from 1 to 7.")
    with transaction.atomic():
        # Decisions lock the same row: a grade comes before one, and counts, or is refused.
        sitting = Sitting.objects.select_for_update().get(pk=response.sitting_id)
        labeler = Labeler.objects.get(pk=sitting.labeler_id)
        if labeler.user_id == researcher.pk:
            raise NotAllowed("Nobody grades what they wrote themselves.")
        if labeler.state != Labeler.State.SCREENING:
            raise Conflict("The candidate has been decided on meanwhile, so this grade would change nothing.")
        row, _ = Grade.objects.update_or_create(
            response=response, researcher=researcher, defaults={"grade": value, "graded_at": timezone.now()}
        )
    return row
