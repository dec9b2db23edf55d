"""Any server that speaks like OpenAI's as an engine: /chat/completions or /completions below a URL.

Completions come as texts, without token ids and log-probs: what such servers call logprobs is before the temperature
at some and after it at others, and the tokens often come as texts, so neither would be a policy's log-probability.
The key is read from the environment and goes into one header of the requests, nowhere else.
"""

import functools
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from training.contract.execute import StopFlag
from training.contract.run_dir import RunError
from training.contract.specs import SampleSpec
from training.rlhf.engines.http_json import JsonClient
from training.rlhf.engines.interface import Sampled, request_seed


class OpenAIEngine:
    """One request a prompt, `max_concurrency` of them at a time; n completions a request."""

    def __init__(self, spec: SampleSpec, stop: StopFlag) -> None:
        self.spec = spec
        path = "/chat/completions" if spec.endpoint == "chat" else "/completions"
        self.client = JsonClient(
            spec.base_url.rstrip("/") + path, _key(spec), spec.max_attempts, spec.request_timeout, stop
        )

    def check(self, where: str, prompts: Sequence[str]) -> None:
        """Nothing: the server knows its tokens and its limits, and says so when it is asked."""

    def sample(self, prompts: Sequence[str], samples: int, seed: int) -> list[Sampled]:
        """The answer is complete or there is none: the first prompt that cannot be had ends it, with RunError."""
        with ThreadPoolExecutor(self.spec.max_concurrency) as pool:
            # map() gives the answers in order, and calls off what has not begun when one of them raises.
            answers = pool.map(lambda number: self._ask(prompts[number], samples, (seed, number)), range(len(prompts)))
            return [sampled for answer in answers for sampled in answer]

    def _ask(self, prompt: str, samples: int, place: tuple[int, int]) -> list[Sampled]:
        """All samples of one prompt. Some servers give fewer than asked (one at a time, often): ask for the rest."""
        found: list[Sampled] = []
        while len(found) < samples:
            missing = samples - len(found)
            # Another seed for every request, else the rest would repeat what is there already.
            seed = request_seed(*place, len(found))
            answer = self.client.post(self._body(prompt, missing, seed), functools.partial(self._read, seed))
            found += answer[:missing]
        return found

    def _body(self, prompt: str, samples: int, seed: int) -> dict[str, object]:
        asked: dict[str, object] = (
            {"messages": [{"role": "user", "content": prompt}]}
            if self.spec.endpoint == "chat"
            else {"prompt": prompt + "\n"}  # as tokens.encode_prompts writes it
        )
        return asked | {
            "model": self.spec.model,
            "n": samples,
            "temperature": self.spec.temperature,
            "top_p": self.spec.top_p,
            "max_tokens": self.spec.response_length,
            "seed": seed,
        }

    def _read(self, seed: int, data: object) -> list[Sampled]:
        """The completions in an answer. Raises ValueError where it holds none."""
        choices = data.get("choices") if isinstance(data, dict) else None
        if not isinstance(choices, list) or not choices:
            raise ValueError("the answer has no choices")
        return [Sampled(self._text(choice), choice.get("finish_reason") == "stop", [], [], seed) for choice in choices]

    def _text(self, choice: object) -> str:
        if isinstance(choice, dict):
            message = choice.get("message")
            if isinstance(message, dict) and "content" in message:
                text = message["content"] or ""  # null where a filter took the text
            else:
                text = choice.get("text")
            if isinstance(text, str):
                # Half a pair of surrogates is allowed in JSON and in no file.
                return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        raise ValueError("a choice has no text")


def _key(spec: SampleSpec) -> str:
    if not spec.api_key_env:
        return ""
    key = os.environ.get(spec.api_key_env, "").strip()
    if not key:
        raise RunError(f"The environment variable {spec.api_key_env}, which api_key_env names, is not set.")
    if not (key.isascii() and key.isprintable()):  # no header may hold it, and the refusal of Python's would quote it
        raise RunError(f"The environment variable {spec.api_key_env} holds no key: it has characters no key has.")
    return key
