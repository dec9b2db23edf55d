"""The menu of researchers and admins: what they have to do with labelers, by subject."""

from typing import NamedTuple

from django import template
from django.http import HttpRequest
from django.urls import reverse

from labeling.models import Role

register = template.Library()
RESEARCHER, ADMIN = frozenset({Role.RESEARCHER}), frozenset({Role.ADMIN})
OFFICE = RESEARCHER | ADMIN


class Entry(NamedTuple):
    """`name`: of the address; `roles`: who sees it; `also`: names of the pages that belong to it."""

    name: str
    label: str
    roles: frozenset[str] = OFFICE
    also: tuple[str, ...] = ()


MENU: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "Looking after them",
        (
            Entry("thread-list", "Messages", also=("thread-detail",)),
            Entry(
                "screening-list",
                "Screening",
                also=("screening-set", "screening-answer", "screening-grade-one", "screening-selection"),
            ),
            Entry("survey-list", "Surveys", also=("survey-results",)),
            Entry("timesheet", "Time and pay", ADMIN, ("labeler-timesheet",)),
        ),
    ),
    (
        "How they agree",
        (
            Entry("agreement", "Agreement", also=("agreement-items", "agreement-item")),
            Entry("scorecard-list", "Scorecards", also=("scorecard", "scorecard-items")),
            Entry("finding-list", "Where labelers split", also=("finding-items",)),
            Entry("adjudication", "Adjudication", also=("adjudication-item", "adjudication-decided", "error-kinds")),
        ),
    ),
    (
        "What they get",
        (
            Entry("queue-rules", "How the queue chooses"),
            Entry("known-list", "Gold and drift", RESEARCHER, ("known-choose", "gold-answer")),
            Entry("held-list", "Held pieces", RESEARCHER),
            Entry("proposal-list", "Proposed prompts", RESEARCHER, ("proposal-ask",)),
        ),
    ),
    (
        "What they read",
        (
            Entry("guideline-list", "Guidelines", also=("guideline-read", "guideline-publish")),
            Entry("rubric-list", "Rubric", RESEARCHER, ("rubric-publish",)),
            Entry("topic-list", "Topics", RESEARCHER, ("topic-describe", "topic-tag")),
        ),
    ),
)


class Link(NamedTuple):
    name: str
    label: str
    address: str
    is_here: bool


class Group(NamedTuple):
    title: str
    links: list[Link]


@register.simple_tag
def office_menu(request: HttpRequest) -> list[Group]:
    """What this account may open; groups without anything are left out."""
    match = request.resolver_match
    here = match.url_name if match else None
    roles = request.user.roles  # type: ignore[union-attr]  # the template asks for accounts alone
    groups = [
        Group(
            title,
            [
                Link(entry.name, entry.label, reverse(entry.name), here in (entry.name, *entry.also))
                for entry in entries
                if entry.roles & roles
            ],
        )
        for title, entries in MENU
    ]
    return [group for group in groups if group.links]


@register.filter
def is_in(groups: list[Group]) -> bool:
    """Whether the page that is shown is one of the menu's."""
    return any(link.is_here for group in groups for link in group.links)
