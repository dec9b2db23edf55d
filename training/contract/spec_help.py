"""What the settings of a recipe are, for people: read off the dataclasses in `specs/`, which say it in one place.

A comment on a field's line, or right above it, is its help. `a: … | b: …` in it lists what a text can be. Above one,
"The rest is for …:" heads those that follow. A section of the paper is named in the comment, or in the docstring of the
class for each of its fields but those whose comment says that the paper does not state them. The bounds are those that
`validate` asks for by `positive` and `fraction`.
"""

import ast
import contextlib
import functools
import inspect
import io
import re
import textwrap
import tokenize
import typing
from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any

from training.contract.spec import Spec, SpecError
from training.contract.specs import SPECS

PAPER = re.compile(r"\b(?:sections?|appendix) [A-Z0-9][.\d]*(?: and [A-Z0-9][.\d]*)?|\([A-Z][^()]*\d{4}\)")
OURS = ("not stated", "not in the paper", "as re-implemented", "does not say", "does not state")
# What says how and not what is computed, of which no paper speaks.
MACHINE = ("threads", "precision", "save_every", "samples_every", "micro_batch_tokens", "decode_batch_size")
GROUPS = {
    "Machine": "|".join(MACHINE),
    "Adapters": "lora_.*",
    "Optimizer": "adam_.*|weight_decay|max_grad_norm|warmup_.*|lr_final_fraction",
    "Pretraining texts": "ptx_.*|pretraining_.*",
}
HEADING = re.compile(r"The rest is for ([^:.]+)[:.]\s*")
CHOICE = re.compile(r"(?:^|\| )(\w+)(?=:|,| \||$| \()")


@dataclass(frozen=True)
class Setting:
    """One field of a spec. `limit` is in words; `paper` the section that has its default, or empty."""

    name: str
    hint: Any
    default: Any
    help: str
    choices: tuple[str, ...]
    limit: str
    paper: str
    group: str  # empty for the main ones

    @property
    def kinds(self) -> tuple[Any, ...]:
        """The types that a value may have, without None."""
        return tuple(kind for kind in typing.get_args(self.hint) or (self.hint,) if kind is not type(None))

    @property
    def may_be_null(self) -> bool:
        """Whether the setting may be left open, with null."""
        return type(None) in typing.get_args(self.hint)


@functools.cache
def settings_of(recipe: str) -> tuple[Setting, ...]:
    """All settings of a recipe, its own first and those that every recipe has last."""
    cls = SPECS[recipe]
    hints, limits = typing.get_type_hints(cls), _limits(cls)
    own: dict[str, tuple[type[Spec], str, str]] = {}
    for owner in reversed(cls.__mro__):
        if issubclass(owner, Spec):
            for name, comment, heading in _comments(owner):
                if comment or name not in own:  # a default alone is changed: what it means is said where it is first
                    own[name] = (owner, comment, heading)
    order = sorted(fields(cls), key=lambda one: cls.__mro__.index(own[one.name][0]))  # stable within a class
    return tuple(_setting(one, hints[one.name], limits.get(one.name, ""), *own[one.name]) for one in order)


def _setting(one: Field[Any], hint: Any, limit: str, owner: type[Spec], comment: str, heading: str) -> Setting:
    default = one.default_factory() if one.default_factory is not MISSING else one.default
    found = PAPER.search(comment) or PAPER.search(inspect.getdoc(owner) or "")
    group = heading or next((name for name, names in GROUPS.items() if re.fullmatch(names, one.name)), "")
    is_ours = bool(heading) or group == "Machine" or any(words in comment for words in OURS)
    paper = "" if not found or is_ours else found[0].strip("().")
    choices = tuple(CHOICE.findall(comment)) if hint is str and " | " in comment else ()
    return Setting(one.name, hint, default, comment, choices, limit, paper, group)


def _comments(cls: type[Spec]) -> Iterator[tuple[str, str, str]]:
    """The fields that the class itself declares: name, comment, heading."""
    source = textwrap.dedent(inspect.getsource(cls))
    comments = {
        token.start[0]: (token.string.lstrip("# ").rstrip(), token.line.strip().startswith("#"))
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    heading = ""
    body = ast.parse(source).body[0]
    assert isinstance(body, ast.ClassDef)
    for node in body.body:
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        above: list[str] = []
        line = node.lineno - 1
        while comments.get(line, ("", False))[1]:
            above.insert(0, comments[line][0])
            line -= 1
        beside = [comments[line][0] for line in range(node.lineno, (node.end_lineno or 0) + 1) if line in comments]
        words = " ".join(above)
        if head := HEADING.match(words):
            heading, words = f"For {head[1]}", words[head.end() :]
        if "ClassVar" not in ast.unparse(node.annotation):
            yield node.target.id, " ".join([words, *beside]).strip(), heading


def _limits(cls: type[Spec]) -> dict[str, str]:
    """The bounds that `validate` asks for by name, heard from a spec of defaults while it is validated."""
    found: dict[str, str] = {}

    class Heard(cls):  # type: ignore[valid-type, misc]
        def positive(self, *names: str) -> None:
            found.update(dict.fromkeys(names, "more than 0"))

        def fraction(self, *names: str) -> None:
            found.update(dict.fromkeys(names, "from 0 to 1"))

    with contextlib.suppress(SpecError):  # the defaults of a few cannot stand alone, as a model without a name
        Heard().validate()
    return found
