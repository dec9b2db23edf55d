"""Candidates side by side without their names, and the decision: select or decline.

The cut-offs are soft: who decides may go against them, and then says why. Names, addresses, pseudonyms and anything
demographic stay out of what this module returns (Ouyang et al. 2022, App. B.1: selection on anonymised data).
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from django.db import transaction
from django.db.models import Prefetch

from labeling.errors import BadInput, Conflict
from labeling.labelers import standing
from labeling.labelers.models import Labeler, StateChange, User
from labeling.screening import scores
from labeling.screening.models import Response, ScreeningItem, ScreeningSet, Sitting
from labeling.screening.prepare import asked

Kind, State = ScreeningItem.Kind, Labeler.State
LONGEST_REASON = 500


class Criterion(NamedTuple):
    """One of the three that have a cut-off. `verdict`: above, below, unknown; '' where nothing of it is asked."""

    name: str
    value: str
    of: str
    cutoff: str
    verdict: str


class Demonstration(NamedTuple):
    """What a candidate wrote to a sensitive prompt, and the grades it got."""

    prompt: str
    text: str
    grades: list[int]


class Candidate(NamedTuple):
    """One row of the selection screen. `decision`: '', selected or declined; `why` is what its history says."""

    sitting: Sitting
    criteria: list[Criterion]
    reports: list[tuple[str, str]]
    demonstrations: list[Demonstration]
    decision: str
    why: str
    can_undo: bool

    @property
    def meets_all(self) -> bool | None:
        """Whether every cut-off is met; None where the set has none to meet."""
        held = [criterion.verdict for criterion in self.criteria if criterion.verdict]
        return all(verdict == "above" for verdict in held) if held else None


def candidates(screening_set: ScreeningSet) -> list[Candidate]:
    """Everybody who has sent their answers in, by their labels, which were drawn at random."""
    sittings = Sitting.objects.filter(screening_set=screening_set, sent_in_at__isnull=False)
    rows = sittings.select_related("labeler", "screening_set").prefetch_related(
        Prefetch("responses", Response.objects.prefetch_related("grades")),
        Prefetch("labeler__changes", StateChange.objects.order_by("-at", "-pk")),
    )
    items = list(asked(screening_set).prefetch_related("references"))
    found = [_candidate(sitting, items) for sitting in rows]
    return sorted(found, key=lambda one: (len(one.sitting.label), one.sitting.label))


def candidate(sitting: Sitting) -> Candidate:
    items = list(asked(sitting.screening_set).prefetch_related("references"))
    return _candidate(sitting, items)


def _candidate(sitting: Sitting, items: Sequence[ScreeningItem]) -> Candidate:
    said = {response.item_id: response for response in sitting.responses.all()}
    answered = [(item, said[item.pk]) for item in items if item.pk in said]
    demonstrations = [
        Demonstration(item.text, str(response.value), [one.grade for one in response.grades.all()])
        for item, response in answered
        if item.kind == Kind.WRITE
    ]
    decision, why, can_undo = _decision(sitting.labeler)
    return Candidate(
        sitting=sitting,
        criteria=_criteria(sitting.screening_set, answered, demonstrations),
        reports=[(item.text, str(response.value)) for item, response in answered if item.kind == Kind.REPORT],
        demonstrations=demonstrations,
        decision=decision,
        why=why,
        can_undo=can_undo,
    )


def _criteria(
    screening_set: ScreeningSet,
    answered: Sequence[tuple[ScreeningItem, Response]],
    demonstrations: Sequence[Demonstration],
) -> list[Criterion]:
    flags, rankings = (
        [
            (response.value, [reference.value for reference in item.references.all()])
            for item, response in answered
            if item.kind == kind
        ]
        for kind in (Kind.FLAGS, Kind.RANK)
    )
    return [
        _share("Flags", scores.flag_agreement(flags), screening_set.flag_cutoff, bool(flags), "flags"),
        _share("Rankings", scores.ranking_agreement(rankings), screening_set.ranking_cutoff, bool(rankings), "pairs"),
        _grade(demonstrations, Fraction(screening_set.grade_cutoff)),
    ]


def _share(name: str, share: scores.Share, cutoff: int, is_asked: bool, what: str) -> Criterion:
    if not is_asked:
        return Criterion(name, "", "not asked", "", "")
    of = f"{share.same} of {share.of} {what}" if share.of else f"no {what} to compare"
    value = f"{_rounded(100 * share.fraction)} %" if share.fraction is not None else "–"
    return Criterion(name, value, of, f"{cutoff} %", scores.verdict(share.fraction, Fraction(cutoff, 100)))


def _grade(demonstrations: Sequence[Demonstration], cutoff: Fraction) -> Criterion:
    if not demonstrations:
        return Criterion("Demonstrations", "", "not asked", "", "")
    mean = scores.mean_grade([one.grades for one in demonstrations])
    graded, all_of_them = sum(bool(one.grades) for one in demonstrations), len(demonstrations)
    # A mean over half of what somebody wrote is not yet their grade.
    verdict = scores.verdict(mean if graded == all_of_them else None, cutoff)
    value = _rounded(mean, 2) if mean is not None else "–"
    return Criterion("Demonstrations", value, f"{graded} of {all_of_them} graded", _rounded(cutoff, 2), verdict)


def _rounded(value: Fraction, digits: int = 1) -> str:
    """Rounded down, so that what is below a cut-off does not read as if it met it."""
    cut = value * 10**digits // 1
    return f"{cut / 10**digits:.{digits}f}".rstrip("0").rstrip(".")


def _decision(labeler: Labeler) -> tuple[str, str, bool]:
    """What was decided last, why, and whether it can still be taken back: nothing must have come after it."""
    if labeler.state == State.SCREENING:
        return "", "", False
    changes = list(labeler.changes.all())
    decided = next((change for change in changes if change.before == State.SCREENING), None)
    if decided is None:
        return "", "", False
    name = "selected" if decided.after == State.ACTIVE else "declined"
    return name, decided.why, decided == changes[0]


def decide(sitting: Sitting, *, chosen: bool, by: User, why: str = "") -> StateChange:
    """Select (the labeler becomes active, in the cohort they were invited to) or decline (they leave).

    Raises BadInput where it goes against the cut-offs without a reason, Conflict where somebody has decided before.
    """
    why = why.strip()
    if len(why) > LONGEST_REASON:
        raise BadInput(f"A reason has at most {LONGEST_REASON} characters; this one has {len(why)}.")
    with transaction.atomic():
        sitting = (
            Sitting.objects.select_for_update(of=("self",))
            .select_related("labeler", "screening_set")
            .get(pk=sitting.pk)
        )
        if sitting.sent_in_at is None:
            raise Conflict("This candidate has not sent their answers in yet.")
        found = candidate(sitting)
        is_against = found.meets_all is not None and found.meets_all != chosen
        if is_against and not why:
            missed = "not all cut-offs are met" if chosen else "all cut-offs are met"
            raise BadInput(f"Please give a reason for Candidate {sitting.label}: {missed}.")
        after = State.ACTIVE if chosen else State.LEFT
        return standing.change(
            sitting.labeler, after, by=by, why=_said(found, chosen, is_against, why), seen=State.SCREENING
        )


def _said(found: Candidate, chosen: bool, is_against: bool, why: str) -> str:
    figures = "; ".join(
        f"{one.name.lower()} {one.value} ({one.of}, cut-off {one.cutoff})" for one in found.criteria if one.verdict
    )
    words = f"{'Selected' if chosen else 'Declined'} in screening “{found.sitting.screening_set.name}”"
    words += f": {figures}." if figures else "."
    if is_against:
        words += f" Against the cut-offs: {why}"
    elif why:
        words += f" {why}"
    return words


def undo(sitting: Sitting, *, by: User) -> StateChange:
    """Back to screening, as one more change of state. Raises Conflict where the decision is not the last thing that
    happened to the labeler."""
    labeler = sitting.labeler
    _, _, can_undo = _decision(labeler)
    if not can_undo:
        raise Conflict("There is no decision to take back, or more has happened since: see the labeler's page.")
    why = f"The decision in screening “{sitting.screening_set.name}” was taken back."
    return standing.change(labeler, State.SCREENING, by=by, why=why, seen=labeler.state)
