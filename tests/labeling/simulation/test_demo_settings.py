"""The demonstration's round is opened by the settings that every round has."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from labeling.rounds import plan
from labeling.simulation import demo
from labeling.simulation.sizes import TOY

FEW = replace(
    TOY,
    documents=60,
    valid_documents=20,
    demonstration_prompts=4,
    ranking_prompts=4,
    valid_ranking_prompts=2,
    test_prompts=2,
    new_ranking_prompts=1,
)


@pytest.mark.django_db
def test_the_demonstrations_round_is_opened_once(settings: Any, tmp_path: Path) -> None:
    settings.ARTIFACT_ROOT = tmp_path
    demo.make_accounts("password")
    round_ = demo.find_or_open_round(FEW, 1)
    assert round_.stages.count() == 20
    assert plan.parse(round_.settings).mix is None
    assert demo.find_or_open_round(FEW, 1) == round_
