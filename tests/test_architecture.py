"""The rules of docs/architecture.md, held by walking the source."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(
    path
    for top in ("config", "labeling", "training", "benchmarks", "tests")
    for path in (ROOT / top).rglob("*.py")
    if "migrations" not in path.parts
)
MAX_LINES = 400
VAGUE_NAMES = {"utils.py", "helpers.py", "services.py", "managers.py", "common.py", "misc.py"}
WEB_FREE = {"django", "celery", "rest_framework", "allauth", "django_htmx", "labeling", "config"}
TENSORS = {"torch", "transformers", "accelerate", "peft", "tokenizers", "safetensors"}

# slice → the slices it may import; `None` may import all.
SLICES: dict[str, set[str] | None] = {
    "labelers": set(),
    "guidelines": {"labelers"},
    "rubrics": set(),
    "prompts": {"labelers"},
    "completions": {"prompts"},
    "queue": {"guidelines", "rubrics", "labelers", "prompts", "completions"},
    "demonstrations": {"queue", "guidelines", "rubrics", "labelers", "prompts"},
    "proposals": {"queue", "guidelines", "labelers", "prompts"},
    "threads": {"queue", "labelers", "guidelines"},
    "topics": {"prompts"},
    "rankings": {"queue", "guidelines", "rubrics", "labelers", "prompts", "completions"},
    "quality": {"queue", "rankings", "guidelines", "rubrics", "labelers", "prompts", "completions"},
    "evaluation": {"prompts", "completions", "rankings", "queue", "labelers", "guidelines", "rubrics"},
    "agreement": {
        "quality",
        "evaluation",
        "rankings",
        "queue",
        "rubrics",
        "guidelines",
        "labelers",
        "prompts",
        "completions",
    },
    "screening": {"agreement", "labelers"},
    "adjudication": {"agreement", "evaluation", "rankings", "queue", "rubrics", "labelers", "prompts", "completions"},
    "exports": {
        "adjudication",
        "prompts",
        "completions",
        "demonstrations",
        "rankings",
        "queue",
        "labelers",
        "guidelines",
    },
    "registry": {
        "exports",
        "adjudication",
        "evaluation",
        "prompts",
        "completions",
        "demonstrations",
        "rankings",
        "queue",
        "labelers",
        "guidelines",
    },
    "figures": {"evaluation", "guidelines", "rubrics", "rankings", "queue", "labelers", "prompts", "completions"},
    "reward_models": {
        "figures",
        "agreement",
        "exports",
        "rankings",
        "queue",
        "labelers",
        "prompts",
        "completions",
    },
    "judging": {"exports", "evaluation", "rankings", "queue", "guidelines", "labelers", "prompts", "completions"},
    "pay": {"labelers", "queue"},
    "surveys": {"labelers"},
    "privacy": {"labelers", "queue", "exports", "pay", "threads"},
    "rounds": None,
    "simulation": None,
}
SHARED = {
    "models",
    "errors",
    "kept",
    "texts",
    "markdown",
    "access",
    "apps",
    "admin",
    "urls",
    "tasks",
    "api",
    "management",
    "templatetags",
}


def imports(path: Path) -> Iterator[str]:
    """Dotted names of everything a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files_under(*parts: str) -> list[Path]:
    folder = ROOT.joinpath(*parts)
    found = [path for path in SOURCES if path.is_relative_to(folder)]
    assert found, f"{folder} has no source: the rule would hold for nothing"
    return found


def roots_imported(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


@pytest.mark.parametrize("part", ["contract", "rlhf", "recipes"])
def test_recipes_know_nothing_of_the_web(part: str) -> None:
    for path in files_under("training", part):
        assert not roots_imported(path) & WEB_FREE, path
        assert not any(name.startswith(("training.runs", "training.models")) for name in imports(path)), path


def test_the_contract_is_standard_library_only() -> None:
    for path in files_under("training", "contract"):
        foreign = {name for name in imports(path) if not name.startswith("training.contract")}
        assert {name.split(".")[0] for name in foreign} <= set(sys.stdlib_module_names) | {"training"}, path
        assert not any(name.startswith("training.") for name in foreign if name != "training.contract"), path


def test_rlhf_knows_the_contract_but_no_recipe() -> None:
    for path in files_under("training", "rlhf"):
        assert not any(name.startswith("training.recipes") for name in imports(path)), path


def test_training_never_imports_labeling() -> None:
    for path in files_under("training"):
        assert "labeling" not in roots_imported(path), path


def test_runs_start_recipes_as_processes() -> None:
    for path in files_under("training", "runs"):
        assert not any(name.startswith(("training.recipes", "training.rlhf")) for name in imports(path)), path


@pytest.mark.parametrize("top", ["config", "labeling", "training/runs"])
def test_the_web_never_imports_tensors(top: str) -> None:
    for path in files_under(*top.split("/")):
        assert not roots_imported(path) & TENSORS, path


def test_the_web_process_starts_without_torch() -> None:
    code = (
        "import django, sys; django.setup(); import config.urls, labeling.tasks, training.tasks;"
        "sys.exit(sum(name in sys.modules for name in ('torch', 'transformers')))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
    )
    assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize("slice_name", sorted(SLICES))
def test_slices_import_only_those_below_them(slice_name: str) -> None:
    allowed = SLICES[slice_name]
    if allowed is None:
        return
    for path in files_under("labeling", slice_name):
        is_page = path.name.endswith(("views.py", "forms.py"))  # pages may show anything; domain modules are layered
        allowed_here = set(SLICES) - {"simulation"} if is_page else allowed
        for name in imports(path):
            match = re.match(r"labeling\.(\w+)", name)
            if match and match[1] not in SHARED | {slice_name}:
                assert match[1] in allowed_here, f"{path.relative_to(ROOT)} imports {name}"


def test_nobody_imports_simulation_or_rounds_from_below() -> None:
    for path in files_under("labeling"):
        owner = path.relative_to(ROOT / "labeling").parts[0].removesuffix(".py")
        if owner in {"rounds", "simulation", "management", "tasks", "models", "urls", "admin", "api"}:
            continue
        assert not any(name.startswith("labeling.simulation") for name in imports(path)), path


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_are_one_idea(path: Path) -> None:
    assert path.name not in VAGUE_NAMES
    assert path.read_text().count("\n") <= MAX_LINES


def test_every_environment_variable_is_in_the_example() -> None:
    read = set(re.findall(r'environment\.\w+\(\s*"(\w+)"', (ROOT / "config" / "settings.py").read_text()))
    listed = set(re.findall(r"^#? ?(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert read
    assert read - listed == set()


def test_constraints_pin_every_dependency() -> None:
    pinned = set(re.findall(r"^([\w.-]+)==", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    normal = {name.lower().replace("_", "-") for name in pinned}
    wanted = re.findall(r'^    "([\w-]+)', (ROOT / "pyproject.toml").read_text().split("[tool.")[0], re.MULTILINE)
    assert len(wanted) > 20
    assert {name.lower() for name in wanted} - normal == set()
