"""Rates over time. `labelers/rates.py` alone adds a row, and none is ever changed: past timesheets stay the same."""

from django.db import models
from django.utils import timezone


class Rate(models.Model):
    """What an hour of a labeler's was worth from a moment on, until the next row; without an amount: nothing is set."""

    labeler = models.ForeignKey("labeling.Labeler", on_delete=models.PROTECT, related_name="rates", db_index=False)
    hourly_rate = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3)
    since = models.DateTimeField(default=timezone.now)
    set_by = models.ForeignKey(
        "labeling.User", on_delete=models.PROTECT, null=True, blank=True, related_name="rates_set"
    )

    class Meta:
        ordering = ["since", "id"]
        indexes = [models.Index(fields=["labeler", "since"], name="rate_of_labeler")]
        constraints = [models.CheckConstraint(condition=models.Q(hourly_rate__gte=0), name="rate_not_negative")]

    def __str__(self) -> str:
        return f"{self.hourly_rate} {self.currency} since {self.since:%F}"
