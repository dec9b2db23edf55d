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
