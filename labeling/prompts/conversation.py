"""Prompts of several turns: read from a row, and as the one text that training sees. Pure."""

from collections.abc import Sequence
from typing import Any, TypedDict

from labeling.errors import BadInput
from labeling.texts import clean

SPEAKERS = {"system": "System", "user": "User", "assistant": "Assistant"}
MAX_TURNS = 100


class Turn(TypedDict):
    role: str
    text: str


def read(value: Any) -> list[Turn]:
    """The turns of a row's `turns` or `messages`: [{role, text or content}].

    Raises BadInput unless each has a known role and a text, a system's turn comes first, and the last is the user's:
    a prompt ends where somebody waits for an answer.
    """
    if not isinstance(value, list) or not value:
        raise BadInput("The turns are not a list such as [{“role”: “user”, “text”: “…”}].")
    if len(value) > MAX_TURNS:
        raise BadInput(f"There are {len(value)} turns; at most {MAX_TURNS} are taken.")
    turns = [_turn(number, turn) for number, turn in enumerate(value, start=1)]
    if any(turn["role"] == "system" for turn in turns[1:]):
        raise BadInput("A system turn stands after the first turn; it can only be the first.")
    if turns[-1]["role"] != "user":
        raise BadInput(f"The last turn is the {turns[-1]['role']}'s; a prompt ends with the user's.")
    return turns


def _turn(number: int, turn: Any) -> Turn:
    if not isinstance(turn, dict):
        raise BadInput(f"Turn {number} is not an object with a role and a text.")
    role, text = turn.get("role"), turn.get("text", turn.get("content"))
    if not isinstance(role, str) or role not in SPEAKERS:
        raise BadInput(f"Turn {number} has the role “{str(role)[:30]}”; use one of {', '.join(SPEAKERS)}.")
    if not isinstance(text, str):
        raise BadInput(f"Turn {number} has no text.")
    return {"role": role, "text": clean(text, f"Turn {number}")}


def as_text(turns: Sequence[Turn]) -> str:
    """What training sees of a conversation, as the prompt's text: each turn under its speaker's name, the user's last.

    `User: Hi.⏎⏎Assistant: Hello!⏎⏎User: And now?` No `Assistant:` follows: what stands between a prompt and its
    completion is the recipes' affair (training/rlhf/tokens.py) and the same for every prompt. One turn of a user's
    alone is a plain prompt, without a name.
    """
    if len(turns) == 1:
        return turns[0]["text"]
    return "\n\n".join(f"{SPEAKERS[turn['role']]}: {turn['text']}" for turn in turns)
