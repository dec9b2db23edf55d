import json
from pathlib import Path

import pytest

from training.contract.rows import RowError, read_rows, write_rows

RANKING = {
    "ranking_id": "r1",
    "prompt_id": "p1",
    "prompt": "Name a fruit.",
    "completions": ["An apple.", "A stone."],
    "ranks": [1, 2],
    "labeler": "l1",
    "cohort": "training",
    "use_case": "open_qa",
    "split": "train",
}


COMPLETION = {
    "prompt_id": "p1",
    "prompt": "Name a fruit.",
    "sample": 0,
    "completion": "An apple.",
    "finished": True,
    "token_ids": [5, 0],
    "logprobs": [-0.5, -1],
    "use_case": "open_qa",
}


def test_a_completion_may_lack_what_older_files_lack_and_the_tokens_of_a_server(tmp_path: Path) -> None:
    path = tmp_path / "completions.jsonl"
    rows = [
        COMPLETION,
        COMPLETION | {"policy": "policy_2", "seed": 7, "reward": 1.5, "mean_reward": -1},
        COMPLETION | {"token_ids": [], "logprobs": []},
    ]
    write_rows(path, "completions", rows)
    assert read_rows(path, "completions") == rows


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"policy": ""}, "has a bad field 'policy'"),
        ({"seed": -1}, "has a bad field 'seed'"),
        ({"reward": "good"}, "has a bad field 'reward': it must be a number"),
        ({"token_ids": []}, "has 0 token_ids but 2 logprobs"),
    ],
)
def test_a_bad_completion_is_refused(tmp_path: Path, change: dict[str, object], sentence: str) -> None:
    with pytest.raises(RowError, match=sentence):
        write_rows(tmp_path / "completions.jsonl", "completions", [COMPLETION | change])


QUESTION = {"task": "fruit", "prompt": "Which is a fruit?", "choices": ["A stone.", "An apple."], "answer": "An apple."}


def test_a_question_is_to_choose_or_to_answer_freely(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    rows = [QUESTION, QUESTION | {"choices": [], "answer": "apple"}]
    write_rows(path, "questions", rows)
    assert read_rows(path, "questions") == rows


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"task": " "}, "has a bad field 'task'"),
        ({"answer": "A plum."}, "has the answer 'A plum.', which is none of its choices"),
        ({"answer": 1}, "has a bad field 'answer'"),
        ({"choices": ["An apple."]}, "has a bad field 'choices': it must be a list of two or more"),
        ({"choices": ["An apple.", ""]}, "has a bad field 'choices'"),
    ],
)
def test_a_bad_question_is_refused(tmp_path: Path, change: dict[str, object], sentence: str) -> None:
    with pytest.raises(RowError, match=sentence):
        write_rows(tmp_path / "questions.jsonl", "questions", [QUESTION | change])


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "rankings.jsonl"
    assert write_rows(path, "rankings", [RANKING, RANKING]) == 2
    assert read_rows(path, "rankings") == [RANKING, RANKING]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"ranks": [1]}, "ranks 1 completions but holds 2"),
        ({"ranks": [0, 1]}, "has the rank 0"),
        ({"completions": ["A stone."], "ranks": [1]}, "needs at least 2"),
        ({"prompt": ""}, "has a bad field 'prompt'"),
        ({"ranks": "12"}, "has a bad field 'ranks'"),
        ({"labeler": None}, "has a bad field 'labeler'"),
    ],
)
def test_a_bad_ranking_is_refused_by_file_and_line(tmp_path: Path, change: dict[str, object], sentence: str) -> None:
    path = tmp_path / "rankings.jsonl"
    path.write_text(json.dumps(RANKING) + "\n" + json.dumps(RANKING | change) + "\n")
    with pytest.raises(RowError, match=r"file rankings.jsonl line 2: .*" + sentence):
        read_rows(path, "rankings")


def test_a_torn_line_is_refused_by_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text('{"text": "one"}\n{"text": "tw')
    with pytest.raises(RowError, match=r"file texts.jsonl line 2: this is not JSON"):
        read_rows(path, "texts")


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text('{"prompt": "Hello"}\n')
    with pytest.raises(RowError, match="line 1: the row has no field 'prompt_id'"):
        read_rows(path, "prompts")


def test_an_empty_dataset_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text("")
    with pytest.raises(RowError, match=r"texts.jsonl holds no rows"):
        read_rows(path, "texts")


def test_a_bad_row_leaves_no_file_behind(tmp_path: Path) -> None:
    with pytest.raises(RowError, match="line 2"):
        write_rows(tmp_path / "texts.jsonl", "texts", [{"text": "fine"}, {"text": 3}])
    assert list(tmp_path.iterdir()) == []
