"""What a labeler is paid for an hour of active time. Only admins and the labeler themselves see it."""

from datetime import timedelta
from decimal import Decimal, InvalidOperation

from django.db import transaction

from labeling.errors import BadInput, Conflict
from labeling.labelers.models import Labeler, User

CENT = Decimal("0.01")
MOST = Decimal("999999.99")


def set_rate(labeler: Labeler, rate: Decimal | None, currency: str, by: User | None = None) -> None:
    """From now on; None takes the rate away, and what was worked before keeps its rate (`Labeler.rates`).

    Raises BadInput for what is no amount, or no currency's three letters.
    """
    currency = currency.strip().upper()
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise BadInput("A currency is three letters, such as USD or EUR.")
    if rate is not None:
        rate = _amount(rate)
    with transaction.atomic():
        now = Labeler.objects.select_for_update(no_key=True).get(pk=labeler.pk)  # two admins: one row after the other
        if (now.hourly_rate, now.currency) != (rate, currency):
            labeler.rates.create(hourly_rate=rate, currency=currency, set_by=by)
        labeler.hourly_rate, labeler.currency = rate, currency
        labeler.save(update_fields=["hourly_rate", "currency"])


def first_rate_from_start(labeler: Labeler, by: User) -> None:
    """The first rate counts also for what was worked before it was set; no time that has a rate changes.

    Raises Conflict where nothing was ever set, or it counts so already.
    """
    with transaction.atomic():
        Labeler.objects.select_for_update(no_key=True).get(pk=labeler.pk)
        first = labeler.rates.first()
        if first is None or first.hourly_rate is None or first.since <= labeler.created_at:
            raise Conflict(f"There is no time of {labeler.pseudonym} before a first rate.")
        labeler.rates.create(
            hourly_rate=first.hourly_rate, currency=first.currency, since=labeler.created_at, set_by=by
        )


def earned(labeler: Labeler, active: timedelta) -> Decimal | None:
    """An estimate, in the labeler's currency; None where no rate is set."""
    if labeler.hourly_rate is None:
        return None
    hours = Decimal(active // timedelta(microseconds=1)) / Decimal(3_600_000_000)
    return (labeler.hourly_rate * hours).quantize(CENT)


def _amount(rate: Decimal) -> Decimal:
    try:
        amount = rate.quantize(CENT)
    except InvalidOperation:
        raise BadInput("The rate is no amount of money.") from None
    if amount.is_nan() or not 0 <= amount <= MOST:
        raise BadInput(f"A rate is between 0 and {MOST:,}.")
    if amount != rate:
        raise BadInput("A rate has at most two digits after the point.")
    return amount
