"""What a researcher writes into a model card: each saving is a row, and nobody overwrites what they have not read."""

from django.db import IntegrityError, transaction

from labeling.errors import BadInput, Conflict
from labeling.labelers.models import User
from labeling.registry.models import CardText
from labeling.texts import clean
from training.models import Checkpoint

LONGEST = 20_000


def save(checkpoint: Checkpoint, user: User, text: str, base: int) -> CardText:
    """The text as it holds from now on; `base` is the revision that it was written from, 0 for the first.

    Raises BadInput for what no text may contain, Conflict where somebody else has saved meanwhile.
    """
    said = clean(text, "The text") if text.strip() else ""
    if len(said) > LONGEST:
        raise BadInput(f"The text has {len(said):,} characters; at most {LONGEST:,} are taken.")
    latest = CardText.objects.filter(checkpoint=checkpoint).first()
    if latest and latest.revision == base and latest.text == said:
        return latest
    if (latest.revision if latest else 0) != base:
        raise Conflict("Somebody else has saved this text meanwhile; yours is below, theirs is the one on the card.")
    try:
        with transaction.atomic():
            return CardText.objects.create(checkpoint=checkpoint, revision=base + 1, text=said, written_by=user)
    except IntegrityError:  # `card_revision_once`
        raise Conflict("Somebody else has saved this text at this moment; look at theirs first.") from None
