"""A lineage as a picture and as its text: boxes with links for an SVG, and a nested list that says the same."""

from typing import Any, NamedTuple

from django.urls import reverse

from labeling.registry.edges import RANKED
from labeling.registry.layout import HEIGHT, WIDTH, layout
from labeling.registry.lineage import Lineage
from labeling.templatetags.podium import label

LONGEST = 25  # characters of a line in a box
MARGIN = 8
CURVE = 28  # how far a line leaves its box straight


class Box(NamedTuple):
    key: str
    kind: str  # checkpoint, run or dataset: how it looks
    title: str
    about: str
    link: str
    x: float
    y: float
    is_here: bool
    is_gone: bool

    @property
    def text_x(self) -> float:
        return self.x + 12

    @property
    def text_y(self) -> float:
        return self.y + 23

    @property
    def about_y(self) -> float:
        return self.y + 41


class Picture(NamedTuple):
    boxes: list[Box]
    paths: list[str]
    width: float
    height: float
    box_width: int = WIDTH
    box_height: int = HEIGHT

    @property
    def fits(self) -> bool:
        """Whether it is still read well when a wide screen makes it as small as itself; else it scrolls."""
        return 1100 < self.width <= 1700


class Entry(NamedTuple):
    """A line of the nested list. `again` says that its own sources stand further up."""

    title: str
    about: str
    link: str
    role: str
    below: "list[Entry]"
    again: bool


class Texts(NamedTuple):
    title: str
    about: str
    link: str


def draw(lineage: Lineage) -> Picture:
    """What leads to the checkpoint and what was made of it. Runs that only measured are left to the list of uses."""
    texts = _texts(lineage)
    here = f"checkpoint:{lineage['checkpoint']}"
    sources = {edge["from"] for edge in lineage["edges"]}
    nodes = [
        key
        for key in dict.fromkeys([here, *lineage["made_from"], *lineage["used_by"]])
        if not key.startswith("run:") or key in sources
    ]
    shown = set(nodes)
    lines = [(edge["from"], edge["to"]) for edge in lineage["edges"] if {edge["from"], edge["to"]} <= shown]
    drawing = layout(nodes, lines)
    gone = {f"checkpoint:{row['id']}" for row in lineage["checkpoints"] if row["deleted"]}
    boxes = [
        Box(
            key,
            key.split(":")[0],
            _short(texts[key].title),
            _short(texts[key].about),
            texts[key].link,
            drawing.places[key].x + MARGIN,
            drawing.places[key].y + MARGIN,
            key == here,
            key in gone,
        )
        for key in nodes
    ]
    paths = [_path([(x + MARGIN, y + MARGIN) for x, y in line.points]) for line in drawing.lines]
    return Picture(boxes, paths, drawing.width + 2 * MARGIN, drawing.height + 2 * MARGIN)


def tell(lineage: Lineage) -> list[Entry]:
    """What it was made from, as a tree; what stands in it twice has its sources once."""
    return _tree(lineage, "to", "from")


def uses(lineage: Lineage) -> list[Entry]:
    """What it went into, as a tree."""
    return _tree(lineage, "from", "to")


def _tree(lineage: Lineage, near: str, far: str) -> list[Entry]:
    texts = _texts(lineage)
    edges: dict[str, list[tuple[str, str]]] = {}
    for edge in lineage["edges"]:
        edges.setdefault(edge[near], []).append((edge[far], edge["as"]))
    told: set[str] = set()

    def entry(key: str, role: str) -> Entry:
        again = key in told and key in edges
        told.add(key)
        below = [] if again else [entry(other, name) for other, name in edges.get(key, [])]
        return Entry(*texts[key], "ranked samples" if role == RANKED else label(role).lower(), below, again)

    return [entry(other, name) for other, name in edges.get(f"checkpoint:{lineage['checkpoint']}", [])]


def _texts(lineage: Lineage) -> dict[str, Texts]:
    runs = {row["id"]: row for row in lineage["runs"]}
    rounds = {row["id"]: row["name"] for row in lineage["rounds"]}
    found = {}
    for row in lineage["checkpoints"]:
        run = runs.get(row["run"])
        found[f"checkpoint:{row['id']}"] = Texts(
            _title(run, rounds) or row["name"],
            "from elsewhere" if run is None else "weights deleted" if row["deleted"] else _about(run, rounds),
            reverse("checkpoint-detail", args=[row["id"]]),
        )
    for row in lineage["runs"]:
        found[f"run:{row['id']}"] = Texts(
            _title(row, rounds) or row["name"], _about(row, rounds), reverse("run-detail", args=[row["id"]])
        )
    for row in lineage["datasets"]:
        found[f"dataset:{row['id']}"] = Texts(
            label(row["kind"]),
            f"{row['rows']:,} row{'s' * (row['rows'] != 1)} · {row['sha256'][:8]}",
            reverse("dataset-detail", args=[row["id"]]),
        )
    return found


def _title(run: dict[str, Any] | None, rounds: dict[int, str]) -> str:
    """A stage's name where a round asked for the run: its round stands below."""
    return label(run["stage"]) if run and run["round"] in rounds else ""


def _about(run: dict[str, Any], rounds: dict[int, str]) -> str:
    return rounds.get(run["round"]) or label(run["recipe"])


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _path(points: list[tuple[float, float]]) -> str:
    """A curve from column to column, straight where it passes through one."""
    (x, y), *rest = points
    said = [f"M{x:.0f} {y:.0f}"]
    for number, (to_x, to_y) in enumerate(rest):
        if number % 2 == 1:
            said.append(f"H{to_x:.0f}")
        else:
            said.append(f"C{x + CURVE:.0f} {y:.0f} {to_x - CURVE:.0f} {to_y:.0f} {to_x:.0f} {to_y:.0f}")
        x, y = to_x, to_y
    return "".join(said)
