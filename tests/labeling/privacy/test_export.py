"""The ZIP of all that is held about a labeler."""

import csv
import io
import json
import zipfile
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from labeling.models import Labeler, User
from labeling.privacy.export import archive
from labeling.privacy.inventory import HELD
from labeling.threads import talk
from tests.labeling.privacy.conftest import EMAIL, NAME, SECRET, Wanda
from tests.people import make_labeler

pytestmark = pytest.mark.django_db


def opened(content: bytes) -> dict[str, str]:
    packed = zipfile.ZipFile(io.BytesIO(content))
    assert packed.testzip() is None
    return {name: packed.read(name).decode() for name in packed.namelist()}


def rows(files: dict[str, str], name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(files[f"{name}.json"])
    return found


def test_it_has_everything(wanda: Wanda) -> None:
    files = opened(archive(wanda.labeler))
    assert set(files) == {"README.txt", "timesheet.csv", *(held.file for held in HELD)}
    assert (rows(files, "User")[0]["email"], rows(files, "User")[0]["name"]) == (EMAIL, NAME)
    assert rows(files, "User")[0]["roles"] == ["labeler"]
    assert rows(files, "Labeler")[0]["unwanted_topics"] == ["illness"]
    assert rows(files, "Demonstration")[0]["text"] == "Eleven."
    assert SECRET in rows(files, "Demonstration")[0]["earlier"][0]["text"]
    assert SECRET in rows(files, "Ranking")[0]["rationale"]
    assert sorted(row["place"] for row in rows(files, "RankedCompletion")) == [1, 2, 3, 4]
    assert rows(files, "Proposal")[0]["text"] == "Name a river."
    assert any(SECRET in row["content"] for row in rows(files, "Draft"))
    assert [(row["by"], row["text"]) for row in rows(files, "Post")] == [
        ("you", f"May I rest, {SECRET}?"),
        ("a researcher", "Of course."),
    ]
    assert rows(files, "Rate")[0]["hourly_rate"] == "18.00"
    lines = list(csv.DictReader(io.StringIO(files["timesheet.csv"])))
    assert sum(float(line["seconds"]) for line in lines) == pytest.approx(3600)
    for held in HELD:
        assert held.file in files["README.txt"]
        if held.model not in {"labeling.Erasure", "labeling.LabelerRows", "labeling.Cursor"}:
            assert rows(files, held.model.split(".")[1]), held.model


def test_nobody_else_is_in_it(wanda: Wanda, researcher: User, admin_user: User) -> None:
    """Another labeler with the same kinds of rows, and the people of the office by name and address."""
    other = make_labeler("olga")
    thread = talk.ask(other, "A question of Olga's")
    talk.announce(researcher, "To all", "Hello.")
    content = "".join(opened(archive(wanda.labeler)).values())
    for foreign in (other.pseudonym, "Olga", thread.title, researcher.email, researcher.name, admin_user.email):
        assert foreign not in content
    own = "".join(opened(archive(other)).values())
    for foreign in (EMAIL, NAME, SECRET, wanda.labeler.pseudonym):
        assert foreign not in own


def test_no_key_is_in_it(wanda: Wanda) -> None:
    content = "".join(opened(archive(wanda.labeler)).values())
    assert wanda.labeler.user.password not in content
    assert wanda.labeler.user.invitation.token not in content


def test_who_may_download(wanda: Wanda, labeler: Labeler, researcher: User, admin_user: User, client: Client) -> None:
    theirs = reverse("labeler-data-zip", args=[wanda.labeler.pseudonym])
    answer = wanda.client.get(reverse("my-data-zip"))
    assert EMAIL in opened(answer.content)["User.json"]
    assert "attachment" in answer.headers["Content-Disposition"]
    assert client.get(theirs).headers["Location"].startswith("/accounts/login/")
    for user in (labeler.user, researcher, wanda.labeler.user):
        client.force_login(user)
        assert client.get(theirs).status_code == 404
    client.force_login(admin_user)
    assert EMAIL in opened(client.get(theirs).content)["User.json"]
    assert client.get(reverse("my-data-zip")).status_code == 404


def test_the_page_lists_what_is_held(wanda: Wanda) -> None:
    page = wanda.client.get(reverse("my-data")).content.decode()
    for held in HELD:
        assert held.file in page
    assert reverse("my-data") in wanda.client.get("/").content.decode()
