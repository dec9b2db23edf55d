"""Where boxes stand: columns by what was made from what, boxes apart, lines that do not run through boxes."""

import itertools
import random

from labeling.registry.layout import BETWEEN_COLUMNS, HEIGHT, WIDTH, Drawing, layout

STEP = WIDTH + BETWEEN_COLUMNS


def column(drawing: "Drawing[str]", node: str) -> int:
    return round(drawing.places[node].x / STEP)


def test_a_chain_goes_from_left_to_right() -> None:
    drawing = layout(["c", "a", "b"], [("a", "b"), ("b", "c")])
    assert [column(drawing, node) for node in "abc"] == [0, 1, 2]
    assert drawing.width == 3 * WIDTH + 2 * BETWEEN_COLUMNS
    assert drawing.height == HEIGHT


def test_what_only_feeds_a_late_step_stands_beside_it() -> None:
    drawing = layout(["a", "b", "c", "data"], [("a", "b"), ("b", "c"), ("data", "c")])
    assert column(drawing, "data") == 1


def test_a_row_that_closes_a_circle_does_not_hang() -> None:
    drawing = layout(["a", "b"], [("a", "b"), ("b", "a")])
    assert [column(drawing, node) for node in "ab"] == [0, 1]
    assert len(drawing.lines) == 1


def test_nothing_and_one() -> None:
    assert layout([], []).places == {}
    assert layout(["a"], []).width == WIDTH


def test_two_that_would_cross_are_put_in_order() -> None:
    drawing = layout(["a", "b", "x", "y"], [("a", "y"), ("b", "x")])
    above = drawing.places["a"].y < drawing.places["b"].y
    assert (drawing.places["y"].y < drawing.places["x"].y) == above


def test_fifty_nodes_stand_apart_and_lines_go_around_boxes() -> None:
    rng = random.Random(3)
    nodes = [f"n{number}" for number in range(50)]
    edges = [(nodes[rng.randrange(max(0, at - 12), at)], nodes[at]) for at in range(1, 50) for _ in range(2)]
    drawing = layout(nodes, edges)
    for one, other in itertools.combinations(drawing.places.values(), 2):
        assert one.x != other.x or abs(one.y - other.y) >= HEIGHT
    for line in drawing.lines:
        assert drawing.places[line.source].x < drawing.places[line.target].x
        for (x, y), (to_x, to_y) in zip(line.points[1:-1:2], line.points[2:-1:2], strict=True):  # through a column
            assert to_x - x == WIDTH
            assert y == to_y
            boxes = [place for place in drawing.places.values() if place.x == x]
            assert not any(place.y <= y <= place.y + HEIGHT for place in boxes)
