"""A rate that was set before rates had a past counts from the labeler's first day."""

from decimal import Decimal
from importlib import import_module

import pytest
from django.apps import apps

from labeling.models import Labeler, Rate

pytestmark = pytest.mark.django_db


def test_the_rates_of_before_get_a_row(labeler: Labeler, second_labeler: Labeler) -> None:
    Labeler.objects.filter(pk=labeler.pk).update(hourly_rate=Decimal("18.50"), currency="EUR")
    import_module("labeling.migrations.0010_surveys_pay_erasure").first_rates(apps, None)
    only = Rate.objects.get()
    assert (only.labeler, only.hourly_rate, only.currency) == (labeler, Decimal("18.50"), "EUR")
    assert (only.since, only.set_by) == (labeler.created_at, None)
