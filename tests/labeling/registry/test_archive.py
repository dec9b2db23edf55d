"""The download is a tar that any tar opens, whole, and that is never held in memory."""

import io
import json
import tarfile
import tracemalloc
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from labeling.registry.archive import CHUNK, Archive
from tests.labeling.registry.conftest import History
from training.models import Checkpoint


def names_and_bytes(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]


def test_it_is_what_is_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "heads").mkdir()
    (tmp_path / "heads" / "heads.safetensors").write_bytes(b"h" * 513)
    (tmp_path / "config.json").write_bytes(b"")
    (tmp_path / "README.md").write_text("an old one")
    archive = Archive(tmp_path, "m-1", {"README.md": "# Grüße"}, 1_700_000_000)
    data = b"".join(archive)
    assert len(data) == archive.length
    assert names_and_bytes(data) == {
        "m-1/config.json": b"",
        "m-1/heads/heads.safetensors": b"h" * 513,
        "m-1/README.md": "# Grüße".encode(),
    }


def test_a_long_name_is_kept(tmp_path: Path) -> None:
    name = "x" * 200 + "é.bin"
    (tmp_path / name).write_bytes(b"1")
    archive = Archive(tmp_path, "m", {}, 0)
    data = b"".join(archive)
    assert len(data) == archive.length
    assert names_and_bytes(data) == {f"m/{name}": b"1"}


def test_it_is_not_held_in_memory(tmp_path: Path) -> None:
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.truncate(64 * CHUNK)  # a hole: no disk is used
    tracemalloc.start()
    archive = Archive(tmp_path, "m", {}, 0)
    sent = sum(len(piece) for piece in archive)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sent == archive.length > 64 * CHUNK
    assert peak < 4 * CHUNK


def test_a_file_that_shrinks_meanwhile_breaks_off(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"1234")
    archive = Archive(tmp_path, "m", {}, 0)
    (tmp_path / "model.safetensors").write_bytes(b"12")
    with pytest.raises(OSError, match="had 4 bytes and now has 2"):
        list(archive)


@pytest.mark.django_db
def test_the_download(rosa: Client, history: History) -> None:
    response = rosa.get(reverse("checkpoint-download", args=[history.ppo.pk]))
    data = response.getvalue()
    assert int(response["Content-Length"]) == len(data)
    top = f"ppo-{history.ppo.pk}"
    files = names_and_bytes(data)
    assert set(files) == {f"{top}/{n}" for n in ("config.json", "model.safetensors", "README.md", "lineage.json")}
    assert files[f"{top}/model.safetensors"] == b"w" * 1000
    assert json.loads(files[f"{top}/lineage.json"])["checkpoint"] == history.ppo.pk
    assert history.first.pseudonym.encode() not in data  # what leaves the house has counts alone


@pytest.mark.django_db
def test_a_hub_id_has_nothing_to_download(rosa: Client) -> None:
    row = Checkpoint.objects.create(name="hub", kind="policy", path="EleutherAI/pythia-160m")
    response = rosa.get(reverse("checkpoint-download", args=[row.pk]))
    assert response.status_code == 409
    assert "nothing to download" in response.content.decode()
    assert "nothing to download" in rosa.get(reverse("checkpoint-detail", args=[row.pk])).content.decode()
