"""Simulated labelers: consistent with themselves, in agreement with each other about as often as people are."""

import itertools

import pytest

from labeling.simulation.world import SimulatedLabeler, World, judge

PROMPT = "Where does the fox live?"


def labelers(count: int, cohort: str = "train", seed: int = 0) -> list[SimulatedLabeler]:
    return [World(seed).labeler(number, cohort) for number in range(count)]


def demonstrations(world: World, prompt: str) -> list[str]:
    return [world.labeler(number, "train").write(prompt) for number in range(20, 24)]


def test_identical_texts_tie_and_places_leave_no_gap() -> None:
    for labeler in labelers(10):
        places = labeler.place(PROMPT, ["In the forest.", "Shut the door", "In the forest.", "I do not know."])
        assert places[0] == places[2]
        assert set(places) == set(range(1, max(places) + 1))


def test_a_labeler_feels_the_same_whatever_the_order() -> None:
    texts = ["In the forest.", "The fox lives in the forest.", "It was in the news.", "The fox eats mice."]
    for labeler in labelers(10):
        forth = labeler.place(PROMPT, texts)
        assert labeler.place(PROMPT, texts[::-1]) == forth[::-1]
        assert SimulatedLabeler(labeler.number, labeler.cohort, labeler.seed).place(PROMPT, texts) == forth


def test_the_right_answer_beats_a_rude_one_for_everybody() -> None:
    texts = ["You are an idiot.", "The fox lives in the forest."]
    assert all(labeler.place(PROMPT, texts) == [2, 1] for labeler in labelers(10) + labelers(10, "heldout"))


def test_cohorts_and_seeds_are_different_people() -> None:
    tastes = {
        labeler.taste for seed in (0, 1) for cohort in ("train", "heldout") for labeler in labelers(5, cohort, seed)
    }
    assert len(tastes) == 20


def test_demonstrations_are_mostly_right_and_not_always() -> None:
    world = World(0)
    prompts = world.prompts("train", 600)
    written = [(prompt.text, world.labeler(i % 10, "train").write(prompt.text)) for i, prompt in enumerate(prompts)]
    exact = sum(judge(*pair).exact for pair in written) / len(written)
    assert 0.66 < exact < 0.78  # 72 of 100 are meant to be clean


def test_pairs_of_near_answers_split_labelers_as_often_as_people() -> None:
    """Two labelers on the same pair of faulty answers: ties aside, they agree on clearly more than half."""
    world = World(0)
    agreed = counted = 0
    for prompt in world.prompts("train", 150):
        texts = list(dict.fromkeys(demonstrations(world, prompt.text)))
        places = [labeler.place(prompt.text, texts) for labeler in labelers(4)]
        for a, b in itertools.combinations(range(len(texts)), 2):
            for one, two in itertools.combinations(places, 2):
                if one[a] != one[b] and two[a] != two[b]:
                    counted += 1
                    agreed += (one[a] < one[b]) == (two[a] < two[b])
    assert counted > 500
    assert 0.70 < agreed / counted < 0.88


@pytest.mark.parametrize("text", ["", "\ud800", "x" * 5000, "\n\n"])
def test_labelers_cope_with_any_text(text: str) -> None:
    labeler = World(0).labeler(1, "train")
    assert labeler.write(text)
    assert labeler.place(text, [text, "Yes.", "No.", text])[0] == labeler.place(text, [text, "Yes.", "No.", text])[3]
