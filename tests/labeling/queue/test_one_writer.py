"""Only dispatch.py opens the line."""

import ast
from pathlib import Path

LABELING = Path(__file__).resolve().parents[3] / "labeling"
BEHIND = {"line", "fill", "holds", "leases", "mix", "pauses", "weights"}
BEFORE = {"dispatch.py", "fill.py", "holds.py", "leases.py", "mix.py", "pauses.py", "steps.py"}


def test_only_dispatch_stands_before_the_line() -> None:
    guilty = []
    for path in LABELING.rglob("*.py"):
        if path.parent.name == "queue" and path.name in BEFORE:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "labeling.queue":
                guilty += [path for alias in node.names if alias.name in BEHIND]
            elif isinstance(node, ast.ImportFrom) and node.module in {f"labeling.queue.{name}" for name in BEHIND}:
                guilty.append(path)
    assert guilty == []
