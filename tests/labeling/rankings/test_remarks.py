"""What is said beside the order, held against the rubric."""

import pytest

from labeling.errors import BadInput
from labeling.models import Rubric
from labeling.rankings.cards import Card
from labeling.rankings.remarks import Remarks, Span, check, moved

CARDS = [Card(1, "The moon is green.", (11,), (0,)), Card(2, "月", (12, 13), (0, 2))]


def rubric(ratings: str = "optional") -> Rubric:
    questions = [{"key": key, "label": key, "definition": key} for key in ("made-up", "rude")]
    return Rubric(version=1, ratings=ratings, flags=questions, reasons=[{"key": "safer", "label": "Safer"}])


def span(flag: str = "made-up", start: int = 0, end: int = 3) -> Span:
    return {"flag": flag, "start": start, "end": end}


def test_nothing_needs_to_be_said() -> None:
    assert check(Remarks(), rubric(), CARDS) == Remarks(reasons=[])


def test_all_that_fits_is_kept_flags_in_the_rubrics_order() -> None:
    said = Remarks(
        ratings={1: 1, 2: 7},
        flags={1: ["rude", "made-up", "rude"]},
        spans={1: [span("made-up", 12, 18)]},
        none_acceptable=True,
        reasons=["safer"],
        rationale="  Green?\r\nNo. ",
    )
    kept = check(said, rubric(), CARDS)
    assert kept.flags == {1: ["made-up", "rude"]}
    assert (kept.ratings, kept.spans, kept.reasons) == (said.ratings, said.spans, ["safer"])
    assert kept.rationale == "Green?\nNo."
    assert kept.none_acceptable


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (Remarks(ratings={3: 1}), "There is no card 3"),
        (Remarks(flags={0: ["rude"]}), "There is no card 0"),
        (Remarks(spans={9: [span()]}), "There is no card 9"),
        (Remarks(ratings={1: 8}), "Card 1 has the rating 8"),
        (Remarks(ratings={1: 0}), "Card 1 has the rating 0"),
        (Remarks(flags={1: ["invented"]}), "There is no flag “invented”"),
        (Remarks(reasons=["because"]), "There is no reason “because”"),
        (Remarks(spans={1: [span()]}), "marked for a flag that is not set"),
        (Remarks(flags={1: ["rude"]}, spans={1: [span("made-up")]}), "marked for a flag that is not set"),
        (Remarks(flags={1: ["rude"]}, spans={1: [span("rude", 0, 19)]}), "outside of its text"),
        (Remarks(flags={1: ["rude"]}, spans={1: [span("rude", -1, 2)]}), "outside of its text"),
        (Remarks(flags={1: ["rude"]}, spans={1: [span("rude", 3, 3)]}), "outside of its text"),
        (Remarks(flags={2: ["rude"]}, spans={2: [span("rude", 0, 2)]}), "outside of its text"),
        (Remarks(flags={1: ["rude"]}, spans={1: [span("rude")] * 51}), "at most 50"),
        (Remarks(rationale="\0"), "NUL"),
        (Remarks(rationale="\ud83d"), "half of a character"),
        (Remarks(rationale="x" * 20_001), "20,001 characters"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(said: Remarks, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        check(said, rubric(), CARDS)


def test_ratings_are_asked_as_the_rubric_says() -> None:
    with pytest.raises(BadInput, match="card 2 has no rating"):
        check(Remarks(ratings={1: 4}), rubric("required"), CARDS)
    with pytest.raises(BadInput, match="not asked for"):
        check(Remarks(ratings={1: 4}), rubric("off"), CARDS)
    assert check(Remarks(ratings={1: 4, 2: 4}), rubric("required"), CARDS).ratings == {1: 4, 2: 4}


def test_a_passage_moves_with_its_text_and_never_before_it() -> None:
    assert moved(span(start=2, end=5), 3) == span(start=5, end=8)
    assert moved(span(start=1, end=5), -2) == span(start=0, end=3)
