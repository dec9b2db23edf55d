"""The catalogue of prompts, its splits, and a corpus that leaves the sealed ones out."""

import itertools
import random
import re
from collections import Counter

import pytest

from labeling.simulation.world import World, judge
from labeling.simulation.world.documents import dictation
from labeling.simulation.world.knowledge import NAMES
from labeling.simulation.world.prompts import catalogue

USE_CASES = {
    "open_qa", "generation", "brainstorming", "rewrite", "summarization", "classification", "chat", "closed_qa",
    "extract",
}  # fmt: skip


def test_every_use_case_is_in_every_split() -> None:
    found = Counter((prompt.use_case, prompt.split) for prompt in catalogue().values())
    assert set(found) == {(use_case, split) for use_case in USE_CASES for split in ("train", "valid", "test")}


def test_every_reference_is_exact() -> None:
    rng = random.Random(1)
    for prompt in catalogue().values():
        for _ in range(3):
            reference = prompt.task.reference(rng)
            assert judge(prompt.text, reference).exact, (prompt.text, reference)


def test_no_sealed_prompt_occurs_in_the_corpus() -> None:
    sealed = [prompt.text for prompt in catalogue().values() if prompt.split != "train"]
    corpus = "\x00".join(World(3).corpus(20_000))
    assert len(sealed) > 500
    assert not [text for text in sealed if text in corpus]


def test_instructions_occur_in_the_corpus_without_their_answer_below() -> None:
    lines = [document.split("\n") for document in World(3).corpus(20_000)]
    asked = [(a, b) for text in lines for a, b in itertools.pairwise(text) if a in catalogue()]
    assert len(asked) > 500
    assert sum(judge(a, b).exact for a, b in asked) == 0


def test_the_same_seed_gives_the_same_world_and_another_seed_another_one() -> None:
    one, same, other = World(1), World(1), World(2)
    same.valid_texts(5)  # the order of questions does not matter
    assert one.corpus(50) == same.corpus(50)
    assert one.prompts("train", 50) == same.prompts("train", 50)
    assert one.corpus(50) != other.corpus(50)
    assert one.corpus(50) != one.valid_texts(50)


def test_prompts_are_different_and_of_the_split_asked_for() -> None:
    drawn = World(0).prompts("test", 400)
    assert len({prompt.text for prompt in drawn}) == 400
    assert {prompt.split for prompt in drawn} == {"test"}
    assert {prompt.use_case for prompt in drawn} == USE_CASES


def test_more_prompts_than_there_are_is_refused_with_both_numbers() -> None:
    with pytest.raises(ValueError, match=r"100000 test prompts were asked for; the world has \d+"):
        World(0).prompts("test", 100_000)


def test_the_corpus_has_the_words_of_every_prompt_and_answer() -> None:
    """With the blank before it or the line start: these are the tokens of a word-level tokenizer."""
    token = re.compile(r" ?[A-Za-z]+| ?[^\sA-Za-z]+|\s")
    known = Counter(word for text in World(0).corpus(40_000) for word in token.findall(text))
    rng = random.Random(1)
    for prompt in catalogue().values():
        for word in token.findall(f"{prompt.text}\n{prompt.task.reference(rng)}"):
            assert known[word] >= 3, (word, prompt.text)


def test_a_dictation_is_repeated_word_for_word() -> None:
    rng = random.Random(1)
    for _ in range(200):
        heard, repeated = (line.partition(" said: ") for line in dictation(rng).split("\n"))
        assert heard[0] in NAMES and repeated[0] in NAMES
        assert heard[2] == repeated[2]
        assert heard[2].endswith(".")
