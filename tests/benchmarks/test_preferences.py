"""The benchmark of reward models reads its data and counts as it says; expected values are by hand."""

import gzip
import json
import math
from collections import Counter
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from benchmarks.preferences import peer
from benchmarks.preferences.folders import Root, Seconds, seconds_between, time_of_all
from benchmarks.preferences.sources import (
    BadSource,
    Preferences,
    Ranked,
    demonstration_rows,
    fitted,
    read_alpaca_eval_kwise,
    read_hh_rlhf,
)
from benchmarks.preferences.start import fine_tuned, may_be_seen
from benchmarks.preferences.statistics import Tally, accuracy, compare, log_loss, tally, together
from benchmarks.preferences.trials import OURS, Arena, Setting
from training.contract.status import read_status
from training.rlhf.word_tokenizer import train_word_tokenizer


def write(file: Path, rows: list[dict]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(file, "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)


def dialogue(*turns: str) -> str:
    return "".join(f"\n\n{'Assistant' if number % 2 else 'Human'}: {turn}" for number, turn in enumerate(turns))


def pair(before: tuple[str, ...], chosen: str, rejected: str) -> dict[str, str]:
    return {"chosen": dialogue(*before, chosen), "rejected": dialogue(*before, rejected)}


def test_dialogues_become_a_prompt_and_two_replies(tmp_path: Path) -> None:
    write(tmp_path / "helpful" / "train.jsonl.gz", [pair(("Hi", "Hello.", "Who are you?"), "A friend.", "No.")])
    write(tmp_path / "helpful" / "test.jsonl.gz", [pair(("Bye",), "See you.", "What?")])
    found = read_hh_rlhf(tmp_path)
    prompt = "Human: Hi\n\nAssistant: Hello.\n\nHuman: Who are you?\n\nAssistant:"
    assert found.train == [Ranked(prompt, ("A friend.", "No."), (1, 2), "helpful", "hi")]
    assert [row.completions for row in found.test] == [("See you.", "What?")]
    assert not found.dropped


def test_rows_that_say_nothing_are_counted_by_their_reason(tmp_path: Path) -> None:
    good = pair(("Why?",), "Because.", "No.")
    bad = [
        pair(("Same",), "Yes.", "Yes."),
        {"chosen": dialogue("One", "Yes."), "rejected": dialogue("Other", "No.")},
        pair(("Empty",), "Yes.", " "),
        pair(("Unanswered",), "Yes.\n\nHuman: And then?", "No."),
        good,
        pair(("  GOOD-bye!",), "Yes.", "No."),  # the test dialogue begins so, but for its case and marks
    ]
    write(tmp_path / "helpful" / "train.jsonl.gz", [good, *bad])
    write(tmp_path / "helpful" / "test.jsonl.gz", [pair(("Good bye",), "See you.", "What?")])
    found = read_hh_rlhf(tmp_path)
    assert [row.completions for row in found.train] == [("Because.", "No.")]
    assert found.dropped == {
        "the two replies are the same": 1,
        "the dialogues differ before the last reply": 1,
        "a reply is empty": 1,
        "the dialogue does not end with a reply": 1,
        "the same row again": 1,
        "training dialogue begins as a test dialogue does": 1,
    }


def test_scores_of_a_judge_become_ranks(tmp_path: Path) -> None:
    def row(prompt: str, *scored: tuple[str, float]) -> dict:
        completions = [{"model": "m", "text": text, "judge_score": score} for text, score in scored]
        return {"id": prompt, "prompt": prompt, "dataset": "koala", "judge": "j", "completions": completions}

    rows = [
        row("p", ("low", 0.1), ("high", 0.9), ("tied", 0.1), ("", 0.5), ("high", 0.9)),
        row("flat", ("a", 0), ("b", 0)),
    ]
    write(tmp_path / "kwise.jsonl.gz", rows)
    found = read_alpaca_eval_kwise(tmp_path)
    assert [*found.train, *found.test] == [Ranked("p", ("low", "high", "tied"), (2, 1, 2), "koala", "p")]
    assert found.dropped == {
        "empty completion": 1,
        "completion given twice with one score": 1,
        "prompt without two different scores": 1,
    }


def test_a_broken_file_is_refused_with_its_line(tmp_path: Path) -> None:
    write(tmp_path / "kwise.jsonl.gz", [])
    with gzip.open(tmp_path / "kwise.jsonl.gz", "at") as out:
        out.write("{broken\n")
    with pytest.raises(BadSource, match="line 1 is not JSON"):
        read_alpaca_eval_kwise(tmp_path)
    with pytest.raises(BadSource, match=r"There is no \*/test.jsonl.gz"):
        read_hh_rlhf(tmp_path)


def test_no_family_stands_on_both_sides_of_the_development_split() -> None:
    rows = [Ranked(f"p{number}", ("a", "b"), (1, 2), "", f"family {number % 100}") for number in range(300)]
    split = Preferences(rows, []).development()
    assert sorted([*split.train, *split.test]) == sorted(rows)
    families = [{row.family for row in side} for side in (split.train, split.test)]
    assert not families[0] & families[1] and 10 <= len(families[1]) <= 30  # a fifth of a hundred, by chance


def test_the_sft_before_sees_no_dialogue_that_is_judged() -> None:
    """Neither the held-out row itself, nor a training row of another part that begins like it."""
    talk = {
        name: Ranked(name, ("a", "b"), (1, 2), "", name.split()[0]) for name in ("one x", "one y", "two x", "three x")
    }
    whole = Preferences([talk["one x"], talk["one y"], talk["two x"]], [talk["three x"]])
    part = Preferences([talk["two x"]], [talk["one x"]])
    assert may_be_seen(whole, part) == [talk["two x"]]


def test_a_demonstration_is_the_answer_that_was_preferred() -> None:
    rows = [Ranked("p", ("low", "high"), (2, 1), "part", "f"), Ranked("q", ("first", "second"), (1, 2), "part", "g")]
    found = list(demonstration_rows(rows, "train"))
    assert [(row["prompt"], row["completion"]) for row in found] == [("p", "high"), ("q", "first")]


def test_what_does_not_fit_the_context_is_cut_or_counted() -> None:
    def words(text: str) -> int:
        return len(text.split())

    dropped: Counter[str] = Counter()
    talk = Ranked(
        "Human: one two\n\nAssistant: three\n\nHuman: four\n\nAssistant:", ("a", "b b", "c c c"), (3, 1, 2), "", ""
    )
    long_turn = Ranked("Human: one two three four five six\n\nAssistant:", ("a", "b"), (1, 2), "", "")
    one_left = Ranked("Human: one\n\nAssistant:", ("a", "b b b"), (1, 2), "", "")
    found = fitted([talk, long_turn, one_left], words, max_prompt=4, max_completion=2, dropped=dropped)
    assert found == [talk._replace(prompt="Human: four\n\nAssistant:", completions=("a", "b b"), ranks=(3, 1))]
    assert dropped == {
        "prompt longer than the limit": 1,
        "completion longer than the limit": 2,
        "ranking without two completions of different rank left": 1,
    }


def test_a_tally_counts_pairs_and_nats() -> None:
    """Margins 2, 0 and -1: right, half and wrong."""
    found = tally([(0, 1), (1, 2), (1, 3)], [3.0, 1.0, 1.0, 2.0])
    assert (found.right, found.pairs) == (1.5, 3)
    by_hand = math.log(1 + math.exp(-2)) + math.log(2) + math.log(1 + math.exp(1))
    assert found.loss == pytest.approx(by_hand)
    assert log_loss([found]) == pytest.approx(by_hand / 3) and accuracy([found]) == 0.5


def test_pairs_count_alike_whichever_prompt_they_are_of() -> None:
    tallies = together([[Tally(1, 0.5, 1), Tally(0, 1.0, 3)], [Tally(0, 0.5, 1), Tally(3, 2.0, 3)]])
    assert tallies == [Tally(1, 1.0, 2), Tally(3, 3.0, 6)]
    assert accuracy(tallies) == 4 / 8 and log_loss(tallies) == 4.0 / 8


def test_intervals_resample_prompts_and_not_pairs() -> None:
    one = compare([Tally(50, 0.0, 100)], [Tally(25, 0.0, 100)])
    assert one.ours == (0.5, 0.5, 0.5) and one.difference == (0.25, 0.25, 0.25)
    two = compare([Tally(1, 0.0, 1), Tally(0, 0.0, 3)], [Tally(0, 0.0, 1), Tally(3, 0.0, 3)])
    # Both prompts, or one of them twice (a quarter of the draws each): the bounds are those of the single prompts.
    assert two.ours == (0.25, 0.0, 1.0) and two.peer == (0.75, 0.0, 1.0) and two.difference == (-0.5, -1.0, 1.0)


def test_the_difference_is_paired() -> None:
    """Prompts differ much, the two models by a tenth on each: the interval of the difference has no width."""
    ours = [Tally(number, 0.0, 10) for number in range(1, 11)]
    peer = [Tally(number - 1, 0.0, 10) for number in range(1, 11)]
    found = compare(ours, peer)
    assert found.difference == pytest.approx((0.1, 0.1, 0.1))
    assert found.ours.high - found.ours.low > 0.2


def test_cpu_seconds_are_read_between_two_moments() -> None:
    clock = [(10.0, 1.0), (11.0, 2.0), (12.0, 2.5), (13.0, 3.5)]
    assert seconds_between(clock, 10.5, 12.5) == (1.5, 2.0)  # 3.0 - 1.5 CPU seconds
    assert Seconds(3.0, 6.0).of_all(steps=4) == (4.0, 8.0)  # the first of four steps is not in it


def test_the_pause_of_a_run_that_goes_on_is_no_training_time() -> None:
    """Two steps before it was ended, four after: three of them in 3 s and 1.5 CPU seconds, so six in 6 s and 3."""
    clock = [(100.0, 2.0), (104.0, 4.0), (108.0, 6.0)]
    assert time_of_all(clock, [10.0, 11.0, 102.0, 103.0, 104.0, 105.0]) == (3.0, 6.0)
    assert all(map(math.isnan, time_of_all(clock, [10.0, 11.0, 102.0])))  # one step tells no time


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Arena:
    """Two-layer random weights, and a few rankings."""
    root = Root(tmp_path_factory.mktemp("artifacts"))
    base = root.path / "runs" / "base"
    tokenizer: PreTrainedTokenizerFast = train_word_tokenizer(["a b c d"], min_count=1, vocab_size=300)
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **shape)).save_pretrained(base / "checkpoint")
    tokenizer.save_pretrained(base / "checkpoint")
    rows = [Ranked(f"a {'b ' * n}", ("c", "d d", "a c d"), (1, 2, 2), "part", str(n)) for n in range(1, 6)]
    return Arena(root, base, Preferences(rows[:4], rows[4:]), 50, 50)


def test_both_trainers_begin_with_the_same_weights_and_learn_the_same_pairs(arena: Arena, tmp_path: Path) -> None:
    trial = arena.trial(OURS, Setting(lr=1e-12, batch=2), seed=3)
    theirs = load_file(peer.start(arena.base / "checkpoint", arena.tokenizer, 3, tmp_path) / "model.safetensors")
    trained = load_file(next(arena.root.path.glob("runs/reward_model-*/checkpoint/model.safetensors")))
    assert theirs["score.weight"].std() > 0.1  # 1 / sqrt(17) = 0.24 by intention: a head is drawn
    for name, weight in trained.items():
        torch.testing.assert_close(weight, theirs[name], atol=1e-6, rtol=0)
    pairs = peer.pair_rows(arena.train)
    assert len(pairs) == trial.comparisons == 4 * 2  # four prompts; a tie is no comparison
    better, worse = pairs[1]["chosen_ids"], pairs[1]["rejected_ids"]
    assert arena.tokenizer.decode(better, skip_special_tokens=True) == "a b \nc"
    assert arena.tokenizer.decode(worse, skip_special_tokens=True) == "a b \na c d"
    assert better[-1] == worse[-1] == arena.tokenizer.eos_token_id


def test_a_trial_is_kept_and_read_again(arena: Arena) -> None:
    first = arena.trial(OURS, Setting(lr=1e-3, batch=2), seed=1)
    assert (first.steps, len(first.scores), len(first.scores[0])) == (2, 1, 3)
    assert first.seconds.cpu > 0 and first.rate > 0
    assert arena.trial(OURS, Setting(lr=1e-3, batch=2), seed=1) == first
    assert arena.lengths() == [[2.0, 3.0, 4.0]]  # words and the end token


def test_a_start_is_fine_tuned_once_on_what_fits(arena: Arena) -> None:
    """Two epochs of 16 answers are two steps of 16. It is not made again, and answers of 60 tokens are not in it."""
    rows = [Ranked(f"a {'b ' * n}", ("c", "a d"), (2, 1), "part", str(n)) for n in range(1, 17)]
    too_long = Ranked("a b", ("c " * 60, "d " * 60), (1, 2), "part", "17")
    start = fine_tuned(arena.root, arena.base, [*rows, too_long], 50, 50)
    status = read_status(start / "status.json")
    assert status is not None and status["result"] == {"demonstrations": 16, "steps": 2}
    before = (start / "status.json").stat().st_mtime_ns
    assert fine_tuned(arena.root, arena.base, rows, 50, 50) == start
    assert (start / "status.json").stat().st_mtime_ns == before
    trained, base = (load_file(folder / "checkpoint" / "model.safetensors") for folder in (start, arena.base))
    assert not torch.equal(trained["model.norm.weight"], base["model.norm.weight"])
