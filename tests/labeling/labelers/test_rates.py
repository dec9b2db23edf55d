"""What a labeler is paid, and who sees it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from labeling.errors import BadInput
from labeling.labelers.rates import earned, set_rate
from labeling.models import Labeler, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(client: Client, admin_user: User) -> Client:
    client.force_login(admin_user)
    return client


def address(labeler: Labeler) -> str:
    return reverse("labeler-rate", args=[labeler.pseudonym])


def test_the_estimate_is_hours_times_rate(labeler: Labeler) -> None:
    assert earned(labeler, timedelta(hours=1)) is None
    set_rate(labeler, Decimal("20"), "eur")
    assert labeler.currency == "EUR"
    assert earned(labeler, timedelta(hours=1, minutes=30)) == Decimal("30.00")
    assert earned(labeler, timedelta(seconds=1)) == Decimal("0.01")  # 20 / 3600 = 0.0056
    assert earned(labeler, timedelta()) == Decimal("0.00")


@pytest.mark.parametrize("rate", ["NaN", "Infinity", "-1", "1000000", "1.001", "1e30"])
def test_what_is_no_rate_is_refused(labeler: Labeler, rate: str) -> None:
    with pytest.raises(BadInput):
        set_rate(labeler, Decimal(rate), "USD")
    labeler.refresh_from_db()
    assert labeler.hourly_rate is None


@pytest.mark.parametrize("currency", ["", "US", "USDT", "U$D", "ДОЛ"])
def test_what_is_no_currency_is_refused(labeler: Labeler, currency: str) -> None:
    with pytest.raises(BadInput, match="three letters"):
        set_rate(labeler, Decimal("1"), currency)


def test_an_admin_sets_and_takes_away_a_rate(ada: Client, labeler: Labeler) -> None:
    answer = ada.post(address(labeler), {"rate": "21.5", "currency": "eur"})
    assert answer.headers["Location"] == f"/labelers/#{labeler.pseudonym}"
    assert "21.50 EUR an hour" in ada.get("/labelers/").content.decode()
    ada.post(address(labeler), {"rate": "", "currency": "EUR"})
    labeler.refresh_from_db()
    assert labeler.hourly_rate is None


@pytest.mark.parametrize(
    ("rate", "currency", "sentence"),
    [
        ("-1", "USD", "greater than or equal to 0"),
        ("lots", "USD", "Enter a number"),
        ("NaN", "USD", "Enter a number"),
        ("1.234", "USD", "2 decimal places"),
        ("12345678", "USD", "digits before the decimal point"),
        ("1", "US", "at least 3 characters"),
        ("1", "U$D", "three letters"),
        ("1", "", "required"),
    ],
)
def test_a_bad_rate_says_why_and_changes_nothing(
    ada: Client, labeler: Labeler, second_labeler: Labeler, rate: str, currency: str, sentence: str
) -> None:
    answer = ada.post(address(labeler), {"rate": rate, "currency": currency})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert page.count("<details open>") == 1
    labeler.refresh_from_db()
    assert labeler.hourly_rate is None


def test_rates_are_seen_by_admins_and_the_labeler(labeler: Labeler, second_labeler: Labeler, researcher: User) -> None:
    set_rate(labeler, Decimal("77.77"), "USD")
    client = Client()
    for user in (second_labeler.user, researcher):
        client.force_login(user)
        assert client.post(address(labeler), {"rate": "1", "currency": "USD"}).status_code == 404
        assert "77.77" not in client.get("/", follow=True).content.decode()
    client.force_login(labeler.user)
    assert client.post(address(labeler), {"rate": "99", "currency": "USD"}).status_code == 404
    client.logout()
    assert client.post(address(labeler)).headers["Location"].startswith("/accounts/login/")
    labeler.refresh_from_db()
    assert labeler.hourly_rate == Decimal("77.77")


def test_unknown_labelers_and_wrong_methods(ada: Client, labeler: Labeler) -> None:
    assert ada.get(address(labeler)).status_code == 405
    assert ada.post("/labelers/labeler-nobody/rate/", {"rate": "1", "currency": "USD"}).status_code == 404
