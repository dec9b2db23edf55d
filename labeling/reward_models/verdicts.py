"""Say who is right where a reward model contradicts a labeler; and unsay it. Every word is kept.

A word names the revision that was on the page, and (model, ranking, revision) is unique: of two words at the same
moment one is stored, the other is told so.
"""

from django.db import IntegrityError, transaction

from labeling.errors import BadInput, Conflict
from labeling.labelers.models import User
from labeling.reward_models.contradictions import Contradiction
from labeling.reward_models.models import Verdict
from training.models import Checkpoint

MOVED_ON = "Somebody has said something of this item since you opened the page. Look at it, then say yours."


def say(user: User, checkpoint: Checkpoint, one: Contradiction, word: str, *, base: int) -> Verdict:
    """Store a word. `base`: the revision on the page, 0 where there was none. Raises BadInput for a word that is none,
    Conflict where somebody came first."""
    if word not in Verdict.Word.values:
        raise BadInput(f"A verdict is one of {', '.join(Verdict.Word.values)}; “{word[:40]}” is none.")
    there = Verdict.objects.filter(checkpoint=checkpoint, ranking_id=one.ranking).order_by("-revision").first()
    if (there.revision if there else 0) != base:
        raise Conflict(MOVED_ON)
    if there is None and word == Verdict.Word.OPEN:
        raise Conflict("Nothing was said of this item that could be taken back.")
    try:
        with transaction.atomic():
            return Verdict.objects.create(
                checkpoint=checkpoint,
                ranking_id=one.ranking,
                revision=base + 1,
                preferred_id=one.preferred,
                other_id=one.other,
                word=word,
                made_by=user,
            )
    except IntegrityError:
        raise Conflict(MOVED_ON) from None


def holding(checkpoint: Checkpoint) -> dict[int, Verdict]:
    """By ranking, the word that holds; one that was taken back is among them, for its revision."""
    words = Verdict.objects.filter(checkpoint=checkpoint).select_related("made_by").order_by("ranking", "revision")
    return {word.ranking_id: word for word in words}
