"""Reading text the way the judge reads it: words, sentences, simple questions about them."""

import re

WORD = re.compile(r"[A-Za-z]+|[0-9]+|[^\sA-Za-z0-9]")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def words(text: str) -> list[str]:
    """Lower-case words and single marks: 'A fox.' is ['a', 'fox', '.']."""
    return WORD.findall(text.lower())


def letters(text: str) -> list[str]:
    """Only the words, without marks."""
    return [word for word in words(text) if word.isalnum()]


def sentences(text: str) -> list[str]:
    return [part for part in SENTENCE_END.split(text.strip()) if part]


def plain(text: str) -> str:
    """Words only, lower case, one blank between them: what two spellings of one answer have in common."""
    return " ".join(letters(text))


def contains(text: str, phrase: str) -> bool:
    """Whether the words of `phrase` occur in `text` next to each other."""
    return f" {plain(phrase)} " in f" {plain(text)} "
