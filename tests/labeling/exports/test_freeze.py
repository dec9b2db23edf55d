"""Frozen files: what is in them, that they never change, and what is remembered about them."""

import json
from typing import Any

import pytest

from labeling.demonstrations import submit as demonstrations
from labeling.errors import BadInput
from labeling.exports.freeze import freeze_demonstrations, freeze_prompts, freeze_rankings, freeze_texts
from labeling.models import Cohort, Demonstration, Export, Kind, Labeler, Prompt, Ranking, WorkItem
from labeling.queue import dispatch
from labeling.rankings import submit as rankings
from labeling.rankings.cards import cards
from tests.work import make_prompts, ranking_work, writing_work
from training import storage
from training.contract.rows import read_rows
from training.models import Dataset

pytestmark = pytest.mark.django_db


def content(dataset: Dataset) -> list[dict[str, Any]]:
    return [json.loads(line) for line in storage.absolute(dataset.path).read_text().splitlines()]


def answer(labeler: Labeler, text: str) -> Demonstration:
    return demonstrations.submit(labeler, dispatch.claim(labeler, Kind.DEMONSTRATE).pk, text)


def test_prompts(db: None) -> None:
    prompts = make_prompts(3)
    dataset = freeze_prompts(Prompt.objects.all(), filters={"split": "train"})
    assert (dataset.kind, dataset.rows) == ("prompts", 3)
    rows = content(dataset)
    assert [row["prompt_id"] for row in rows] == sorted(str(prompt.pk) for prompt in prompts)
    assert rows[0].keys() == {"prompt_id", "prompt", "use_case", "split"}
    assert Export.objects.get().filters == {"split": "train"}


def test_texts_keep_their_order() -> None:
    assert content(freeze_texts(["b", "a"])) == [{"text": "b"}, {"text": "a"}]


def test_demonstrations(labeler: Labeler) -> None:
    writing_work(2)
    first, second = answer(labeler, "Zwei – “2”"), answer(labeler, "Three")
    dataset = freeze_demonstrations(Demonstration.objects.order_by("-id"))
    assert content(dataset) == [
        {
            "demonstration_id": str(demonstration.pk),
            "prompt_id": str(demonstration.prompt.pk),
            "prompt": demonstration.prompt.text,
            "completion": demonstration.text,
            "labeler": labeler.pseudonym,
            "cohort": "training",
            "use_case": "other",
            "split": "train",
        }
        for demonstration in (first, second)
    ]
    assert read_rows(storage.absolute(dataset.path), "demonstrations")


def test_nobodys_name_leaves_the_database(labeler: Labeler) -> None:
    writing_work(1)
    answer(labeler, "Two")
    text = storage.absolute(freeze_demonstrations(Demonstration.objects.all()).path).read_text()
    assert labeler.user.email not in text
    assert labeler.user.name not in text


def test_rankings_hold_all_completions_with_their_ties(held_out_labeler: Labeler) -> None:
    ranking_work(1, cohort=Cohort.HELD_OUT, texts=("a", "b", "b", "c"))
    lease = dispatch.claim(held_out_labeler, Kind.RANK)
    place_of = {"a": 3, "b": 1, "c": 3}
    ranking = rankings.submit(held_out_labeler, lease.pk, {card.number: place_of[card.text] for card in cards(lease)})
    dataset = freeze_rankings(Ranking.objects.all())
    prompt = WorkItem.objects.get().prompt
    assert content(dataset) == [
        {
            "ranking_id": str(ranking.pk),
            "prompt_id": str(prompt.pk),
            "prompt": prompt.text,
            "completions": ["a", "b", "b", "c"],
            "ranks": [2, 1, 1, 2],
            "labeler": held_out_labeler.pseudonym,
            "cohort": "held_out",
            "use_case": "other",
            "split": "train",
        }
    ]
    assert read_rows(storage.absolute(dataset.path), "rankings")


def test_the_same_labels_are_the_same_file(labeler: Labeler) -> None:
    writing_work(2)
    answer(labeler, "one")
    first = freeze_demonstrations(Demonstration.objects.all())
    again = freeze_demonstrations(Demonstration.objects.all())
    assert first == again
    assert (Dataset.objects.count(), Export.objects.count()) == (1, 2)
    before = storage.absolute(first.path).read_bytes()
    answer(labeler, "two")
    later = freeze_demonstrations(Demonstration.objects.all())
    assert later != first
    assert storage.absolute(first.path).read_bytes() == before


def test_labels_are_stamped_the_first_time_they_are_frozen(labeler: Labeler) -> None:
    writing_work(2)
    chosen, other = answer(labeler, "one"), answer(labeler, "two")
    freeze_demonstrations(Demonstration.objects.filter(pk=chosen.pk))
    chosen.refresh_from_db()
    other.refresh_from_db()
    assert chosen.frozen_at is not None
    assert other.frozen_at is None
    stamp = chosen.frozen_at
    freeze_demonstrations(Demonstration.objects.all())
    chosen.refresh_from_db()
    assert chosen.frozen_at == stamp


def test_nothing_to_freeze_is_said_and_leaves_nothing() -> None:
    with pytest.raises(BadInput, match="no rankings to freeze"):
        freeze_rankings(Ranking.objects.none())
    assert Dataset.objects.count() == 0
    assert not list(storage.absolute("datasets").glob("rankings-e3b0c44298fc*"))  # the digest of an empty file


def test_a_bad_row_leaves_no_file_behind() -> None:
    before = set(storage.absolute("datasets").glob("*")) if storage.absolute("datasets").exists() else set()
    with pytest.raises(Exception, match="text"):
        freeze_texts(["fine", " "])
    assert set(storage.absolute("datasets").glob("*")) == before
    assert set(storage.absolute("datasets").glob(".*")) == set()
