"""Sensitive topics, by any of their names."""

from typing import Any

import pytest

from labeling.errors import BadInput
from labeling.models import Prompt, Topic
from labeling.prompts import topics
from labeling.prompts.intake import take_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def two_topics() -> None:
    Topic.objects.create(slug="violence", name="Violence", description="Fights.")
    Topic.objects.create(slug="illness", name="Illness and death", description="Diseases.")


@pytest.mark.parametrize(
    ("value", "slugs"),
    [
        (None, []),
        ("", []),
        (" , ", []),
        ([], []),
        ("violence", ["violence"]),
        ("Illness and Death, VIOLENCE,illness", ["illness", "violence"]),
        (["illness", "Violence"], ["illness", "violence"]),
    ],
)
def test_topics_are_read_by_slug_and_by_name(value: Any, slugs: list[str]) -> None:
    assert take_in([{"prompt": "x", "topics": value}], source="test").added == 1
    assert Prompt.objects.get().topics == slugs


def test_an_unknown_topic_is_refused_with_the_known_ones() -> None:
    intake = take_in([{"prompt": "x", "topics": "violence, cats"}], source="test")
    assert [refusal.sentence for refusal in intake.refused] == ["The topic “cats” is unknown; use illness, violence."]
    assert not Prompt.objects.exists()


@pytest.mark.parametrize("value", [7, {"violence": True}, [None], [["violence"]]])
def test_what_is_no_list_of_topics(value: Any) -> None:
    with pytest.raises(BadInput, match="neither a list of names nor a text"):
        topics.read(value, topics.by_any_name())


def test_names_are_what_people_read() -> None:
    assert topics.names_of(["illness", "gone"]) == ["Illness and death", "gone"]


def test_a_new_installation_begins_with_some_topics() -> None:
    Topic.objects.all().delete()
    assert {"sex", "violence", "self-harm"} <= {topic.slug for topic in topics.known()}
    Topic.objects.exclude(slug="sex").delete()
    assert [topic.slug for topic in topics.known()] == ["sex"]
