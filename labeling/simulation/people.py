"""Simulated labelers as accounts: people of the miniature world who use the same doors as everybody."""

from dataclasses import dataclass

from django.db import transaction

from labeling.labelers.enroll import enroll
from labeling.labelers.models import Cohort, Labeler, User
from labeling.simulation.world import SimulatedLabeler


@dataclass(frozen=True)
class Person:
    """An account, and whose taste and mistakes it has."""

    labeler: Labeler
    mind: SimulatedLabeler


def population(*, training: int, held_out: int, seed: int) -> list[Person]:
    """So many simulated labelers of each cohort; the same seed finds the same people again."""
    wanted = [(Cohort.TRAINING, number) for number in range(1, training + 1)]
    wanted += [(Cohort.HELD_OUT, number) for number in range(1, held_out + 1)]
    return [Person(_account(cohort, number, seed), SimulatedLabeler(number, cohort, seed)) for cohort, number in wanted]


def _account(cohort: Cohort, number: int, seed: int) -> Labeler:
    email = f"simulated-{seed}-{cohort.replace('_', '')}-{number}@podium.example"
    with transaction.atomic():
        # No password: nobody can log in as a simulated labeler.
        user, _ = User.objects.get_or_create(
            email=email, defaults={"name": f"Simulated {cohort.label.lower()} labeler {number}", "password": "!"}
        )
        known = Labeler.objects.filter(user=user).first()
        return known or enroll(user, cohort=cohort, is_simulated=True)
