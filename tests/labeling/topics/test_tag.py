"""Tagging prompts by the words they contain."""

import pytest

from labeling.errors import BadInput
from labeling.models import Prompt
from labeling.prompts.intake import take_in
from labeling.topics.tag import carrying, containing, phrases_in, tag, untag

pytestmark = pytest.mark.django_db


def texts(*texts: str) -> None:
    assert take_in([{"prompt": text} for text in texts], source="test").added == len(texts)


def found(words: str) -> set[str]:
    return set(containing(phrases_in(words)).values_list("text", flat=True))


def test_whole_words_are_found_in_capitals_or_not() -> None:
    texts("He has a gun.", "GUN laws", "It has begun.", "guns", "A gun-shop")
    assert found("gun") == {"He has a gun.", "GUN laws", "A gun-shop"}
    assert found("gun, guns") == {"He has a gun.", "GUN laws", "A gun-shop", "guns"}


def test_phrases_are_found_across_line_ends() -> None:
    texts("They shot\n  him down.", "They shot at him.")
    assert found("shot him") == {"They shot\n  him down."}


@pytest.mark.parametrize("words", ["c++", "(a|b)", "50%", "a.b", "[x]", "back\\slash", "$5", "^", "a*"])
def test_signs_stand_for_themselves(words: str) -> None:
    texts(f"Before {words} after.", "Before axb after: cc, a, b, 50, x, backslash, 5.")
    assert found(words) == {f"Before {words} after."}


def test_scripts_without_spaces_are_searched_inside() -> None:
    texts("これは暴力の話です。", "平和の話です。")
    assert found("暴力") == {"これは暴力の話です。"}


def test_tagging_and_taking_it_off_again() -> None:
    texts("A war.", "A fight.", "A flower.")
    Prompt.objects.filter(text="A fight.").update(topics=["violence", "sports"])
    prompts = containing(["war", "fight"])
    assert carrying(prompts, "violence").get().text == "A fight."
    assert tag(prompts, "violence") == [Prompt.objects.get(text="A war.").pk]
    assert tag(prompts, "violence") == []
    assert dict(Prompt.objects.values_list("text", "topics")) == {
        "A war.": ["violence"],
        "A fight.": ["violence", "sports"],
        "A flower.": [],
    }
    assert len(untag(prompts, "violence")) == 2
    assert Prompt.objects.get(text="A fight.").topics == ["sports"]


def test_words_are_read_once_each() -> None:
    assert phrases_in(" war ,fight\n\nwar,  old   feud,") == ["war", "fight", "old feud"]


@pytest.mark.parametrize(
    "words", ["", " , \n,", "a\0b", "a\ud800", ",".join(f"w{n}" for n in range(201)), "x" * 20_001]
)
def test_what_is_no_list_of_words_is_refused(words: str) -> None:
    with pytest.raises(BadInput):
        phrases_in(words)
