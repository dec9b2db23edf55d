"""An artifact root of each test's own, and a small round."""

from pathlib import Path
from typing import Any

import pytest

from labeling.exports import freeze
from labeling.guidelines.publish import ensure_first
from labeling.models import Round, User
from labeling.prompts import intake
from labeling.rounds.opening import open_round
from tests.labeling.rounds.test_plan import settings as round_settings


@pytest.fixture(autouse=True)
def artifacts(settings: Any, tmp_path: Path) -> None:
    settings.ARTIFACT_ROOT = tmp_path


@pytest.fixture
def round_(researcher: User) -> Round:
    return make_round(researcher)


def make_round(researcher: User) -> Round:
    for split, count in (("train", 6), ("valid", 2), ("test", 3)):
        rows = [{"prompt": f"{split} prompt {number}", "split": split} for number in range(count)]
        intake.take_in(rows, source="here")
    guidelines = {purpose.value: guideline.pk for purpose, guideline in ensure_first().items()}
    texts = freeze.freeze_texts(["A text.", "Another."])
    valid = freeze.freeze_texts(["A third."])
    wanted = round_settings(texts=texts.pk, valid_texts=valid.pk, guidelines=guidelines)
    return open_round(name="r", settings=wanted, seed=1, user=researcher)
