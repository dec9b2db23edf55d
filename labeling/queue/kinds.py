"""What the queue tells apart: kinds of work, the lines for them, and what an item is there for."""

from django.db import models

from labeling.labelers.models import Cohort


class Kind(models.TextChoices):
    DEMONSTRATE = "demonstrate", "Write a demonstration"
    RANK = "rank", "Rank completions"
    PROPOSE = "propose", "Write a prompt"


class Lane(models.IntegerChoices):
    """A line that labelers stand in: one kind of work for one cohort."""

    DEMONSTRATE_TRAINING = 1
    RANK_TRAINING = 2
    DEMONSTRATE_HELD_OUT = 3
    RANK_HELD_OUT = 4
    PROPOSE_TRAINING = 5
    PROPOSE_HELD_OUT = 6

    @classmethod
    def of(cls, kind: str, cohort: str) -> "Lane":
        return cls[f"{Kind(kind).name}_{Cohort(cohort).name}"]

    @property
    def kind(self) -> Kind:
        return Kind[self.name.split("_")[0]]


class Control(models.IntegerChoices):
    """What an item is there for. No page of a labeler's tells."""

    ORDINARY = 0, "Ordinary"
    CALIBRATION = 1, "Calibration"  # several labelers, so that they can be compared
    DRIFT = 2, "Drift control"  # a known comparison that recurs in each batch
    GOLD = 3, "Gold, silent"  # a researcher has answered it
    TEACHING = 4, "Gold, teaching"  # and the labeler is shown that answer afterwards


OWN = (Control.ORDINARY, Control.CALIBRATION)  # what a batch is there for; the others come on top, and are no data
CHECKS = (Control.DRIFT, Control.GOLD, Control.TEACHING)
