"""The language of a text. The samples are sentences that anybody can look up."""

import subprocess
import sys
import time

import pytest

from labeling.demonstrations.language import name_of, recognize


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("All human beings are born free and equal in dignity and rights.", "en"),
        ("Alle Menschen sind frei und gleich an Würde und Rechten geboren.", "de"),
        ("Tous les êtres humains naissent libres et égaux en dignité et en droits.", "fr"),
        ("Todos los seres humanos nacen libres e iguales en dignidad y derechos.", "es"),
        ("יולדו כל בני האדם בני חורין ושווים בערכם ובזכויותיהם.", "he"),
        ("すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。", "ja"),
        ("人人生而自由,在尊严和权利上一律平等。他们赋有理性和良心", "zh"),
    ],
)
def test_a_sentence_of_the_declaration_of_human_rights(text: str, code: str) -> None:
    assert recognize(text) == code


@pytest.mark.parametrize("text", ["", "Hello.", "  short words \n" + " " * 40, "こんにちは"])
def test_a_short_text_is_no_sign(text: str) -> None:
    assert recognize(text) == ""


@pytest.mark.parametrize("text", ["a\0b" * 20, "\ud800" * 30, "👩🏽‍🔬" * 30, "1234567890" * 3, "\n" * 30 + "x" * 30])
def test_any_text_at_all_is_survived(text: str) -> None:
    assert isinstance(recognize(text), str)


def test_a_huge_text_takes_no_longer() -> None:
    recognize("The model is loaded by this sentence.")
    start = time.perf_counter()
    assert recognize("The quick brown fox jumps over the lazy dog. " * 200_000) == "en"
    assert time.perf_counter() - start < 0.2


@pytest.mark.parametrize(("code", "name"), [("en", "English"), ("de", "German"), ("zh", "Chinese"), ("gcf", "gcf")])
def test_a_language_has_a_name(code: str, name: str) -> None:
    assert name_of(code) == name


def test_nothing_is_loaded_before_it_is_needed() -> None:
    code = (
        "import sys, labeling.demonstrations.language as language;"
        "language.recognize('short'); print('py3langid' in sys.modules);"
        "language.recognize('Long enough to be recognized.'); print('py3langid' in sys.modules)"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.split() == ["False", "True"]
