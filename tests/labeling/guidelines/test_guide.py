"""The guide for labelers as a page."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from labeling.guidelines import guide
from labeling.models import Labeler

PNG = b"\x89PNG\r\n\x1a\n"
TEXT = """# For labelers

Read *this*.

![The start page](screenshots/home.png)

## Ranking

![Gone](screenshots/gone.png)
"""


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(guide, "DOCS", tmp_path)
    (tmp_path / "screenshots").mkdir()
    (tmp_path / "screenshots" / "home.png").write_bytes(PNG)
    (tmp_path / "labeler-guide.md").write_text(TEXT)
    (tmp_path / "secret.png").write_bytes(PNG)
    return tmp_path


@pytest.fixture
def lena(client: Client, labeler: Labeler) -> Client:
    client.force_login(labeler.user)
    return client


def test_texts_and_the_pictures_that_are_there(lena: Client, docs: Path) -> None:
    page = lena.get("/guide/").content.decode()
    assert "<em>this</em>" in page
    assert 'src="/guide/screenshots/home.png" alt="The start page"' in page
    assert ">Ranking</h2>" in page
    assert "gone" not in page
    assert page.count("<h1>") == 1


def test_a_picture_is_sent(lena: Client, docs: Path) -> None:
    answer: Any = lena.get("/guide/screenshots/home.png")
    assert (answer["Content-Type"], b"".join(answer.streaming_content)) == ("image/png", PNG)


@pytest.mark.parametrize("name", ["gone", "..%2fsecret", "../secret", "%00"])
def test_no_other_file_is_sent(lena: Client, docs: Path, name: str) -> None:
    assert lena.get(f"/guide/screenshots/{name}.png").status_code == 404
    assert guide.picture("../secret") is None


def test_an_installation_without_documents_has_no_guide(lena: Client, docs: Path) -> None:
    (docs / "labeler-guide.md").unlink()
    assert lena.get("/guide/").status_code == 404


def test_the_guide_is_for_who_is_logged_in(client: Client, docs: Path, db: None) -> None:
    for address in ("/guide/", "/guide/screenshots/home.png"):
        assert client.get(address).headers["Location"].startswith("/accounts/login/")


def test_the_guide_that_comes_with_podium_is_there_and_linked(lena: Client) -> None:
    assert "Ranking" in lena.get("/guide/").content.decode()
    assert 'href="/guide/"' in lena.get("/").content.decode()
    assert lena.post("/guide/").status_code == 405
