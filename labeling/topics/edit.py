"""Adding topics and saying what they are. A slug never changes: prompts, items and labelers' wishes carry it."""

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from labeling.errors import BadInput, Conflict
from labeling.prompts.models import Topic
from labeling.texts import clean

NAME, DESCRIPTION = 60, 300


def add(name: str, description: str) -> Topic:
    """A new topic. Raises BadInput for a text that is empty or too long, Conflict for a name that is taken."""
    name, description = _checked(name, description)
    slug = slugify(name)[:50]
    if not slug:
        raise BadInput("The name needs some Latin letters or digits: its short form is made of them.")
    try:
        with transaction.atomic():
            return Topic.objects.create(slug=slug, name=name, description=description)
    except IntegrityError:
        raise Conflict(f"There is a topic “{name}” already, or one that is written nearly like it.") from None


def describe(topic: Topic, name: str, description: str) -> None:
    """Other words for the same topic. Raises BadInput, or Conflict for a name that another topic has."""
    topic.name, topic.description = _checked(name, description)
    try:
        with transaction.atomic():
            topic.save(update_fields=["name", "description"])
    except IntegrityError:
        raise Conflict(f"There is another topic “{name}” already.") from None


def _checked(name: str, description: str) -> tuple[str, str]:
    name, description = clean(name, "The name"), clean(description, "The description")
    if len(name) > NAME or len(description) > DESCRIPTION:
        raise BadInput(f"A name has at most {NAME} characters, a description {DESCRIPTION}.")
    return name, description
