"""Prompts in: cleaned, each once, split by owner, capped per owner."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Count

from labeling.errors import BadInput
from labeling.prompts import conversation, topics
from labeling.prompts.models import Prompt, Split, UseCase
from labeling.prompts.parse import Row, parse
from labeling.texts import clean

__all__ = ["Intake", "Refusal", "Row", "digest_of", "parse", "split_of", "take_in"]

CAP_PER_OWNER = 200  # Ouyang et al. 2022, §3.2
CHUNK = 1000


class Refusal(NamedTuple):
    line: int
    sentence: str


@dataclass
class Intake:
    """What became of the rows."""

    added: int = 0
    duplicates: int = 0
    refused: list[Refusal] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.added} added, {self.duplicates} duplicates, {len(self.refused)} refused"


def take_in(
    rows: Iterable[Mapping[str, Any] | Row],
    *,
    source: str,
    owner_key: str = "owner",
    cap_per_owner: int = CAP_PER_OWNER,
) -> Intake:
    """Store the rows {prompt | text | turns | messages, use_case?, split?, topics?, <owner_key>?} that are new and
    fine; say what became of each. (Turns: conversation.py. Topics: topics.py.)

    The paper caps and splits by user in one place and by organization in another (§3.2, App. A.2): `owner_key` names
    the field that decides. Rows without an owner count as prompts of their own: no cap, split one by one.
    """
    intake = Intake()
    prompts: dict[str, tuple[int, Prompt]] = {}
    slugs = topics.by_any_name()
    for number, row in enumerate(rows, start=1):
        line, fields, problem = row if isinstance(row, Row) else Row(number, dict(row))
        try:
            if problem:
                raise BadInput(problem)
            prompt = _prompt(fields, source, owner_key, slugs)
        except BadInput as error:
            intake.refused.append(Refusal(line, error.sentence))
            continue
        if prompt.digest in prompts:
            intake.duplicates += 1
        else:
            prompts[prompt.digest] = (line, prompt)
    with transaction.atomic():
        _store(prompts, intake, cap_per_owner)
    intake.refused.sort()
    return intake


def digest_of(text: str) -> str:
    """What makes two prompts the same one. The text is clean."""
    return hashlib.sha256(text.encode()).hexdigest()


def split_of(key: str) -> str:
    """80 % train, 10 % validation, 10 % test, by a hash of the owner: the same on every machine and every day."""
    place = int.from_bytes(hashlib.sha256(b"split:" + key.encode()).digest()[:8]) % 10
    return Split.TRAIN if place < 8 else Split.VALID if place == 8 else Split.TEST


def _prompt(fields: Mapping[str, Any], source: str, owner_key: str, slugs: Mapping[str, str]) -> Prompt:
    text, turns = _words(fields)
    owner = _field(fields, owner_key, 100)
    use_case = _field(fields, "use_case", 16) or UseCase.OTHER
    if use_case not in UseCase.values:
        raise BadInput(f"The use case “{use_case}” is unknown; use one of {', '.join(UseCase.values)}.")
    split = _field(fields, "split", 10)  # where none is given, the owner decides: see _store
    if split and split not in Split.values:
        raise BadInput(f"The split “{split}” is unknown; use one of {', '.join(Split.values)}.")
    return Prompt(
        text=text,
        turns=turns,
        topics=topics.read(fields.get("topics"), slugs),
        digest=digest_of(text),
        use_case=use_case,
        split=split,
        owner=owner,
        source=source,
    )


def _words(fields: Mapping[str, Any]) -> tuple[str, list[conversation.Turn] | None]:
    """The row's text, and its turns where it has more than one."""
    text = fields.get("prompt", fields.get("text"))
    said = fields.get("turns") or fields.get("messages")
    if said and text:
        raise BadInput("There is a prompt and there are turns; which of them is meant?")
    if said:
        turns = conversation.read(said)
        return clean(conversation.as_text(turns), "The conversation"), turns if len(turns) > 1 else None
    if not isinstance(text, str):
        raise BadInput("There is no text in the field “prompt”.")
    return clean(text, "The prompt"), None


def _field(fields: Mapping[str, Any], name: str, limit: int) -> str:
    value = fields.get(name)
    if value is None or value == "":
        return ""
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise BadInput(f"The field “{name}” is not a text.")
    value = str(value).strip()
    if not value:
        return ""
    value = clean(value, f"The field “{name}”")
    if len(value) > limit:
        raise BadInput(f"The field “{name}” has {len(value)} characters; at most {limit} are taken.")
    return value


def _store(prompts: Mapping[str, tuple[int, Prompt]], intake: Intake, cap: int) -> None:
    _one_at_a_time()
    known = _known(list(prompts))
    intake.duplicates += len(known)
    fresh = [pair for digest, pair in prompts.items() if digest not in known]
    splits, held = _owners({prompt.owner for _, prompt in fresh if prompt.owner})
    keep: list[Prompt] = []
    for line, prompt in fresh:
        prompt.split = prompt.split or splits.get(prompt.owner) or split_of(prompt.owner or prompt.digest)
        if prompt.owner:
            if held[prompt.owner] >= cap:
                sentence = f"“{prompt.owner}” has {cap} prompts, the most that one owner may have."
                intake.refused.append(Refusal(line, sentence))
                continue
            if splits.setdefault(prompt.owner, prompt.split) != prompt.split:
                sentence = f"“{prompt.owner}” is in the split {splits[prompt.owner]}; one owner stays in one split."
                intake.refused.append(Refusal(line, sentence))
                continue
            held[prompt.owner] += 1
        keep.append(prompt)
    Prompt.objects.bulk_create(keep, batch_size=CHUNK)
    intake.added += len(keep)


def _one_at_a_time() -> None:
    """Two uploads at once would each see the other's owners below the cap; the lock ends with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('labeling.prompts.intake'))")


def _known(digests: list[str]) -> set[str]:
    known: set[str] = set()
    for start in range(0, len(digests), CHUNK):
        chunk = digests[start : start + CHUNK]
        known.update(Prompt.objects.filter(digest__in=chunk).values_list("digest", flat=True))
    return known


def _owners(owners: set[str]) -> tuple[dict[str, str], Counter[str]]:
    """The split and the number of prompts of each of these owners so far."""
    rows = (
        Prompt.objects.filter(owner__in=owners).order_by().values_list("owner", "split").annotate(prompts=Count("id"))
    )
    splits: dict[str, str] = {}
    held: Counter[str] = Counter()
    for owner, split, prompts in rows:
        splits[owner] = split
        held[owner] += prompts
    return splits, held
