"""Two rounds' settings as a difference."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from labeling.models import Round, User
from labeling.rounds import diff
from tests.labeling.rounds.test_plan import settings, with_prompts, with_specs


def rows(first: dict[str, Any], second: dict[str, Any], **options: bool) -> dict[str, tuple[Any, Any]]:
    groups = diff.compare(first, second, **options)
    return {f"{group.name} / {row.name}": (row.first, row.second) for group in groups for row in group.rows}


def test_the_same_settings_do_not_differ() -> None:
    assert diff.compare(settings(), settings()) == []


def test_what_is_left_out_is_the_default() -> None:
    """K is 4 where nothing is said, and SFT's learning rate that of the paper."""
    assert diff.compare(settings(), settings(k=4, mix={"calibration_share": 0.15})) == []
    assert diff.compare(settings(), with_specs(sft={"epochs": 2, "lr": 9.65e-6})) == []


def test_differences_by_group() -> None:
    found = rows(settings(), with_prompts(rank=9) | {"k": 6, "specs": with_specs(sft={"epochs": 5})["specs"]})
    assert found == {
        "Prompts / prompts: rank": (4, 9),
        "What labelers do / k": (4, 6),
        "Settings of sft / epochs": (2, 5),
    }


def test_a_token_is_no_setting_and_nothing_is_nothing() -> None:
    assert diff.compare(settings(token="a"), settings(token="b", hold=[], policies=None)) == []


def test_a_part_that_only_one_has() -> None:
    found = rows(settings(budget={"labels": 7}), settings())
    assert found == {"Targets and budget / budget: labels": (7, None)}


def test_everything_shows_what_is_alike_too() -> None:
    found = rows(settings(), settings(k=6), everything=True)
    assert found["What labelers do / k"] == (4, 6)
    assert found["Settings of ppo / gamma"] == (1.0, 1.0)
    assert found["Settings of ppo_ptx / ptx_coef"] == (0.5, 0.5)


@pytest.mark.django_db
def test_the_page(client: Client, researcher: User) -> None:
    client.force_login(researcher)
    assert "not two rounds yet" in client.get(reverse("round-compare")).content.decode()
    pks = [
        Round.objects.create(name=name, settings=settings(k=k), seed=k, created_by=researcher).pk
        for name, k in (("four", 4), ("six", 6))
    ]
    page = client.get(reverse("round-compare"), {"first": pks[0], "second": pks[1]}).content.decode()
    assert "<code>k</code>" in page
    assert "<code>seed</code>" in page
    assert "gamma" not in page
    everything = client.get(reverse("round-compare"), {"first": pks[0], "second": pks[1], "all": "1"}).content.decode()
    assert "gamma" in everything
    assert client.get(reverse("round-compare"), {"first": pks[0], "second": 999}).status_code == 404
