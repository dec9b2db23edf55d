"""The settings of the recipes that only sample: K completions for labelers, and best-of-n. Doors are in specs.py."""

import re
import urllib.parse
from dataclasses import dataclass
from typing import ClassVar

from training.contract.spec import Spec, require

ENGINES = ("decoder", "openai", "vllm")
ENDPOINTS = ("chat", "completions")


@dataclass(frozen=True)
class SampleSpec(Spec):
    """K completions for every prompt (section 3.5: K between 4 and 9), from one checkpoint, several, or a server."""

    recipe: ClassVar[str] = "sample"

    samples_per_prompt: int = 4  # K, the completions of a prompt
    # K shared out among parents by their names in run.json, as {"policy": 4, "policy_2": 2}; null: all from "policy".
    samples_by_policy: dict[str, int] | None = None
    temperature: float = 1.0  # 0 is greedy; not stated
    # Only the most probable tokens that together have this probability. The log-probs written are still those of the
    # whole policy, so below 1 they are not those of what was sampled from; PPO has no such setting, because its KL
    # and its ratio would be wrong. The paper's is not stated.
    top_p: float = 1.0
    response_length: int = 1000  # tokens at most, the end token included (appendix C)
    max_prompt_tokens: int = 1000  # a prompt that is longer stops the run with a sentence (appendix C)
    batch_size: int = 512  # completions between two writes, and what a kill loses at most; not stated
    decode_batch_size: int = 128  # of these, decoded at a time; where some have ended, others enter
    # decoder: ours | vllm: where it is installed | openai: any server that speaks like OpenAI's; not stated
    engine: str = "decoder"
    # The rest is for the engine openai.
    base_url: str = ""  # up to the version, as http://127.0.0.1:8000/v1
    model: str = ""  # the server's name for it
    endpoint: str = (
        "chat"  # chat: /chat/completions | completions: /completions, the prompt and a newline as plain text
    )
    api_key_env: str = ""  # the environment variable with the key; never the key
    max_concurrency: int = 8  # requests under way
    max_attempts: int = 6  # per request: after 429, 5xx, no connection, and answers that make no sense
    request_timeout: float = 300.0  # seconds without a byte from the server

    def validate(self) -> None:
        super().validate()
        self.positive("samples_per_prompt", "response_length", "max_prompt_tokens", "batch_size", "decode_batch_size")
        self.positive("max_concurrency", "max_attempts", "request_timeout")
        require(self.temperature >= 0, f"temperature is {self.temperature}; it must be 0 (greedy) or more.")
        require(0 < self.top_p <= 1, f"top_p is {self.top_p}; it must be more than 0 and at most 1.")
        require(self.engine in ENGINES, f"engine is '{self.engine}'; there are {', '.join(ENGINES)}.")
        self._check_shares()
        if self.engine == "openai":
            self._check_server()
        if self.engine == "vllm":
            require(len(self.shares) == 1, "The engine vllm samples from one checkpoint a run: it takes the whole GPU.")
            require(self.top_p == 1, f"top_p is {self.top_p}; vLLM would give log-probs of the filtered policy.")

    @property
    def shares(self) -> dict[str, int]:
        """How many of the K completions come from which parent, by name: the database does not keep another order."""
        return dict(sorted((self.samples_by_policy or {"policy": self.samples_per_prompt}).items()))

    def _check_shares(self) -> None:
        if self.samples_by_policy is None:
            return
        for name, count in self.samples_by_policy.items():
            whole = isinstance(count, int) and not isinstance(count, bool) and count > 0
            require(whole, f"samples_by_policy gives '{name}' {count!r} completions; it must be 1 or more.")
        total = sum(self.samples_by_policy.values())
        require(
            total == self.samples_per_prompt,
            f"samples_by_policy shares out {total} completions, samples_per_prompt is {self.samples_per_prompt}.",
        )
        require(self.engine != "openai", "samples_by_policy names checkpoints; a server has one model.")

    def _check_server(self) -> None:
        """No sentence here repeats a value in which a secret may stand."""
        address = urllib.parse.urlsplit(self.base_url)
        require(
            address.scheme in ("http", "https") and bool(address.hostname),
            "The engine openai needs a base_url that begins with http:// or https://, as http://127.0.0.1:8000/v1.",
        )
        require(
            not (address.username or address.password or address.query or address.fragment),
            "base_url holds a user, a password or a query; it is written to run.json, so put secrets in api_key_env.",
        )
        require(len(self.base_url) <= 200, f"base_url has {len(self.base_url)} characters; 200 are the most.")
        require(0 < len(self.model) <= 90, "The engine openai needs the name of a model, 90 characters at most.")
        require(self.endpoint in ENDPOINTS, f"endpoint is '{self.endpoint}'; it must be 'chat' or 'completions'.")
        require(
            re.fullmatch(r"([A-Za-z_][A-Za-z0-9_]*)?", self.api_key_env) is not None,
            "api_key_env must be the name of an environment variable, not the key itself.",
        )


@dataclass(frozen=True)
class BestOfNSpec(Spec):
    """The best of n samples by the reward model (Stiennon et al. 2020, appendix G.3; Nakano et al. 2021)."""

    recipe: ClassVar[str] = "best_of_n"

    n: int = 16  # samples of which the best is kept
    temperature: float = 1.0  # of the sampling
    response_length: int = 1000  # tokens at most, the end token included
    max_prompt_tokens: int = 1000  # a prompt that is longer stops the run with a sentence
    batch_size: int = 512  # completions between two writes, at least those of one prompt
    decode_batch_size: int = 128  # of these, decoded at a time; where some have ended, others enter
    micro_batch_tokens: int = 4096  # padded tokens in one pass of the reward model

    def validate(self) -> None:
        super().validate()
        self.positive("n", "temperature", "response_length", "max_prompt_tokens")
        self.positive("batch_size", "decode_batch_size", "micro_batch_tokens")
