"""Texts and a base model come in by the browser."""

import gzip
import io
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from labeling.errors import BadInput
from labeling.models import User
from labeling.rounds import texts_in
from training import storage
from training.models import Dataset, Run

pytestmark = pytest.mark.django_db


@pytest.fixture
def rosa(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


def texts(dataset: Dataset) -> list[str]:
    return [json.loads(line)["text"] for line in storage.absolute(dataset.path).read_text().splitlines()]


@pytest.mark.parametrize(
    ("cut", "content", "found"),
    [
        ("blank", "one\nstill one\n\n\n two \n\nthree", ["one\nstill one", " two ", "three"]),
        ("lines", "one\n\ntwo \r\nthree\n", ["one", "two", "three"]),
        ("jsonl", '{"text": "a\\nb"}\n\n{"text": "c", "source": "x"}\n', ["a\nb", "c"]),
        ("lines", "one\none\ntwo", ["one", "two"]),
        ("lines", "\ufeffone\ntwo", ["one", "two"]),
    ],
)
def test_a_file_is_cut_into_texts(cut: str, content: str, found: list[str]) -> None:
    for data in (content.encode(), gzip.compress(content.encode())):
        (dataset,) = texts_in.take_in(io.BytesIO(data), cut, 0)
        assert texts(dataset) == found


def test_a_part_is_held_out_by_the_texts_alone() -> None:
    content = "\n".join(f"text {number}" for number in range(1000)).encode()
    rest, apart = texts_in.take_in(io.BytesIO(content), "lines", 0.1)
    assert rest.rows + apart.rows == 1000
    assert 70 <= apart.rows <= 130
    assert set(texts(rest)) & set(texts(apart)) == set()
    backwards = b"\n".join(reversed(content.splitlines()))
    assert set(texts(texts_in.take_in(io.BytesIO(backwards), "lines", 0.1)[1])) == set(texts(apart))


@pytest.mark.parametrize(
    ("cut", "content", "share", "sentence"),
    [
        ("lines", b"", 0, "no text in the file"),
        ("lines", b"one\n\xff\xfe", 0, "Line 2 is not UTF-8"),
        ("jsonl", b'{"text": "a"}\n{"txt": "b"}', 0, "Line 2 has no"),
        ("jsonl", b"{", 0, "Line 1 is not JSON"),
        ("jsonl", b'{"text": "\\ud800"}', 0, "half a character"),
        ("lines", b"a\0b", 0, "zero byte"),
        ("lines", b"one", 0.5, "leaves one of the two parts empty"),
        ("lines", gzip.compress(b"one\ntwo")[:-9], 0, "not whole"),
        ("blank", b"a" * 2_000_001, 0, "2,000,001 characters"),
    ],
)
def test_what_is_no_text_is_a_sentence_and_nothing_is_stored(
    cut: str, content: bytes, share: float, sentence: str
) -> None:
    with pytest.raises(BadInput) as refused:
        texts_in.take_in(io.BytesIO(content), cut, share)
    assert sentence in refused.value.sentence
    assert not Dataset.objects.exists()


def test_the_page_of_texts(rosa: Client) -> None:
    content = "\n".join(f"text {number}" for number in range(200)).encode()
    sent: dict[str, Any] = {"file": SimpleUploadedFile("t.txt", content), "cut": "lines", "held_out": "0.1"}
    response = rosa.post(reverse("text-import"), sent)
    assert response.status_code == 302
    assert Dataset.objects.filter(kind="texts").count() == 2
    sent["file"] = SimpleUploadedFile("t.txt", b"\xff")
    again = rosa.post(reverse("text-import"), sent)
    assert again.status_code == 422
    assert "Line 1 is not UTF-8." in again.content.decode()


def test_a_base_model_comes_in_by_a_run(rosa: Client) -> None:
    response = rosa.post(reverse("base-import"), {"model": "/srv/models/small"})
    run = Run.objects.get()
    assert response["Location"] == reverse("run-detail", args=[run.pk])
    assert (run.recipe, run.spec, run.state) == ("import_model", {"model": "/srv/models/small"}, "queued")


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [({"model": " "}, "This field is required"), ({"model": "/srv/m", "revision": "main"}, "a folder has none")],
)
def test_a_model_that_cannot_be_asked_for_is_no_run(rosa: Client, sent: dict[str, str], sentence: str) -> None:
    response = rosa.post(reverse("base-import"), sent)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not Run.objects.exists()
