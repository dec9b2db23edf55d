"""What an engine is asked, and what it answers."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Sampled(NamedTuple):
    """One completion. `token_ids` and `logprobs` have one length: 0 where the engine does not know the tokens."""

    text: str
    finished: bool  # the policy ended it itself
    token_ids: list[int]  # the end token included
    logprobs: list[float]  # nats; of those tokens under the policy at the sampling temperature
    seed: int  # what its randomness came from


class Engine(Protocol):
    def check(self, where: str, prompts: Sequence[str]) -> None:
        """Raise RunError for the first prompt that cannot be continued; `where` names the file, one prompt a line."""

    def sample(self, prompts: Sequence[str], samples: int, seed: int) -> list[Sampled]:
        """`samples` completions of each prompt, those of a prompt next to each other. One seed, one answer, as far as
        the engine can promise it. Raises RunError where it cannot be had."""


def request_seed(seed: int, number: int, have: int) -> int:
    """The seed of a request: of its batch, the prompt's place in it and what is there already. 31 bits, as all take."""
    digest = hashlib.sha256(f"{seed}/{number}/{have}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
