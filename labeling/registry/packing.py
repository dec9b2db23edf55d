"""What goes into a checkpoint's download: its folder, its card and its lineage."""

import json

from django.utils import timezone
from django.utils.text import slugify

from labeling.errors import Conflict
from labeling.registry import card, card_facts
from labeling.registry.archive import Archive
from training.models import Checkpoint
from training.runs.weights import folder_of


def packed(checkpoint: Checkpoint) -> Archive:
    """Raises Conflict where no weights of it lie on this machine, with the reason."""
    folder = folder_of(checkpoint)
    if checkpoint.weights_deleted_at:
        raise Conflict(f"Its weights were deleted on {checkpoint.weights_deleted_at:%d %B %Y}; there is nothing left.")
    if folder is None:
        raise Conflict(f"There is nothing to download: the weights are not on this machine ({checkpoint.path}).")
    facts = card_facts.of(checkpoint)
    made = {
        "README.md": card.readme(facts),
        "lineage.json": json.dumps(facts.lineage, indent=1, ensure_ascii=False),
    }
    top = f"{slugify(checkpoint.name) or 'checkpoint'}-{checkpoint.pk}"
    return Archive(folder, top, made, int(timezone.now().timestamp()))
