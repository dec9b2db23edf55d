"""Every address of the site that a researcher may ask for, from the site map itself.

A route is filled in by the names of its parameters (VALUES), or by what ARGUMENTS says of it, by its name. New pages
are found by themselves where their parameters have known names; those that want a query get a line in QUERIES.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.urls import URLPattern, URLResolver, reverse

from labeling import urls as labeling_urls
from labeling.judging.models import JudgedPolicy
from labeling.models import (
    Batch,
    Demonstration,
    Guideline,
    Judgement,
    Labeler,
    Prompt,
    Ranking,
    Round,
    Try,
    Verdict,
    WorkItem,
)
from training import urls as training_urls
from training.models import Checkpoint, Dataset, Run

# What the cockpit is: below these everything answers 200, or takes no GET.
COCKPIT = (
    "rounds/", "runs/", "checkpoints/", "datasets/", "judgements/", "figures/", "reward-models/",
    "policies/", "playground/", "labels/", "people/<slug:pseudonym>/shaped/",
)  # fmt: skip
PROGRAMS = "api/"  # no pages
MOST = 12  # addresses of a route
Values = dict[str, Any]  # what a value is called in the table, and the value


class Address(NamedTuple):
    name: str  # of the route
    what: str  # which of its pages: a recipe, a kind, a query
    address: str
    is_cockpit: bool


def each(rows: "QuerySet[Any]", field: str) -> Values:
    """One row for each value of the field, the newest."""
    return {getattr(row, field): row.pk for row in rows.order_by("pk")}


def one(rows: "QuerySet[Any]", what: str = "") -> Values:
    """The newest row, where there is one."""
    newest = rows.order_by("-pk").first()
    return {what: newest.pk} if newest else {}


# What stands for a parameter of a route.
VALUES: dict[str, Callable[[], Values]] = {
    "round_id": lambda: each(Round.objects.all(), "state"),
    "run_id": lambda: (
        one(Run.objects.filter(state="running"), "running") | each(Run.objects.filter(state="done"), "recipe")
    ),
    "checkpoint_id": lambda: each(Checkpoint.objects.all(), "kind"),
    "dataset_id": lambda: each(Dataset.objects.all(), "kind"),
    "batch_id": lambda: each(Batch.objects.all(), "kind"),
    "guideline_id": lambda: each(Guideline.objects.all(), "purpose"),
    "item_id": lambda: one(WorkItem.objects.filter(done__gte=2)),
    "prompt_id": lambda: one(Prompt.objects.all()),
    "judgement_id": lambda: each(Judgement.objects.all(), "state"),
    "try_id": lambda: one(Try.objects.all()),
    "demonstration_id": lambda: one(Demonstration.objects.all()),
    "ranking_id": lambda: one(Ranking.objects.filter(verdicts__isnull=False)),
    "pseudonym": lambda: {"": Labeler.objects.earliest("pk").pseudonym},
    "purpose": lambda: {"": "training"},
    "name": lambda: {"": "sft"},  # of a stage
}
REWARD_MODELS = ("reward-model", "reward-model-csv", "contradictions", "contradictions-csv")
# In place of these, by the route's name, where parameters mean something else: arguments, by what they are.
ARGUMENTS: dict[str, Callable[[], dict[str, Mapping[str, Any]]]] = {
    **{
        name: lambda: {"scored": {"checkpoint_id": Verdict.objects.latest("pk").checkpoint_id}}
        for name in REWARD_MODELS
    },
    "run-retry": lambda: {"failed": {"run_id": Run.objects.filter(state="failed").latest("created_at").pk}},
    "overoptimization": lambda: {
        "ppo": {"run_id": Run.objects.filter(recipe="ppo", state="done", stage__isnull=False).latest("created_at").pk}
    },
}


def _some(rows: "QuerySet[Any]", *names: str) -> str:
    """The first rows, under these names."""
    return "&".join(f"{name}={row.pk}" for name, row in zip(names, rows.order_by("pk"), strict=False))


def _judged() -> JudgedPolicy:
    return JudgedPolicy.objects.latest("pk")


# Queries that a route is asked with, beside none: filters, and what is to be compared.
QUERIES: dict[str, Callable[[], list[str]]] = {
    "run-list": lambda: ["recipe=ppo", "page=2"],
    "run-compare": lambda: [_some(Run.objects.filter(recipe="ppo"), *["run"] * 8)],
    "curves-csv": lambda: [_some(Run.objects.filter(recipe="ppo"), *["run"] * 8)],
    "round-compare": lambda: [_some(Round.objects.all(), "first", "second")],
    "round-new": lambda: [f"from={Round.objects.latest('pk').pk}"],
    "figure-items": lambda: [f"policy={_judged().checkpoint_id}"],
    "judgement-size": lambda: ["prompts=200&judges=2"],
    "playground": lambda: [f"policy={_judged().checkpoint_id}"],
}


def addresses() -> tuple[list[Address], dict[str, str]]:
    """All that can be filled in, and why the others cannot, by name."""
    found, skipped = [], {}
    for route, pattern in routes([*labeling_urls.urlpatterns, *training_urls.urlpatterns]):
        if pattern.name is None or route.startswith(PROGRAMS):
            continue
        unknown = [name for name in pattern.pattern.converters if name not in VALUES]
        if unknown and pattern.name not in ARGUMENTS:
            skipped[f"{pattern.name} ({unknown[0]})"] = "nothing stands for a parameter"
            continue
        filled = ARGUMENTS[pattern.name]() if pattern.name in ARGUMENTS else _filled(list(pattern.pattern.converters))
        if not filled:
            skipped[pattern.name] = "there is none"
        queries = ["", *QUERIES.get(pattern.name, list)()]
        for (what, arguments), query in itertools.islice(itertools.product(filled.items(), queries), MOST):
            address = reverse(pattern.name, kwargs=dict(arguments)) + (f"?{query}" if query else "")
            said = " ".join(filter(None, [what, query.split("&")[0]]))
            found.append(Address(pattern.name, said, address, route.startswith(COCKPIT)))
    missing = {*QUERIES, *ARGUMENTS} - {address.name for address in found} - set(skipped)
    return found, skipped | dict.fromkeys(missing, "no such page")


def _filled(names: list[str]) -> dict[str, Mapping[str, Any]]:
    """All combinations of what stands for these parameters; without parameters one that is empty."""
    combinations = itertools.product(*(VALUES[name]().items() for name in names))
    return {
        " ".join(filter(None, (what for what, _ in pairs))): {
            name: value for name, (_, value) in zip(names, pairs, strict=True)
        }
        for pairs in combinations
    }


def routes(patterns: Iterable[URLPattern | URLResolver], before: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every route with its whole path, those of included lists too."""
    for pattern in patterns:
        path = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, path)
        else:
            yield path, pattern
