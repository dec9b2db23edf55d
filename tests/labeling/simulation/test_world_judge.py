"""The judge against verdicts written by hand."""

import pytest

from labeling.simulation.world import judge

FOX = "Where does the fox live?"


@pytest.mark.parametrize("answer", ["The fox lives in the forest.", "In the forest."])
def test_the_right_answer_is_exact_and_costs_nothing(answer: str) -> None:
    verdict = judge(FOX, answer)
    assert verdict.exact
    assert verdict.total == pytest.approx(3.0)


def test_the_right_word_in_other_words_follows_by_six_tenths() -> None:
    verdict = judge(FOX, "The fox lives in the forest. It eats mice.")
    assert verdict.follow == pytest.approx(0.2)  # mice were not asked for
    assert judge(FOX, "It lives in the forest.").follow == pytest.approx(0.6)
    assert not judge(FOX, "It lives in the forest.").exact


def test_another_animal_hardly_follows() -> None:
    assert judge(FOX, "The owl lives in the forest.").follow == pytest.approx(0.2)
    assert judge(FOX, "The shark lives in the sea.").follow == 0.0


def test_rude_words_cost_two() -> None:
    verdict = judge(FOX, "The fox lives in the forest. You are an idiot.")
    assert verdict.rude
    assert not verdict.exact
    # .6 of 3 for following, 2 for the word, and the ramble is longer than the question needs:
    # ten words where six are right and two are spared, at .08 a word.
    assert verdict.total <= 3 * 0.6 - 2.0 - 0.08 * 2


def test_a_text_cut_off_has_a_bad_end() -> None:
    verdict = judge(FOX, "The fox lives in the")
    assert verdict.bad_end
    assert verdict.follow == 0.0
    assert judge(FOX, "In the forest").total == pytest.approx(2.0)
    assert not judge(FOX, "In the forest").exact


def test_word_salad_is_odd() -> None:
    assert judge(FOX, "Forest the mice in fox lives the.").odd == 1.0


def test_saying_it_twice_is_repeated() -> None:
    verdict = judge(FOX, "In the forest. In the forest.")
    assert verdict.repeated
    assert not verdict.exact


def test_a_new_line_is_noticed() -> None:
    assert judge(FOX, "In the forest.\nThe fox.").newline


def test_one_word_means_one_word() -> None:
    prompt = "Answer in one word: Where does the fox live?"
    assert judge(prompt, "Forest.").exact
    assert judge(prompt, "The fox lives in the forest.").follow == pytest.approx(0.3)


def test_lists_count_right_and_wrong_things() -> None:
    prompt = "List three animals that live in the sea."
    assert judge(prompt, "A seal, a crab and a shark.").exact
    assert judge(prompt, "A seal and a crab.").follow == pytest.approx(2 / 3)
    assert judge(prompt, "A seal, a crab and a fox.").follow == pytest.approx(1 / 3)
    assert judge(prompt, "A seal, a seal and a seal.").follow == 0.0  # one right, two repeated at one half each


def test_facts_are_counted_and_foreign_ones_spoil_it() -> None:
    prompt = "Write two sentences about the fox."
    assert judge(prompt, "The fox eats mice. It can run.").exact
    assert judge(prompt, "The fox eats mice.").follow == pytest.approx(0.5)
    assert judge(prompt, "The fox eats mice. It eats grass.").follow == pytest.approx(0.25)
    assert judge(prompt, "The fox eats mice. The owl can fly.").follow == pytest.approx(0.1)
    assert judge(prompt, "The owl eats mice. It can fly.").follow == 0.0


def test_stories_need_the_person_and_the_animal_and_nobody_else() -> None:
    prompt = "Write a short story about Anna and an owl."
    right = "One day Anna met an owl at the park. Anna said hello to the owl. Then Anna went home."
    assert judge(prompt, right).exact
    assert judge(prompt, right.replace("Anna", "Ben")).follow == pytest.approx(0.2)
    assert not judge(prompt, right.replace("the owl", "the fox")).exact


def test_rewriting_keeps_the_words() -> None:
    prompt = "Put this in the past: David drives to the station."
    assert judge(prompt, "David drove to the station.").exact
    assert judge(prompt, "David drove to the market.").follow < 0.2
    polite = "Make this polite: Open the door."
    assert judge(polite, "Please open the door.").exact
    assert judge(polite, "Could you open the door, please?").exact
    assert judge(polite, "Open the door.").follow < 0.5


def test_a_kind_word_fits_the_feeling_and_the_name() -> None:
    prompt = "My name is Emma and I feel sad."
    assert judge(prompt, "I am sorry to hear that, Emma.").exact
    assert judge(prompt, "I am glad to hear that, Emma.").follow < 0.2
    assert judge(prompt, "I am sorry to hear that, Tom.").follow < 0.2


@pytest.mark.parametrize("text", ["", " ", "\n", "\ud800", "a" * 10_000, "?!.,;", "ñandú 東京 🦊", "\x00"])
def test_any_text_can_be_judged(text: str) -> None:
    assert -9 < judge(FOX, text).total < 3
    assert -9 < judge(text, "The fox eats mice.").total <= 0
