"""How a batch is dealt out: what a researcher may set, its bounds, and what the words mean."""

from dataclasses import dataclass, fields
from typing import Any, Self

from django.db import models
from django.db.models import F, Q

from labeling.errors import BadInput

MAX_WEIGHT, MAX_LABELERS, MAX_DRIFT = 100, 100, 50
SHARES = {
    "calibration_share": "The calibration share",
    "opposed_share": "The share of opposed pairs",
    "gold_share": "The gold share",
}
COUNTS = {
    "weight": ("The weight", 1, MAX_WEIGHT),
    "calibration_labelers": ("The number of labelers of a calibration item", 1, MAX_LABELERS),
    "most_labelers": ("The most labelers an item can get", 1, MAX_LABELERS),
    "drift_count": ("The number of drift items", 0, MAX_DRIFT),
}


@dataclass(frozen=True)
class Settings:
    """The settings of a batch as plain values. The defaults are those of a batch of rankings that people make.

    weight                its share of the labelers, against the other open batches of the same line
    calibration_share     share of the items that several labelers get, drawn at random
    calibration_labelers  how many labelers those get
    most_labelers         an item on which labelers disagree gets one more at a time, up to so many in all
    opposed_share         what counts as disagreement: of the pairs of completions, the mean over every two labelers of
                          the share that they order the other way round, when it is above this
    gold_share            rankings of gold items, for each ranking of the batch's own
    drift_count           known comparisons that recur in the batch
    """

    weight: int = 1
    calibration_share: float = 0.15
    calibration_labelers: int = 3
    most_labelers: int = 5
    opposed_share: float = 0.3
    gold_share: float = 0.0
    drift_count: int = 0

    def checked(self) -> Self:
        """Itself. Raises BadInput with a sentence that names what cannot be."""
        for name, what in SHARES.items():
            share = getattr(self, name)
            if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
                raise BadInput(f"{what} is {share!r}; it is a number from 0 to 1.")
        for name, (what, least, most) in COUNTS.items():
            count = getattr(self, name)
            if isinstance(count, bool) or not isinstance(count, int) or not least <= count <= most:
                raise BadInput(f"{what} is {count!r}; it is a whole number from {least} to {most}.")
        if self.calibration_share and self.most_labelers < self.calibration_labelers:
            raise BadInput(
                f"A calibration item gets {self.calibration_labelers} labelers, but an item can get "
                f"{self.most_labelers} at most; the most cannot be below."
            )
        return self


# Nothing is mixed in, and nobody is asked once more: batches that are no rankings, and those that say nothing.
PLAIN = Settings(calibration_share=0.0, calibration_labelers=1, most_labelers=1)


def parse(values: dict[str, Any]) -> Settings:
    """From a JSON object. Raises BadInput for an unknown name and for a value out of bounds."""
    known = [field.name for field in fields(Settings)]
    if unknown := sorted(set(values) - set(known)):
        raise BadInput(f"A batch has no setting “{unknown[0]}”; there are {', '.join(known)}.")
    return Settings(**values).checked()


def share(of: float, count: int) -> int:
    """A share of so many, in whole numbers: a half is rounded up."""
    return int(of * count + 0.5)


class BatchSettings(models.Model):
    """The same as columns of a batch."""

    seed = models.PositiveIntegerField(default=1, db_default=1, help_text="What is drawn at random follows from it.")
    weight = models.PositiveSmallIntegerField(default=1, db_default=1)
    calibration_share = models.FloatField(default=0.0, db_default=0.0)
    calibration_labelers = models.PositiveSmallIntegerField(default=1, db_default=1)
    most_labelers = models.PositiveSmallIntegerField(default=1, db_default=1)
    opposed_share = models.FloatField(default=0.3, db_default=0.3)
    gold_share = models.FloatField(default=0.0, db_default=0.0)
    drift_count = models.PositiveSmallIntegerField(default=0, db_default=0)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(calibration_share__range=(0, 1), opposed_share__range=(0, 1), gold_share__range=(0, 1)),
                name="batch_shares_0_to_1",
            ),
            models.CheckConstraint(
                condition=Q(weight__range=(1, MAX_WEIGHT), calibration_labelers__gte=1, most_labelers__gte=1)
                & (Q(calibration_share=0) | Q(most_labelers__gte=F("calibration_labelers"))),
                name="batch_settings_fit",
            ),
        ]

    @property
    def settings(self) -> Settings:
        return Settings(**{field.name: getattr(self, field.name) for field in fields(Settings)})
