"""Why labelers came apart: the kinds that an adjudicator chooses from. A list that researchers may change."""

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.text import slugify

from labeling.adjudication.models import ErrorKind
from labeling.errors import BadInput, Conflict

FIRST = [
    ("misread-prompt", "Misread the prompt", "The order fits another question than the one that was asked."),
    ("guideline-unclear", "The guideline is unclear", "It does not say what to do here, or says two things."),
    ("missed-factual-error", "Missed a factual error", "A completion that is wrong was put above one that is right."),
    ("missed-instruction", "Missed an instruction", "A completion breaks a constraint of the prompt, unnoticed."),
    ("missed-harm", "Missed something harmful", "A completion that the guideline puts last stands higher."),
    ("taste", "Taste", "Both orders can be defended: they rest on values or style, not on a mistake."),
    ("careless", "Careless", "The order looks as if the texts had not been read."),
    ("completions-alike", "Nothing between them", "The completions are as good as each other."),
    ("other", "Other", "The reason says it."),
]


def known() -> list[ErrorKind]:
    """All kinds, retired ones too; on a new installation the first ones, which are made then."""
    kinds = list(ErrorKind.objects.all())
    if not kinds:
        first = [
            ErrorKind(key=key, label=label, explained=explained, position=at)
            for at, (key, label, explained) in enumerate(FIRST)
        ]
        ErrorKind.objects.bulk_create(first, ignore_conflicts=True)
        kinds = list(ErrorKind.objects.all())
    return kinds


def offered() -> list[ErrorKind]:
    return [kind for kind in known() if kind.retired_at is None]


def labels() -> dict[str, str]:
    """By key, of all that were ever offered."""
    return {kind.key: kind.label for kind in known()}


def check(keys: Iterable[str]) -> list[str]:
    """These keys, each once, in the order of the list. Raises BadInput for none, and for one that is not offered."""
    wanted = set(keys)
    there = [kind.key for kind in offered()]
    if unknown := sorted(wanted - set(there)):
        raise BadInput(f"“{unknown[0]}” is not on the list of what went wrong; nothing was decided.")
    if not wanted:
        raise BadInput("Say what went wrong: choose one or more of the list, “Other” if nothing fits.")
    return [key for key in there if key in wanted]


def add(label: str, explained: str = "") -> ErrorKind:
    """A new kind at the end of the list. Raises BadInput for no name, Conflict for one that is there."""
    name = " ".join(label.split())
    key = slugify(name)[:40]
    if not key or len(name) > 60:
        raise BadInput("A kind needs a name of letters or digits, at most 60 characters.")
    if len(explained) > 200:
        raise BadInput(f"The explanation has {len(explained)} characters; at most 200 fit.")
    known()
    last = ErrorKind.objects.aggregate(last=Max("position"))["last"] or 0
    try:
        with transaction.atomic():
            return ErrorKind.objects.create(key=key, label=name, explained=explained.strip(), position=last + 1)
    except IntegrityError:
        raise Conflict(f"“{name}” is on the list already; if it is retired, offer it again.") from None


def retire(key: str) -> None:
    """No longer offered; decisions that name it keep it. Raises Conflict for the last one that is offered."""
    with transaction.atomic():
        there = set(ErrorKind.objects.select_for_update().filter(retired_at=None).values_list("key", flat=True))
        if there == {key}:
            raise Conflict("It is the last kind that is offered; add another one first.")
        ErrorKind.objects.filter(pk=key, retired_at=None).update(retired_at=timezone.now())


def offer_again(key: str) -> None:
    ErrorKind.objects.filter(pk=key).update(retired_at=None)
