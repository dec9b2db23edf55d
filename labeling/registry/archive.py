"""A checkpoint as one file to take along: a .tar that is made while it is sent, so that nothing is held in memory.

A tar and not a zip: its length is known beforehand, so a browser shows how far it is and notices one that broke off.
"""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CHUNK = 1 << 20
BLOCK = tarfile.BLOCKSIZE


class Entry(NamedTuple):
    """A file of the archive: lying on the disk, or made here."""

    name: str
    source: Path | bytes
    size: int
    modified: int  # seconds since the epoch


class Archive:
    """`length` bytes; iterating sends them in pieces of at most CHUNK."""

    def __init__(self, folder: Path, top: str, made: dict[str, str], modified: int) -> None:
        """All files of `folder` below the name `top`, in the order of their names, and then the `made` texts by their
        names. A made text takes the place of a file of the same name."""
        self.entries = [
            Entry(f"{top}/{path.relative_to(folder)}", path, path.stat().st_size, int(path.stat().st_mtime))
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.is_symlink() and str(path.relative_to(folder)) not in made
        ]
        texts = {name: text.encode() for name, text in made.items()}
        self.entries += [Entry(f"{top}/{name}", text, len(text), modified) for name, text in texts.items()]

    @property
    def length(self) -> int:
        """Of the whole archive, in bytes."""
        return sum(len(_header(entry)) + entry.size + _padding(entry.size) for entry in self.entries) + 2 * BLOCK

    def __iter__(self) -> Iterator[bytes]:
        """Raises OSError where a file is gone or has changed: the receiver sees that the archive is not whole."""
        for entry in self.entries:
            yield _header(entry)
            sent = 0
            with _open(entry.source) as file:
                while piece := file.read(CHUNK):
                    sent += len(piece)
                    yield piece
            if sent != entry.size:
                raise OSError(f"{entry.name} had {entry.size} bytes and now has {sent}.")
            yield b"\0" * _padding(entry.size)
        yield b"\0" * (2 * BLOCK)


def _open(source: Path | bytes) -> "io.BufferedReader | io.BytesIO":
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def _header(entry: Entry) -> bytes:
    info = tarfile.TarInfo(entry.name)
    info.size, info.mtime, info.mode = entry.size, entry.modified, 0o644
    return info.tobuf(tarfile.PAX_FORMAT)


def _padding(size: int) -> int:
    return -size % BLOCK
