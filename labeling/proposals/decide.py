"""A researcher's look at what labelers proposed: it becomes prompts, or it does not. Either is recorded once."""

from django.db import transaction
from django.utils import timezone

from labeling.errors import BadInput, Conflict
from labeling.labelers.models import User
from labeling.prompts.intake import digest_of, take_in
from labeling.prompts.models import Prompt
from labeling.prompts.provenance import LABELER
from labeling.proposals.models import Proposal
from labeling.proposals.render import as_texts
from labeling.texts import clean

# The paper's cap is for users, who repeat themselves (§3.2); a labeler writes as many as are asked for.
NO_CAP = 1_000_000
NOTE = 500


def take(
    proposal: Proposal,
    researcher: User,
    *,
    use_case: str,
    split: str = "",
    text: str = "",
    version: int | None = None,
) -> list[Prompt]:
    """Make it prompts (of K pairs K prompts), with other words or another use case where the researcher says so.

    Without a split it goes where its labeler's prompts are: one owner stays in one split. `version`, how often it had
    been corrected when the researcher looked, guards against a correction that came since. Raises Conflict for that
    and where it was decided before, BadInput for words that cannot be a prompt or are one already.
    """
    with transaction.atomic():
        row = _waiting(proposal)
        if version is not None and version != len(row.earlier):
            raise Conflict("Its labeler has corrected it since you looked. Here is how it reads now.")
        texts = [clean(words, "The prompt") for words in as_texts(text or row.text, row.pairs)]
        fields = {"use_case": use_case, "split": split, "owner": row.labeler.pseudonym}
        intake = take_in([{"prompt": words, **fields} for words in texts], source=LABELER, cap_per_owner=NO_CAP)
        if intake.refused:
            raise BadInput(intake.refused[0].sentence)
        if intake.duplicates:
            raise BadInput("There is such a prompt already. Change the words, or refuse this one.")
        prompts = list(Prompt.objects.filter(digest__in=[digest_of(words) for words in texts]))
        row.prompts.set(prompts)
        _record(row, researcher, Proposal.State.TAKEN)
    return prompts


def refuse(proposal: Proposal, researcher: User, note: str) -> None:
    """Decide that it does not become a prompt; the labeler reads the note. Raises Conflict where it was decided
    before, BadInput for a note that is missing or too long."""
    if not note.strip():
        raise BadInput("Please tell the labeler in a sentence why you do not use it.")
    note = clean(note, "The note")
    if len(note) > NOTE:
        raise BadInput(f"The note has {len(note)} characters; at most {NOTE} are taken.")
    with transaction.atomic():
        _record(_waiting(proposal), researcher, Proposal.State.REFUSED, note)


def _waiting(proposal: Proposal) -> Proposal:
    row = Proposal.objects.select_for_update(of=("self",)).select_related("labeler", "decided_by").get(pk=proposal.pk)
    if row.decided_at:
        raise Conflict(f"{row.decided_by} decided about this one before: it is {row.get_state_display().lower()}.")
    return row


def _record(row: Proposal, researcher: User, state: str, note: str = "") -> None:
    row.state, row.decided_by, row.decided_at, row.note = state, researcher, timezone.now(), note
    row.save(update_fields=["state", "decided_by", "decided_at", "note"])
