"""The guide for labelers: docs/labeler-guide.md, cut into texts and pictures; texts on our pages load no images."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

DOCS: Path = settings.BASE_DIR / "docs"
PICTURE = re.compile(r"^!\[([^\]]*)\]\(screenshots/([\w-]+)\.png\)$", re.MULTILINE)


@dataclass(frozen=True)
class Part:
    """A stretch of Markdown, or a picture by its name with what it shows in words."""

    text: str
    picture: str = ""


def parts() -> list[Part]:
    """The guide without its title; nothing where Podium was installed without its documents."""
    path = DOCS / "labeler-guide.md"
    if not path.is_file():
        return []
    _, _, text = path.read_text(encoding="utf-8").partition("\n")
    return list(_cut(text))


def picture(name: str) -> Path | None:
    """The file of one of the guide's pictures. They are made by a command, so one may not be there."""
    path = DOCS / "screenshots" / f"{name}.png"
    return path if re.fullmatch(r"[\w-]+", name) and path.is_file() else None


def _cut(text: str) -> Iterator[Part]:
    pieces = PICTURE.split(text)  # text, words, name, text, words, name, …, text
    yield Part(pieces[0])
    for words, name, following in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        if picture(name):
            yield Part(words, name)
        yield Part(following)
