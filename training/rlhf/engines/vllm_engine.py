"""vLLM as an engine, where it is installed. Not exercised by the tests: it needs a GPU and is no dependency of ours.

Prompts go in as our own token ids. A completion's log-probs are vLLM's after the temperature ("processed"), from its
own kernels: close to a forward pass of transformers, not equal to it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.contract.run_dir import RunError
from training.contract.specs import SampleSpec
from training.rlhf.causal_lm import load_tokenizer
from training.rlhf.engines.interface import Sampled, request_seed
from training.rlhf.tokens import check_context, check_prompt_lengths, decode_completion, encode_prompts


class VllmEngine:
    """One checkpoint a process: vLLM takes the GPU's memory for itself."""

    def __init__(self, checkpoint: Path, spec: SampleSpec) -> None:
        try:
            import vllm  # type: ignore[import-not-found]
        except ImportError:
            raise RunError("The engine vllm needs the package vllm, which is not installed; decoder is ours.") from None
        self.spec, self.vllm = spec, vllm
        self.tokenizer = load_tokenizer(checkpoint)
        self.model: Any = vllm.LLM(model=str(checkpoint), logprobs_mode="processed_logprobs")

    def check(self, where: str, prompts: Sequence[str]) -> None:
        encoded = encode_prompts(self.tokenizer, prompts)
        check_prompt_lengths(where, encoded, self.spec.max_prompt_tokens)
        context = int(self.model.llm_engine.model_config.max_model_len)
        check_context(where, [len(ids) + self.spec.response_length for ids in encoded], context)

    def sample(self, prompts: Sequence[str], samples: int, seed: int) -> list[Sampled]:
        encoded = encode_prompts(self.tokenizer, prompts)
        settings = [
            self.vllm.SamplingParams(
                n=samples,
                temperature=self.spec.temperature,
                max_tokens=self.spec.response_length,
                stop_token_ids=[self.tokenizer.eos_token_id],
                logprobs=0,  # of the sampled token alone
                seed=request_seed(seed, number, 0),
            )
            for number in range(len(encoded))
        ]
        answers = self.model.generate([{"prompt_token_ids": ids} for ids in encoded], settings, use_tqdm=False)
        return [self._sampled(output, seed) for answer in answers for output in answer.outputs]

    def _sampled(self, output: Any, seed: int) -> Sampled:
        ids = list(output.token_ids)
        logprobs = [float(entry[token].logprob) for token, entry in zip(ids, output.logprobs, strict=True)]
        return Sampled(decode_completion(self.tokenizer, ids), output.finish_reason == "stop", ids, logprobs, seed)
