"""Who has read which guidelines. A labeler with a version still to confirm is given no work (`Labeler.must_read`)."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery

from labeling.errors import Conflict
from labeling.guidelines.models import Acknowledgement, Guideline, Purpose
from labeling.labelers.models import Cohort, Labeler

# Held-out labelers judge (evaluation) and also rank as the training labelers do, to validate the reward model.
PURPOSES: dict[str, Sequence[str]] = {
    Cohort.TRAINING: (Purpose.TRAINING,),
    Cohort.HELD_OUT: (Purpose.TRAINING, Purpose.EVALUATION),
}


@dataclass(frozen=True)
class Standing:
    """Who of those at work under a guideline has confirmed it."""

    confirmed: int
    missing: Sequence[Labeler]

    @property
    def asked(self) -> int:
        return self.confirmed + len(self.missing)


def to_read(labeler: Labeler) -> QuerySet[Guideline]:
    """The newest version for each purpose that this labeler works under, where they have not confirmed it."""
    newest = Guideline.objects.filter(purpose=OuterRef("purpose")).order_by("-version").values("pk")[:1]
    return (
        Guideline.objects.filter(purpose__in=PURPOSES[labeler.cohort], pk=Subquery(newest))
        .exclude(acknowledgements__labeler=labeler)
        .order_by("purpose")
    )


def acknowledge(labeler: Labeler, guideline: Guideline) -> None:
    """Store that this labeler has read this version; twice is once.

    Raises Conflict where a newer version came out meanwhile: that is the one to read.
    """
    with transaction.atomic():
        # The row lock makes a publication wait, so that `must_read` cannot be cleared after it was set anew.
        Labeler.objects.select_for_update().get(pk=labeler.pk)
        if Guideline.objects.filter(purpose=guideline.purpose, version__gt=guideline.version).exists():
            raise Conflict("A newer version of these guidelines has come out meanwhile. Please read that one.")
        Acknowledgement.objects.get_or_create(labeler=labeler, guideline=guideline)
        labeler.must_read = to_read(labeler).exists()
        labeler.save(update_fields=["must_read"])


def acknowledge_all(labeler: Labeler) -> Labeler:
    """The labeler, with all that there is to read confirmed: for accounts that a program makes."""
    for guideline in to_read(labeler):
        acknowledge(labeler, guideline)
    labeler.must_read = False
    labeler.save(update_fields=["must_read"])
    return labeler


def confirmed_before(labeler: Labeler, guideline: Guideline) -> Guideline | None:
    """The version that this labeler knows: the newest earlier one they have confirmed."""
    earlier = Guideline.objects.filter(purpose=guideline.purpose, version__lt=guideline.version)
    return earlier.filter(acknowledgements__labeler=labeler).order_by("-version").first()


def standing(guideline: Guideline) -> Standing:
    """Counts people who are at work; programs have nothing to read."""
    people = _under(guideline.purpose).filter(state=Labeler.State.ACTIVE)
    has_confirmed = Acknowledgement.objects.filter(guideline=guideline, labeler=OuterRef("pk"))
    missing = list(people.filter(~Exists(has_confirmed)))
    return Standing(confirmed=people.count() - len(missing), missing=missing)


def ask_all(purpose: str) -> None:
    """A new version for this purpose is out: everybody who works under it reads before going on."""
    _under(purpose).update(must_read=True)


def _under(purpose: str) -> QuerySet[Labeler]:
    cohorts = [cohort for cohort, purposes in PURPOSES.items() if purpose in purposes]
    return Labeler.objects.filter(cohort__in=cohorts, is_simulated=False)
