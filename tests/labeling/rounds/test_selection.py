"""Which prompts a stage works on."""

from typing import Any

import pytest

from labeling.errors import BadInput
from labeling.guidelines.publish import ensure_first
from labeling.models import Prompt, Round, Stage, User
from labeling.prompts import intake
from labeling.rounds import selection
from labeling.rounds.opening import open_round
from labeling.rounds.plan import PromptCounts
from tests.labeling.rounds.test_plan import settings
from training.models import Dataset

COUNTS = PromptCounts(demonstrate=10, rank=25, judge=4, rank_valid=4, requeue=5)


@pytest.fixture
def round_(researcher: User) -> Round:
    for split, count in (("train", 30), ("valid", 5), ("test", 6)):
        rows = [{"prompt": f"{split} prompt {number}", "split": split} for number in range(count)]
        intake.take_in(rows, source="here")
    return Round.objects.create(name="r", settings={}, seed=1, created_by=researcher)


def test_demonstrations_and_training_stay_on_train_prompts(round_: Round) -> None:
    for chosen in (selection.to_demonstrate, selection.to_requeue, selection.to_train_on):
        ids = chosen(round_, COUNTS)
        assert set(Prompt.objects.filter(pk__in=ids).values_list("split", flat=True)) == {"train"}


def test_judgement_stays_on_test_prompts(round_: Round) -> None:
    ids = selection.to_judge(round_, COUNTS)
    assert len(ids) == 4
    assert set(Prompt.objects.filter(pk__in=ids).values_list("split", flat=True)) == {"test"}


def test_ranking_takes_first_what_nobody_demonstrated(round_: Round) -> None:
    """20 of the 30 train prompts were not demonstrated: all of them are ranked, and 5 of the others."""
    demonstrated = set(selection.to_demonstrate(round_, COUNTS))
    ranked = selection.to_rank(round_, COUNTS, COUNTS.rank)[: COUNTS.rank]
    assert len(set(ranked)) == 25
    assert len(set(ranked) & demonstrated) == 5
    valid = selection.to_rank(round_, COUNTS, COUNTS.rank)[COUNTS.rank :]
    assert set(Prompt.objects.filter(pk__in=valid).values_list("split", flat=True)) == {"valid"}


def test_the_shuffle_follows_from_the_seed(round_: Round, researcher: User) -> None:
    other = Round.objects.create(name="other", settings={}, seed=2, created_by=researcher)
    again = Round.objects.create(name="again", settings={}, seed=1, created_by=researcher)
    assert selection.to_demonstrate(round_, COUNTS) == selection.to_demonstrate(again, COUNTS)
    assert selection.to_demonstrate(round_, COUNTS) != selection.to_demonstrate(other, COUNTS)


def test_prompts_that_come_later_do_not_change_a_round(round_: Round) -> None:
    before = selection.to_demonstrate(round_, COUNTS)
    intake.take_in([{"prompt": f"late {number}", "split": "train"} for number in range(20)], source="here")
    assert selection.to_demonstrate(round_, COUNTS) == before


def test_held_back_prompts_are_left_out(round_: Round) -> None:
    Prompt.objects.filter(split="test").exclude(text="test prompt 3").update(held_because="personal data")
    assert [Prompt.objects.get(pk=pk).text for pk in selection.to_judge(round_, COUNTS)] == ["test prompt 3"]


def test_too_few_prompts_are_a_sentence_and_no_round(round_: Round, researcher: User) -> None:
    texts = Dataset.objects.create(kind="texts", sha256="0" * 64, path="datasets/texts-0.jsonl", rows=1)
    guidelines = {purpose.value: guideline.pk for purpose, guideline in ensure_first().items()}
    counts: dict[str, Any] = {**settings()["prompts"], "judge": 7}
    wanted = settings(prompts=counts, texts=texts.pk, valid_texts=texts.pk, guidelines=guidelines)
    with pytest.raises(BadInput) as refused:
        open_round(name="too few", settings=wanted, seed=1, user=researcher)
    assert refused.value.sentence == "The round wants 7 prompts of the split test; there are 6."
    assert not Round.objects.filter(name="too few").exists()
    assert not Stage.objects.exists()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"texts": 999}, "no dataset of texts"),
        ({"guidelines": {"training": 999, "evaluation": 999}}, "published guideline"),
        ({"base": 999}, "no policy's checkpoint"),
    ],
)
def test_rows_that_are_not_there_are_a_sentence(
    round_: Round, researcher: User, changed: dict[str, Any], sentence: str
) -> None:
    texts = Dataset.objects.create(kind="texts", sha256="0" * 64, path="datasets/texts-0.jsonl", rows=1)
    guidelines = {purpose.value: guideline.pk for purpose, guideline in ensure_first().items()}
    wanted = settings(texts=texts.pk, valid_texts=texts.pk, guidelines=guidelines)
    if "base" in changed:
        wanted["specs"] = {name: spec for name, spec in wanted["specs"].items() if name != "pretrain"}
    with pytest.raises(BadInput) as refused:
        open_round(name="r2", settings={**wanted, **changed}, seed=1, user=researcher)
    assert sentence in refused.value.sentence
