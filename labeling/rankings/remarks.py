"""What a labeler says beside the order: of each answer alone, and of the order as a whole. Pure: values in and out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from labeling.errors import BadInput
from labeling.rankings.cards import Card
from labeling.rubrics.models import Rubric
from labeling.texts import clean

RATINGS = range(1, 8)  # 1 is worst, 7 best (Ouyang et al. 2022, §3.6)
MAX_SPANS = 50  # passages of one answer; more is a script gone wild


class Span(TypedDict):
    """A passage of an answer's text that a flag points at: characters `start` up to, not including, `end`."""

    flag: str
    start: int
    end: int


@dataclass(frozen=True)
class Remarks:
    """Keys of the mappings are card numbers; flags and reasons are keys of the rubric's questions."""

    ratings: Mapping[int, int] = field(default_factory=dict)
    flags: Mapping[int, Sequence[str]] = field(default_factory=dict)
    spans: Mapping[int, Sequence[Span]] = field(default_factory=dict)
    none_acceptable: bool = False
    reasons: Sequence[str] = ()
    rationale: str = ""


def check(remarks: Remarks, rubric: Rubric, shown: Sequence[Card]) -> Remarks:
    """The remarks, tidied. Raises BadInput where they answer what the rubric does not ask, or miss what it does."""
    texts = {card.number: card.text for card in shown}
    for number in {*remarks.ratings, *remarks.flags, *remarks.spans} - set(texts):
        raise BadInput(f"There is no card {number} here; the cards are 1 to {len(texts)}.")
    _check_ratings(remarks.ratings, rubric, texts)
    asked = [question["key"] for question in rubric.flags]
    flags = {number: _chosen(asked, keys, "flag") for number, keys in remarks.flags.items()}
    for number, spans in remarks.spans.items():
        _check_spans(number, spans, flags.get(number, []), len(texts[number]))
    return Remarks(
        ratings=remarks.ratings,
        flags=flags,
        spans=remarks.spans,
        none_acceptable=remarks.none_acceptable,
        reasons=_chosen([reason["key"] for reason in rubric.reasons], remarks.reasons, "reason"),
        rationale=clean(remarks.rationale, "What you wrote about the order") if remarks.rationale.strip() else "",
    )


def moved(span: Span, characters: int) -> Span:
    """The passage where the text begins so many characters later."""
    return Span(flag=span["flag"], start=max(0, span["start"] + characters), end=span["end"] + characters)


def _check_ratings(ratings: Mapping[int, int], rubric: Rubric, texts: Mapping[int, str]) -> None:
    if ratings and rubric.ratings == Rubric.Ratings.OFF:
        raise BadInput("Ratings are not asked for here.")
    for number, rating in ratings.items():
        if rating not in RATINGS:
            raise BadInput(f"Card {number} has the rating {rating}; ratings go from 1 (worst) to 7 (best).")
    missing = sorted(set(texts) - set(ratings))
    if missing and rubric.ratings == Rubric.Ratings.REQUIRED:
        raise BadInput(f"Please rate every answer from 1 to 7; card {missing[0]} has no rating yet.")


def _check_spans(number: int, spans: Sequence[Span], flags: Sequence[str], length: int) -> None:
    if len(spans) > MAX_SPANS:
        raise BadInput(f"Card {number} has {len(spans)} marked passages; at most {MAX_SPANS} are taken.")
    for span in spans:
        if span["flag"] not in flags:
            raise BadInput(f"A passage of card {number} is marked for a flag that is not set there.")
        if not 0 <= span["start"] < span["end"] <= length:
            raise BadInput(f"A marked passage of card {number} lies outside of its text.")


def _chosen(asked: Sequence[str], keys: Sequence[str], what: str) -> list[str]:
    """The keys once each, in the order they are asked in."""
    if unknown := set(keys) - set(asked):
        raise BadInput(f"There is no {what} “{min(unknown)}” among those on the page.")
    return [key for key in asked if key in keys]
