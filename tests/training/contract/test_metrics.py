from pathlib import Path

from training.contract.metrics import MetricsWriter, read_metrics


def test_a_resume_drops_the_rows_after_its_step(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    writer = MetricsWriter(path)
    for step in (1, 2, 3):
        writer.write(step, {"loss/policy": float(step)})
    writer.close()
    with path.open("a") as file:
        file.write('{"step": 4, "loss/pol')  # killed in the middle of a line
    resumed = MetricsWriter(path, resumed_step=2)
    resumed.write(3, {"loss/policy": 30.0})
    assert [(row["step"], row["loss/policy"]) for row in read_metrics(path)[0]] == [(1, 1.0), (2, 2.0), (3, 30.0)]


def test_the_tail_is_read_by_offset_and_only_in_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1, "a": 1}\n{"step": 2, "a": 2}\n{"step": 3, ')
    rows, offset = read_metrics(path)
    assert [row["step"] for row in rows] == [1, 2]
    with path.open("a") as file:
        file.write('"a": 3}\n')
    rows, offset = read_metrics(path, offset)
    assert [row["step"] for row in rows] == [3]
    assert read_metrics(path, offset) == ([], offset)


def test_a_file_that_shrank_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1, "a": 1}\n')
    assert [row["step"] for row in read_metrics(path, 500)[0]] == [1]


def test_a_value_that_is_not_finite_becomes_null(tmp_path: Path) -> None:
    MetricsWriter(tmp_path / "metrics.jsonl").write(1, {"val/loss": float("nan")})
    assert read_metrics(tmp_path / "metrics.jsonl")[0][0]["val/loss"] is None


def test_a_run_without_metrics_has_none(tmp_path: Path) -> None:
    assert read_metrics(tmp_path / "metrics.jsonl") == ([], 0)
