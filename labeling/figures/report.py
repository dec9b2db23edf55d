"""The page of figures as plain values: page, CSV and API read the same."""

from typing import Any, NamedTuple

from labeling.errors import BadInput
from labeling.evaluation import bootstrap
from labeling.figures import judged as reading
from labeling.figures import paper, preference, remarks, tax
from labeling.figures.judged import Judged
from labeling.figures.policies import BASE, KINDS, PPO, PPO_PTX, SFT, Policy, policies
from labeling.figures.preference import Preference, Share
from labeling.figures.remarks import Remark
from labeling.kept import code_of, kept, version_of
from labeling.labelers.models import Cohort
from labeling.prompts.models import Prompt, UseCase
from labeling.rubrics.models import Rubric

CODE = code_of(__file__, bootstrap.__file__)
BY = {"use_case": "Use case", "source": "Source of the prompt"}


class Choice(NamedTuple):
    """`baseline`: a kind of policy, or the id of a checkpoint."""

    baseline: str = SFT
    by: str = "use_case"


def of(choice: Choice) -> dict[str, Any]:
    """Raises BadInput for a baseline that there is none of, or a grouping that is not known."""
    if choice.by not in BY:
        raise BadInput(f"Prompts are grouped by {' or '.join(BY)}; “{choice.by}” is neither.")
    there = reading.counting()
    found = reading.read(there)
    known = policies({said.checkpoint for one in found.judged for said in one.said})
    against = baselines(choice.baseline, known)
    rubrics = list(Rubric.objects.order_by("pk"))
    name = f"figures-{CODE}-{version_of(there.version, against, choice.by, [rubric.flags for rubric in rubrics])}"
    figured = kept(name, lambda: _figured(found.judged, against, choice.by, rubrics))
    return {
        "baseline": choice.baseline,
        "baselines": _offered(known),
        "by": choice.by,
        "waiting": found.waiting,
        "judgements": sum(one.item is not None for one in found.judged),
        "preference": [_preference(one, known) for one in figured.preferences],
        "cohorts": [
            {**_preference(one, known), "label": _value_label(choice.by, one.value), "value_of": one.value}
            for one in figured.cohorts
        ],
        **_remarks(figured, rubrics, known),
        "tax": [_task(task) for task in tax.tasks()],
        "paper": _paper(_kind_of(choice.baseline, known)),
    }


class Figured(NamedTuple):
    """What takes long: every interval by resampling."""

    preferences: list[Preference]
    cohorts: list[Preference]
    flags: list[Remark]
    ratings: list[Remark]


def _figured(judged: list[Judged], against: list[int], by: str, rubrics: list[Rubric]) -> Figured:
    asked = {rubric.pk: tuple(one["key"] for one in rubric.flags) for rubric in rubrics}
    return Figured(
        preference.preferences(judged, against),
        preference.preferences(judged, against, by=by, cohorts=True),
        remarks.flags(judged, asked),
        remarks.ratings(judged),
    )


def baselines(chosen: str, known: dict[int, Policy]) -> list[int]:
    """The checkpoints that the address names."""
    if chosen in KINDS:
        return [pk for pk, policy in known.items() if policy.kind == chosen]
    if chosen.isdecimal() and int(chosen) in known:
        return [int(chosen)]
    raise BadInput(f"No judged policy is “{chosen}”; a baseline is one of {', '.join(KINDS)}, or a judged checkpoint.")


def _kind_of(chosen: str, known: dict[int, Policy]) -> str:
    return chosen if chosen in KINDS else known[int(chosen)].kind


def _offered(known: dict[int, Policy]) -> list[dict[str, str]]:
    kinds = [{"value": kind, "label": f"the {label} of the same judgement"} for kind, label in KINDS.items()]
    return kinds + [{"value": str(pk), "label": policy.label} for pk, policy in sorted(known.items())]


def _policy(policy: Policy) -> dict[str, Any]:
    return {
        "checkpoint": policy.checkpoint,
        "policy": policy.name,
        "kind": policy.kind,
        "kind_label": KINDS[policy.kind],
        "parameters": policy.size,
        "run": str(policy.run) if policy.run else None,
    }


def _preference(one: Preference, known: dict[int, Policy]) -> dict[str, Any]:
    cohort = Cohort(one.cohort).label if one.cohort else ""
    return {
        **_policy(known[one.checkpoint]),
        "baseline": one.baseline,
        "baseline_name": known[one.baseline].name,
        "cohort": one.cohort,
        "cohort_label": cohort,
        **said(one.share),
    }


def said(share: Share) -> dict[str, Any]:
    return {
        "value": share.value,
        "low": share.low,
        "high": share.high,
        "prompts": share.prompts,
        "answers": share.answers,
        "why": share.why,
    }


def _value_label(by: str, value: str) -> str:
    return str(UseCase(value).label) if by == "use_case" else value


def _remarks(figured: Figured, rubrics: list[Rubric], known: dict[int, Policy]) -> dict[str, Any]:
    labels = {one["key"]: one["label"] for rubric in rubrics for one in rubric.flags}
    flags: dict[str, list[dict[str, Any]]] = {}
    for one in figured.flags:
        flags.setdefault(one.flag, []).append({**_policy(known[one.checkpoint]), **said(one.share)})
    ratings = [{**_policy(known[one.checkpoint]), **said(one.share)} for one in figured.ratings]
    lines = [
        {"flag": key, "label": labels[key], "lines": _in_order(flags[key]), "paper": _marks(paper.FLAGS.get(key, ()))}
        for key in labels
        if key in flags
    ]
    return {"flags": lines, "ratings": _in_order(ratings)}


def _in_order(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(lines, key=lambda line: (list(KINDS).index(line["kind"]), line["parameters"] or 0, line["policy"]))


def _task(task: tax.Task) -> dict[str, Any]:
    return {
        "name": task.name,
        "root": task.root,
        "lower_is_better": task.lower_is_better,
        "lines": [
            {
                **_policy(one.policy),
                **one._asdict(),
                "policy": one.policy.name,
                "run": str(one.run),
            }
            for one in task.measured
        ],
    }


def _paper(baseline: str) -> dict[str, Any]:
    marks = [mark for mark in paper.PREFERENCE if mark.against == baseline]
    by_kind = (BASE, SFT, PPO, PPO_PTX)
    tasks = [{"name": name, "values": dict(zip(by_kind, values, strict=True))} for name, values in paper.TAX]
    return {"preference": _marks(marks), "tax": tasks}


def _marks(marks: "list[paper.Mark] | tuple[paper.Mark, ...]") -> list[dict[str, Any]]:
    return [
        {
            "label": mark.label,
            "value": mark.value,
            "low": None if mark.half is None else mark.value - mark.half,
            "high": None if mark.half is None else mark.value + mark.half,
            "where": mark.where,
            "why": "" if mark.half is not None else "the paper gives no interval of it",
        }
        for mark in marks
    ]


def items(choice: Choice, checkpoint: int, **narrowed: str) -> list[tuple[Judged, int, float | None]]:
    """The judgements behind a point: each with the baseline's id (0: none) and the policy's score, the lost ones first.

    `narrowed`: cohort, use_case or source by their values, or `flag`, whose outputs are meant then.
    """
    found = reading.read()
    known = policies({said.checkpoint for one in found.judged for said in one.said})
    against = set(baselines(choice.baseline, known)) - {checkpoint}
    flag = narrowed.pop("flag", "")
    lines: list[tuple[Judged, int, float | None]] = []
    for one in found.judged:
        if one.item is None or any(getattr(one, name) != value for name, value in narrowed.items()):
            continue
        mine = [said for said in one.said if said.checkpoint == checkpoint]
        others = sorted({said.checkpoint for said in one.said} & against)
        if flag and any(flag in said.flags for said in mine):
            lines.append((one, 0, None))
        elif not flag and mine:
            lines += [(one, other, preference.score(one.said, checkpoint, other)) for other in others]
    return sorted(lines, key=lambda line: (line[2] or 0.0, line[0].item or 0))


def texts_of(lines: list[tuple[Judged, int, float | None]]) -> dict[str, str]:
    """Of the prompts, by id."""
    prompts = Prompt.objects.filter(pk__in={one.prompt for one, _, _ in lines})
    return {str(pk): text for pk, text in prompts.values_list("pk", "text")}
