"""A few-shot brief, a plain one and a user-based one, and what labelers make of them."""

from collections.abc import Callable

import pytest

from labeling.models import Assignment, Kind, Labeler
from labeling.queue import dispatch
from labeling.queue.fill import Brief
from tests.work import proposing_work

PAIRS = [
    {"query": "Go.", "response": "Please go."},
    {"query": "Stop.", "response": "Please stop."},
    {"query": "Sit.", "response": "Please sit down."},
]
BRIEFS = {
    "plain": Brief(shape="plain", use_case="", text=""),
    "few_shot": Brief(shape="few_shot", use_case="", text=""),
    "user_based": Brief(shape="user_based", use_case="brainstorming", text="An app that helps to plan a garden"),
}


@pytest.fixture
def lease(labeler: Labeler) -> Callable[[str], Assignment]:
    """The labeler's lease on a brief of this shape."""

    def of(shape: str) -> Assignment:
        proposing_work(BRIEFS[shape])
        assignment = dispatch.claim(labeler, Kind.PROPOSE)
        assert assignment is not None
        return assignment

    return of
