"""Topics are named by people and known by a slug."""

import pytest

from labeling.errors import BadInput, Conflict
from labeling.models import Topic
from labeling.topics.edit import add, describe

pytestmark = pytest.mark.django_db


def test_a_topic_is_added_under_a_slug_of_its_name() -> None:
    topic = add("  War & peace ", "Battles, and what comes after.")
    assert (topic.slug, topic.name, topic.description) == ("war-peace", "War & peace", "Battles, and what comes after.")


def test_describing_keeps_the_slug() -> None:
    describe(add("War", "Battles."), "War and peace", "Battles and treaties.")
    topic = Topic.objects.get()
    assert (topic.slug, topic.name, topic.description) == ("war", "War and peace", "Battles and treaties.")


@pytest.mark.parametrize("name", ["War", "war", "War!"])
def test_a_name_is_there_once(name: str) -> None:
    add("War", "Battles.")
    with pytest.raises(Conflict, match="already"):
        add(name, "Other.")
    assert Topic.objects.get().description == "Battles."


def test_a_topic_does_not_take_anothers_name() -> None:
    add("War", "Battles.")
    peace = add("Peace", "Treaties.")
    with pytest.raises(Conflict, match="another topic"):
        describe(peace, "War", "Treaties.")
    peace.refresh_from_db()
    assert peace.name == "Peace"


@pytest.mark.parametrize(
    ("name", "description"),
    [("", "x"), ("War", " "), ("x" * 61, "x"), ("War", "x" * 301), ("戦争", "x"), ("W\0r", "x"), ("W\ud800r", "x")],
)
def test_what_is_no_topic_is_refused(name: str, description: str) -> None:
    with pytest.raises(BadInput):
        add(name, description)
    assert not Topic.objects.exists()
