"""What labelers are asked beside the order or the text. Every label is stamped with the rubric it was made under."""

from django.db import models
from django.utils import timezone


class Rubric(models.Model):
    """One published version of the questions; never changed afterwards.

    The lists hold {key, label, definition}: `flags` about one completion (Ouyang et al. 2022, Table 3), `traits`
    about the prompt (Table 7), `reasons` about the whole order (without a definition).
    """

    class Ratings(models.TextChoices):
        """Whether a completion is rated from 1 to 7 before all are ranked (Fig. 12)."""

        OFF = "off", "Not asked"
        OPTIONAL = "optional", "Asked, may be left out"
        REQUIRED = "required", "Asked of every completion"

    version = models.PositiveIntegerField(unique=True)
    ratings = models.CharField(max_length=8, choices=Ratings, default=Ratings.OPTIONAL)
    flags = models.JSONField(default=list, blank=True)
    traits = models.JSONField(default=list, blank=True)
    reasons = models.JSONField(default=list, blank=True)
    published_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-version"]

    def __str__(self) -> str:
        return f"Rubric, version {self.version}"
