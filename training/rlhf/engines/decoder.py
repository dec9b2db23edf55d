"""Our decoder as an engine: a checkpoint, exact log-probabilities, and the same completions again for the same seed."""

from collections.abc import Sequence
from pathlib import Path

import torch

from training.contract.specs import SampleSpec
from training.rlhf.causal_lm import context_length, load_causal_lm, load_tokenizer
from training.rlhf.decode import decode, uniform_numbers
from training.rlhf.engines.interface import Sampled
from training.rlhf.tokens import check_context, check_prompt_lengths, decode_completion, encode_prompts


class DecoderEngine:
    def __init__(self, checkpoint: Path, spec: SampleSpec, device: torch.device) -> None:
        self.spec = spec
        self.tokenizer = load_tokenizer(checkpoint)
        self.model = load_causal_lm(checkpoint, self.tokenizer, device, spec.precision).eval()

    def check(self, where: str, prompts: Sequence[str]) -> None:
        encoded = encode_prompts(self.tokenizer, prompts)
        check_prompt_lengths(where, encoded, self.spec.max_prompt_tokens)
        check_context(where, [len(ids) + self.spec.response_length for ids in encoded], context_length(self.model))

    def sample(self, prompts: Sequence[str], samples: int, seed: int) -> list[Sampled]:
        decoded = decode(
            self.model,
            encode_prompts(self.tokenizer, prompts),
            samples=samples,
            uniform=uniform_numbers(len(prompts) * samples, self.spec.response_length, seed),
            temperature=self.spec.temperature,
            top_p=self.spec.top_p,
            stop_token_id=self.tokenizer.eos_token_id,
            pad_token_id=self.tokenizer.pad_token_id,
            batch_size=self.spec.decode_batch_size,
        )
        rows = zip(
            decoded.tokens.tolist(),
            decoded.logprobs.tolist(),
            decoded.lengths.tolist(),
            decoded.finished.tolist(),
            strict=True,
        )
        return [
            Sampled(decode_completion(self.tokenizer, ids[:length]), finished, ids[:length], logprobs[:length], seed)
            for ids, logprobs, length, finished in rows
        ]
