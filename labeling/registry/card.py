"""A checkpoint's model card: Markdown below the YAML that model hubs read. `card_facts.py` says what is true."""

import json
from typing import Any

from django.utils.text import slugify

from labeling.registry.card_facts import Facts, hub_model, labels_by_guideline
from labeling.registry.hyperparameters import OF_THE_PAPER, differing
from labeling.registry.measures import INTERVAL, Measure
from labeling.templatetags.podium import label, number
from training.models import Checkpoint

NOT_WRITTEN = (
    "_Nobody has written yet what this model is for. Until somebody does, do not use it for anything that matters._"
)
PAPER = (
    "@article{ouyang2022training,\n"
    "  title = {Training language models to follow instructions with human feedback},\n"
    "  author = {Ouyang, Long and Wu, Jeff and Jiang, Xu and Almeida, Diogo and Wainwright, Carroll L. and others},\n"
    "  journal = {Advances in Neural Information Processing Systems},\n"
    "  volume = {35},\n"
    "  year = {2022}\n"
    "}"
)


def readme(facts: Facts) -> str:
    """The file README.md: front matter and body."""
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in front_matter(facts).items()]
    return "---\n" + "\n".join(lines) + "\n---\n\n" + body(facts)


def front_matter(facts: Facts) -> dict[str, Any]:
    """What a hub reads. JSON is YAML too. A license is for people to choose: none is made up here."""
    is_policy = facts.checkpoint.kind == Checkpoint.Kind.POLICY
    found: dict[str, Any] = {
        "library_name": "transformers",
        "pipeline_tag": "text-generation" if is_policy else "text-classification",
        "tags": ["podium", "rlhf", *([facts.checkpoint.run.recipe] if facts.checkpoint.run else ["imported"])],
    }
    if base := hub_model(facts.ancestors):
        found["base_model"] = base[0]
    if facts.measures:
        found["model-index"] = [{"name": facts.checkpoint.name, "results": [_results(facts)]}]
    return found


def body(facts: Facts) -> str:
    """The Markdown that people read."""
    parts = [
        f"# {_line(facts.checkpoint.name)}",
        "## What it is for\n\n" + (facts.text.text if facts.text and facts.text.text else NOT_WRITTEN),
        "## How it was made\n\n" + _made(facts),
        "## What it was trained on\n\n" + _data(facts),
        "## Instructions that labelers followed\n\n" + _guidelines(facts),
        "## Settings that differ from the paper\n\n" + _settings(facts),
        "## Evaluation\n\n" + _evaluation(facts.measures),
        "## Known limits\n\n" + _limits(facts),
        f"## Citation\n\nThe recipe is that of InstructGPT.\n\n```bibtex\n{PAPER}\n```",
    ]
    return "\n\n".join(parts) + "\n"


def _made(facts: Facts) -> str:
    rounds = {row["id"]: row["name"] for row in facts.ancestors["rounds"]}
    runs = sorted(facts.ancestors["runs"], key=lambda row: row["created_at"])
    if not runs:
        return "It was brought in from elsewhere; Podium knows no more of it than its name and its files."
    rows = [
        [
            _line(row["name"]),
            label(row["recipe"]),
            _line(rounds.get(row["round"], "–")),
            str(row["seed"]),
            f"`{row['code_version']}`" if row["code_version"] else "not known",
            (row["finished_at"] or "–")[:10],
        ]
        for row in runs
    ]
    said = _table(["Step", "Recipe", "Round", "Seed", "Code", "Finished"], rows)
    if base := hub_model(facts.ancestors):
        said = f"It begins with `{base[0]}` at the commit `{base[1]}`.\n\n{said}"
    return said


def _data(facts: Facts) -> str:
    if not facts.ancestors["datasets"]:
        return "No dataset is recorded."
    rounds = {row["id"]: row["name"] for row in facts.ancestors["rounds"]}
    rows = []
    for row in facts.ancestors["datasets"]:
        cohorts = "; ".join(map(_cohort, row.get("cohorts", [])))
        asked = ", ".join(_line(rounds[pk]) for pk in row.get("rounds", {}) if pk in rounds)
        rows.append([label(row["kind"]), f"{row['rows']:,}", cohorts or "–", asked or "–", f"`{row['sha256'][:12]}`"])
    return _table(["Dataset", "Rows", "Rows by labelers, by cohort", "Round", "SHA-256"], rows)


def _cohort(one: dict[str, Any]) -> str:
    people = f"{one['labelers']} {one['cohort'].replace('_', '-')} labeler{'s' * (one['labelers'] != 1)}"
    return f"{one['rows']:,} by {people}"


def _guidelines(facts: Facts) -> str:
    rows = [
        [_line(one["title"]), str(one["version"]), one["purpose"], f"{labels:,} {kind}"]
        for one, kind, labels in labels_by_guideline(facts.ancestors)
    ]
    if not rows:
        return "No labels of people went into it."
    return _table(["Guideline", "Version", "Purpose", "Labels"], rows)


def _settings(facts: Facts) -> str:
    rows = [
        [label(run["recipe"]), f"`{one.name}`", f"`{json.dumps(one.value)}`", f"`{json.dumps(one.default)}`"]
        for run in sorted(facts.ancestors["runs"], key=lambda row: row["created_at"])
        if run["recipe"] in OF_THE_PAPER
        for one in differing(run["recipe"], run["spec"])
    ]
    if not rows:
        return "None that is recorded: SFT, reward model and PPO, where there are any, ran with Podium’s defaults."
    return (
        "Podium’s defaults follow Ouyang et al. (2022), appendix C; what the paper leaves open is chosen there.\n\n"
        + _table(["Recipe", "Setting", "Here", "Default"], list(map(list, dict.fromkeys(map(tuple, rows)))))
    )


def _evaluation(found: list[Measure]) -> str:
    if not found:
        return "Nothing was measured on held-out data."
    rows = [
        [
            _line(one.name),
            number(one.value),
            f"{number(one.low)} – {number(one.high)}" if one.has_interval else "none computed",
            _line(one.about) or "–",
        ]
        for one in found
    ]
    return _table(["Measure", "Value", INTERVAL, "About"], rows)


def _limits(facts: Facts) -> str:
    said = []
    datasets = facts.ancestors["datasets"]
    if withdrawn := sum(row.get("rows_withdrawn_since", 0) for row in datasets):
        said.append(
            f"{withdrawn:,} rows of its datasets are of labelers who have withdrawn their labels since; "
            "datasets that are frozen from then on are without them."
        )
    if erased := sum(row.get("rows_of_erased", 0) for row in datasets):
        said.append(f"{erased:,} rows are of labelers whose accounts were erased at their wish.")
    excluded = [one for row in datasets for filters in row["filters"] for one in filters.get("excluded", [])]
    if excluded:
        reasons = "; ".join(dict.fromkeys(f"{one['labels']:,} ({_line(one['reason'])})" for one in excluded))
        said.append(f"Labels that were left out, with the reason: {reasons}.")
    if unknown := sum(row.get("from_elsewhere", 0) for row in datasets):
        said.append(f"{unknown:,} rows of its labels come from elsewhere; under which instructions is not known.")
    said += [
        f"Agreement of labelers in “{_line(one.batch)}”: {one.share.rate:.3f} "
        f"({INTERVAL} {one.share.low:.3f} – {one.share.high:.3f}, {one.share.clusters} items with several labelers)."
        for one in facts.agreed
    ]
    if any(row["kind"] == "rankings" for row in datasets) and not facts.agreed:
        said.append("No item it was trained on was ranked by several labelers, so their agreement is not known.")
    if facts.checkpoint.weights_deleted_at:
        said.append(f"Its weights were deleted on {facts.checkpoint.weights_deleted_at:%Y-%m-%d}.")
    return "\n".join(f"- {line}" for line in said) or "None is recorded, which does not mean that there is none."


def _results(facts: Facts) -> dict[str, Any]:
    """All measures as one result, as a hub wants them; what each is measured on stands in the card."""
    return {
        "task": {"type": "text-generation"},
        "dataset": {"name": "held-out data, see the card", "type": "podium"},
        "metrics": [
            {"type": slugify(measure.name), "name": measure.name, "value": measure.value} for measure in facts.measures
        ],
    }


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def _line(text: str) -> str:
    """A name as a part of a line of Markdown: it neither ends a cell nor begins anything."""
    words = " ".join(str(text).split())
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|#" else letter for letter in words)
