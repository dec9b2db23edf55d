"""Sensitive topics: which there are, and how a row of prompts names them."""

from collections.abc import Iterable, Mapping
from typing import Any

from labeling.errors import BadInput
from labeling.prompts.models import Topic

# What the labelers of the paper were asked to say they are fine with, or not (Ouyang et al. 2022, App. B.1).
FIRST = [
    ("sex", "Sexual content", "It is about sex, or describes people in a sexual way."),
    ("violence", "Violence and injury", "Fights, weapons, wounds, cruelty to people or animals."),
    ("self-harm", "Self-harm and suicide", "Hurting or killing oneself, eating disorders."),
    ("abuse", "Abuse", "Violence or coercion in families and partnerships, or against children."),
    ("hate", "Hatred of groups", "Slurs, contempt or threats for origin, religion, gender, sexuality or disability."),
    ("terror", "Terror and extremism", "Attacks, propaganda, recruiting."),
    ("drugs", "Drugs and addiction", "Taking, making or selling them, and what they do to people."),
    ("illness", "Illness and death", "Serious diseases, dying, grief."),
    ("politics", "Politics and religion", "Parties, elections, wars of our days, questions of faith."),
]


def known() -> list[Topic]:
    """All topics by name; on a new installation the first ones, which are made then."""
    topics = list(Topic.objects.all())
    if not topics:
        first = [Topic(slug=slug, name=name, description=description) for slug, name, description in FIRST]
        Topic.objects.bulk_create(first, ignore_conflicts=True)
        topics = list(Topic.objects.all())
    return topics


def names_of(slugs: Iterable[str]) -> list[str]:
    """What people call these topics; a topic that is gone keeps its slug."""
    wanted = list(slugs)
    if not wanted:
        return []
    names = dict(Topic.objects.filter(pk__in=wanted).values_list("slug", "name"))
    return [names.get(slug, slug) for slug in wanted]


def by_any_name() -> dict[str, str]:
    """Slugs by the lower-case slugs and names of the known topics."""
    return {word.lower(): topic.slug for topic in known() for word in (topic.slug, topic.name)}


def read(value: Any, slugs: Mapping[str, str]) -> list[str]:
    """The slugs that a row's `topics` name, a list or a text with commas; `slugs` is `by_any_name`.

    Raises BadInput for a topic that is unknown.
    """
    words = value.split(",") if isinstance(value, str) else [] if value is None else value
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise BadInput("The field “topics” is neither a list of names nor a text with commas between them.")
    wanted = [word.strip() for word in words if word.strip()]
    for word in wanted:
        if word.lower() not in slugs:
            raise BadInput(f"The topic “{word[:60]}” is unknown; use {', '.join(sorted(set(slugs.values())))}.")
    return list(dict.fromkeys(slugs[word.lower()] for word in wanted))
