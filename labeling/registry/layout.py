"""PURE. Where the boxes of a lineage stand: columns from left to right by what was made from what.

The layered drawing of Sugiyama, Tagawa and Toda (1981), as far as a history needs it: a node's column is one right of
the last of its sources, the long edges of a node share a bend in every column that they cross, and a few sweeps put
each node near the middle of its neighbours.
"""

import itertools
from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Generic, NamedTuple, TypeVar

N = TypeVar("N", bound=Hashable)

WIDTH, HEIGHT = 184, 54  # of a box, in pixels
BETWEEN_COLUMNS, BETWEEN_ROWS = 56, 14
BEND = 10  # the height that a line takes where it passes through a column
SWEEPS = 6
ONE_LOOK = 480  # a drawing up to this height is seen whole


class Place(NamedTuple):
    """The upper left corner of a box."""

    x: float
    y: float


class Line(NamedTuple, Generic[N]):
    source: N
    target: N
    points: list[tuple[float, float]]  # from the right side of one box to the left side of the other


class Drawing(NamedTuple, Generic[N]):
    places: dict[N, Place]
    lines: list[Line[N]]
    width: float
    height: float


class _Bend(NamedTuple):
    """Where lines of one source pass through a column: all of them together, or a busy node would be a comb."""

    source: Hashable
    column: int


def layout(nodes: Sequence[N], edges: Sequence[tuple[N, N]]) -> "Drawing[N]":
    """The drawing; edges between the same two nodes are one line. An edge that would close a circle is left out."""
    forward = _without_circles(nodes, list(dict.fromkeys(edges)))
    column = _columns(nodes, forward)
    chains = [_chain(edge, column) for edge in forward]
    columns: dict[int, list[Hashable]] = defaultdict(list)
    for node in nodes:
        columns[column[node]].append(node)
    bends: dict[Hashable, int] = {}
    for chain in chains:
        for bend in chain[1:-1]:
            bends[bend] = bend.column  # type: ignore[attr-defined]
    for bend, at in bends.items():
        columns[at].append(bend)
    near: tuple[dict[Hashable, list[Hashable]], ...] = (defaultdict(list), defaultdict(list))
    for chain in chains:
        for left, right in itertools.pairwise(chain):
            near[0][right].append(left)
            near[1][left].append(right)
    _sweep(columns, near)
    places = _places(columns)
    drawn = {node: places[node] for node in nodes}
    lines = [Line(*forward[number], _points(chain, places)) for number, chain in enumerate(chains)]
    bottoms = [place.y + _height(node) for node, place in places.items()]
    return Drawing(
        drawn,
        lines,
        (max(columns, default=-1) + 1) * (WIDTH + BETWEEN_COLUMNS) - BETWEEN_COLUMNS,
        max(bottoms, default=0),
    )


def _without_circles(nodes: Sequence[N], edges: list[tuple[N, N]]) -> list[tuple[N, N]]:
    """A history has no circles; a row that says otherwise must not hang the page."""
    targets: dict[N, list[N]] = defaultdict(list)
    for source, target in edges:
        targets[source].append(target)
    done, on_path, back = set[N](), set[N](), set[tuple[N, N]]()
    for root in nodes:
        path = [(root, iter(targets[root]))] if root not in done else []
        on_path |= {root} if path else set()
        while path:
            at, rest = path[-1]
            for other in rest:
                if other in on_path:
                    back.add((at, other))
                elif other not in done:
                    path.append((other, iter(targets[other])))
                    on_path.add(other)
                    break
            else:
                path.pop()
                on_path.discard(at)
                done.add(at)
    return [edge for edge in edges if edge not in back]


def _columns(nodes: Sequence[N], edges: list[tuple[N, N]]) -> dict[N, int]:
    """The longest way from a source; then what only feeds later columns moves right, next to its first user."""
    sources, targets = defaultdict(list), defaultdict(list)
    for source, target in edges:
        sources[target].append(source)
        targets[source].append(target)
    column: dict[N, int] = {}
    order: list[N] = []
    waiting = {node: len(sources[node]) for node in nodes}
    ready = [node for node in nodes if not waiting[node]]
    while ready:
        node = ready.pop(0)
        order.append(node)
        column[node] = max((column[source] + 1 for source in sources[node]), default=0)
        for target in targets[node]:
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    for node in reversed(order):
        if not sources[node] and targets[node]:
            column[node] = min(column[target] for target in targets[node]) - 1
    return column


def _chain(edge: tuple[N, N], column: dict[N, int]) -> list[Hashable]:
    source, target = edge
    bends = [_Bend(source, at) for at in range(column[source] + 1, column[target])]
    return [source, *bends, target]


def _sweep(columns: dict[int, list[Hashable]], near: tuple[dict[Hashable, list[Hashable]], ...]) -> None:
    """Order each column by the mean place of the neighbours to its left, then to its right, and so on."""
    for sweep in range(SWEEPS):
        order = sorted(columns, reverse=bool(sweep % 2))
        neighbours = near[sweep % 2]
        for at in order[1:]:
            before = columns.get(at + 1 if sweep % 2 else at - 1, [])
            place = {node: (row + 0.5) / len(before) for row, node in enumerate(before)}
            own = {node: (row + 0.5) / len(columns[at]) for row, node in enumerate(columns[at])}

            def middle(node: Hashable, place: dict[Hashable, float] = place, own: dict[Hashable, float] = own) -> float:
                known = [place[other] for other in neighbours[node] if other in place]  # noqa: B023 (used at once)
                return sum(known) / len(known) if known else own[node]

            columns[at].sort(key=middle)


def _places(columns: dict[int, list[Hashable]]) -> dict[Hashable, Place]:
    """Each column from top to bottom, all of them centered on one line; in a tall drawing, of which one sees a part at
    a time, from the top on."""
    heights = {at: sum(map(_height, column)) + BETWEEN_ROWS * (len(column) - 1) for at, column in columns.items()}
    tallest = max(heights.values(), default=0)
    places: dict[Hashable, Place] = {}
    for at, column in columns.items():
        y = (tallest - heights[at]) / 2 if tallest <= ONE_LOOK else 0.0
        for node in column:
            places[node] = Place(at * (WIDTH + BETWEEN_COLUMNS), y)
            y += _height(node) + BETWEEN_ROWS
    return places


def _points(chain: list[Hashable], places: dict[Hashable, Place]) -> list[tuple[float, float]]:
    first, *bends, last = chain
    points = [(places[first].x + WIDTH, places[first].y + HEIGHT / 2)]
    for bend in bends:  # straight through the column
        x, y = places[bend]
        points += [(x, y + BEND / 2), (x + WIDTH, y + BEND / 2)]
    return [*points, (places[last].x, places[last].y + HEIGHT / 2)]


def _height(node: Hashable) -> float:
    return BEND if isinstance(node, _Bend) else HEIGHT
