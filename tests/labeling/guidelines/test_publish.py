"""Versions of the guidelines."""

import pytest

from labeling.errors import BadInput, Conflict
from labeling.guidelines.publish import current, ensure_first, publish
from labeling.models import Guideline, Purpose

pytestmark = pytest.mark.django_db


def test_a_new_installation_has_a_first_version_for_each_purpose() -> None:
    training, evaluation = current(Purpose.TRAINING), current(Purpose.EVALUATION)
    assert (training.version, evaluation.version) == (1, 1)
    ensure_first()
    assert Guideline.objects.count() == 2


def test_what_comes_first_depends_on_the_purpose() -> None:
    """Ouyang et al. 2022, §3.4: helpfulness in training, truthfulness and harmlessness in evaluation."""
    training, evaluation = current(Purpose.TRAINING).body, current(Purpose.EVALUATION).body
    assert training.index("**Helpful.**") < training.index("**Truthful.**") < training.index("**Harmless.**")
    assert evaluation.index("**Truthful.**") < evaluation.index("**Harmless.**") < evaluation.index("**Helpful.**")
    assert "Ties are welcome" in training
    assert "Ties are welcome" in evaluation


def test_publishing_makes_the_next_version_and_keeps_the_earlier_one() -> None:
    first = current(Purpose.TRAINING)
    second = publish(Purpose.TRAINING, "Better", "Be kind.")
    assert (second.version, current(Purpose.TRAINING), current(Purpose.EVALUATION).version) == (2, second, 1)
    first.refresh_from_db()
    assert first.body.startswith("You help to teach a language model")


def test_an_empty_guideline_is_refused() -> None:
    with pytest.raises(BadInput, match="The guideline is empty"):
        publish(Purpose.TRAINING, "Title", "  ")


def test_an_unchanged_guideline_is_refused() -> None:
    first = current(Purpose.TRAINING)
    with pytest.raises(BadInput, match="Nothing has changed"):
        publish(Purpose.TRAINING, first.title, f"\n{first.body}\n\n")
    publish(Purpose.TRAINING, "Another title", first.body)
    assert current(Purpose.TRAINING).version == 2


def test_what_somebody_else_has_published_meanwhile_is_not_passed_over() -> None:
    current(Purpose.TRAINING)
    publish(Purpose.TRAINING, "Mine", "Mine.", after=1)
    with pytest.raises(Conflict, match="version 2 meanwhile"):
        publish(Purpose.TRAINING, "Theirs", "Theirs.", after=1)
    assert current(Purpose.TRAINING).title == "Mine"


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b", "x" * 20_001])
def test_a_text_that_cannot_be_stored_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        publish(Purpose.TRAINING, "Title", text)
    assert not Guideline.objects.exists()
