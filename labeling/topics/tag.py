"""Tagging many prompts at once, by the words they contain."""

import re
from uuid import UUID

from django.db import transaction
from django.db.models import F, Func, QuerySet, Value

from labeling.errors import BadInput
from labeling.prompts.models import Prompt
from labeling.texts import clean

MAX_PHRASES = 200
CHUNK = 10_000
# From Thai on, scripts write without spaces, or hang endings onto words: there is no end of a word to look for.
FIRST_WITHOUT_SPACES = "\u0e00"


def phrases_in(words: str) -> list[str]:
    """What stands between commas and line ends, once each. Raises BadInput where nothing does, or too much."""
    parts = (" ".join(part.split()) for part in re.split(r"[,\n]", clean(words, "The list of words")))
    phrases = list(dict.fromkeys(part for part in parts if part))
    if not phrases:
        raise BadInput("The list of words has nothing but commas in it.")
    if len(phrases) > MAX_PHRASES:
        raise BadInput(f"{len(phrases):,} words and phrases are too many at once; take at most {MAX_PHRASES}.")
    return phrases


def containing(phrases: list[str]) -> QuerySet[Prompt]:
    """Prompts with at least one of these words or phrases, as whole words, in capitals or not."""
    return Prompt.objects.filter(text__iregex="|".join(_pattern(phrase) for phrase in phrases))


def _pattern(phrase: str) -> str:
    r"""In PostgreSQL's regular expressions, where \y is the edge of a word and all else that is escaped stands for
    itself."""
    words = r"\s+".join(re.escape(word) for word in phrase.split())
    before, after = (r"\y" if _has_edge(character) else "" for character in (phrase[0], phrase[-1]))
    return f"{before}{words}{after}"


def _has_edge(character: str) -> bool:
    return character.isalnum() and character < FIRST_WITHOUT_SPACES


def carrying(prompts: QuerySet[Prompt], slug: str) -> QuerySet[Prompt]:
    """Those of the prompts that are tagged with this topic."""
    return prompts.filter(topics__contains=[slug])


def tag(prompts: QuerySet[Prompt], slug: str) -> list[UUID]:
    """Tag those that are not; which ones changed. The caller tells the queue (`dispatch.retopic`)."""
    return _change(prompts.exclude(topics__contains=[slug]), slug, "array_append")


def untag(prompts: QuerySet[Prompt], slug: str) -> list[UUID]:
    """Take the tag off those that have it; which ones changed."""
    return _change(carrying(prompts, slug), slug, "array_remove")


def _change(prompts: QuerySet[Prompt], slug: str, function: str) -> list[UUID]:
    changed = Func(F("topics"), Value(slug), function=function)
    with transaction.atomic():
        # Locked, so that two people who tag the same prompts at the same time do not tag them twice.
        ids = list(prompts.order_by("pk").select_for_update().values_list("pk", flat=True))
        for start in range(0, len(ids), CHUNK):  # a statement takes 65,535 parameters
            Prompt.objects.filter(pk__in=ids[start : start + CHUNK]).update(topics=changed)
    return ids
