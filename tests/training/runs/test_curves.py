"""Curves in columns, thinned, smoothed, and followed while a file grows, is cut and grows again."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.contract.metrics import Mark, MetricsWriter, read_since
from training.runs.curves import View, news, overview
from training.runs.series import Columns, Store
from training.runs.thin import smoothed, thin


def test_a_spike_and_a_gap_of_one_point_outlive_thinning() -> None:
    x = np.arange(100_000.0)
    y = np.sin(x / 5000)
    y[31_234], y[77_777], y[50_001] = 90.0, -90.0, np.nan
    kept = thin(x, y, 300)
    assert len(kept) <= 3 * 300 + 2
    assert {0, 31_234, 77_777, 50_001, 99_999} <= set(kept.tolist())
    assert (np.diff(kept) > 0).all()


def test_every_bucket_keeps_its_lowest_and_highest() -> None:
    x = np.arange(12.0)
    y = np.array([0, 5, 1, 2, 9, 7, 8, 8, 4, 3, 6, 5.0])  # of each three the extremes: 0 5 | 2 9 | 4 8 | 3 6
    assert thin(x, y, 4).tolist() == [0, 1, 3, 4, 6, 8, 9, 10, 11]


def test_few_points_are_all_kept() -> None:
    assert thin(np.arange(5.0), np.full(5, np.nan), 3).tolist() == [0, 1, 2, 3, 4]
    assert thin(np.zeros(0), np.zeros(0), 3).tolist() == []


def test_points_at_one_place_and_nothing_but_gaps() -> None:
    assert thin(np.zeros(50), np.arange(50.0), 2).tolist() == [0, 49]
    assert thin(np.arange(50.0), np.full(50, np.nan), 2).tolist() == [0, 25, 49]


def test_smoothing_by_hand() -> None:
    """Weight 0.5: states .5·2 = 1, .5·1 + .5·4 = 2.5; over 1 - .5 and 1 - .25."""
    values, state = smoothed(np.array([2.0, np.nan, 4.0]), 0.5)
    assert values[0] == pytest.approx(2.0)
    assert np.isnan(values[1])
    assert values[2] == pytest.approx(10 / 3)
    assert state == pytest.approx(2.5)


def test_a_constant_stays_what_it_is_from_the_first_point_on() -> None:
    values, _ = smoothed(np.full(50, 3.0), 0.99)
    assert values == pytest.approx(np.full(50, 3.0))


def test_a_step_that_comes_again_replaces_the_later_ones() -> None:
    columns = Columns()
    columns.append([{"step": step, "time": 1.0, "a": float(step)} for step in (1, 2, 3)])
    columns.append([{"step": 2, "time": 5.0, "a": None, "word": "no curve"}])
    curve = columns.curve("a")
    assert curve.steps.tolist() == [1, 2]
    assert curve.times.tolist() == [1.0, 5.0]
    assert np.isnan(curve.values[1])
    assert columns.names == ["a"]


def test_two_rows_of_one_step_with_curves_of_their_own_are_both_kept() -> None:
    """As pretraining writes them: the loss of the step, then its validation."""
    columns = Columns()
    columns.append([{"step": 1, "time": 1.0, "loss": 2.0}, {"step": 1, "time": 2.0, "val/loss": 3.0}])
    assert columns.curve("loss").values.tolist() == [2.0]
    assert columns.curve("val/loss").values.tolist() == [3.0]


def write(path: Path, first: int, last: int, resumed: int = 0, value: float = 1.0) -> None:
    writer = MetricsWriter(path, resumed_step=resumed)
    for step in range(first, last + 1):
        writer.write(step, {"loss": value})
    writer.close()


def test_what_is_new_is_read_once_and_a_torn_line_waits(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    assert read_since(path, Mark()) == ([], Mark())
    write(path, 1, 3)
    rows, mark = read_since(path, Mark()) or pytest.fail("cut?")
    assert [row["step"] for row in rows] == [1, 2, 3]
    with path.open("a") as file:
        file.write('{"step": 4, "ti')
    assert read_since(path, mark) == ([], mark)
    with path.open("a") as file:
        file.write('me": 1.0, "loss": 5}\n')
    rows, _ = read_since(path, mark) or pytest.fail("cut?")
    assert rows == [{"step": 4, "time": 1.0, "loss": 5}]


def test_a_file_that_was_cut_and_is_longer_than_before_is_noticed(tmp_path: Path) -> None:
    """By its length alone it would not be, and the old rows would stay."""
    path = tmp_path / "metrics.jsonl"
    store = Store()
    write(path, 1, 6)
    assert store.of(path).curve("loss").values.tolist() == [1.0] * 6
    mark = store.of(path).mark
    time.sleep(0.002)
    write(path, 4, 9, resumed=3, value=2.0)
    assert path.stat().st_size > mark.offset
    assert read_since(path, mark) is None
    assert news(path, mark) == {"again": True}
    assert store.of(path).curve("loss").values.tolist() == [1.0] * 3 + [2.0] * 6


def test_a_file_that_was_laid_aside_leaves_no_curves(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    store = Store()
    write(path, 1, 6)
    store.of(path)
    path.rename(tmp_path / "earlier.jsonl")
    assert store.of(path).names == []


def test_the_least_recently_used_run_is_forgotten_and_read_again(tmp_path: Path) -> None:
    store = Store(max_points=10)
    for name in ("a", "b"):
        write(tmp_path / name, 1, 6)
        store.of(tmp_path / name)
    assert list(store._known) == [tmp_path / "b"]
    assert store.of(tmp_path / "a").points == 6


def test_an_overview_is_bounded_and_a_range_has_more_detail(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    rows = ({"step": step, "time": 60.0 * step, "loss": step % 7, "rare": 1.0} for step in range(1, 5001))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    seen = overview(path, View(buckets=50, names=["loss"]))
    assert list(seen["curves"]) == ["loss"]
    assert len(seen["curves"]["loss"]["x"]) <= 152
    assert seen["curves"]["loss"]["points"] == 5000
    near = overview(path, View(buckets=50, low=1000, high=1040))["curves"]["loss"]
    assert near["x"] == list(range(999, 1042))
    assert near["y"] == [step % 7 for step in range(999, 1042)]
    by_time = overview(path, View(x="minutes", low=9.5, high=11.5))["curves"]["loss"]
    assert by_time["x"] == [9, 10, 11, 12]  # minutes since the first row


def test_an_average_goes_on_from_the_state_that_the_overview_gives(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    write(path, 1, 2, value=3.0)
    line = overview(path, View(smooth=0.5))["curves"]["loss"]["smooth"]
    assert (line["state"], line["count"]) == (2.25, 2)  # 1.5, then .5 · 1.5 + .5 · 3
    assert line["y"] == [3, 3]


def test_news_of_a_long_run_cost_the_server_little(tmp_path: Path) -> None:
    """A poll reads what is new and nothing else, however long the run is: below 20 ms of CPU, mostly far below."""
    path = tmp_path / "metrics.jsonl"
    names = [f"metric/{index}" for index in range(16)]
    line = json.dumps({"step": 1, "time": 1.0} | dict.fromkeys(names, 0.123456789))
    path.write_text((line + "\n") * 20_000)
    _, mark = read_since(path, Mark()) or pytest.fail("cut?")

    def poll() -> float:
        began = time.process_time()
        answer = news(path, mark)
        spent = time.process_time() - began
        assert len(answer["rows"]) == 5
        return spent

    with path.open("a") as file:
        file.write((line + "\n") * 5)
    assert min(poll() for _ in range(5)) < 0.02


@pytest.mark.parametrize("text", ["", "5", "-3-4", "1e3-4", "9" * 16 + "-1"])
def test_what_is_no_mark_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Mark.parse(text)


def test_marks_are_texts_and_back(tmp_path: Path) -> None:
    mark: Any = Mark(812, 77)
    assert Mark.parse(str(mark)) == mark
