"""Sampling that ends at a text: greedy or not, until one of several stop texts comes."""

from collections.abc import Callable, Sequence
from typing import Any

from transformers import PreTrainedModel

from training.rlhf.decode import decode, uniform_numbers
from training.rlhf.tokens import decode_completion

FIRST_LOOK = 32  # tokens until the texts are searched for what ends them; then twice as many, and so on


def sample_until(
    model: PreTrainedModel,
    tokenizer: Any,
    prompts: Sequence[list[int]],
    *,
    ends: Sequence[str],
    longest: int,
    temperature: float,
    top_p: float,
    seed: int,
    batch_size: int,
    between_batches: Callable[[int], None],
) -> list[str]:
    """One text for each prompt, of at most `longest` tokens and without the stop text that ended it.

    The sampler knows no texts, so that rows which go on are read again after each look; their number shrinks.
    """
    ends = [end for end in ends if end]
    uniform = uniform_numbers(len(prompts), longest, seed)
    sampled: list[list[int]] = [[] for _ in prompts]
    running = list(range(len(prompts)))
    length, look = 0, FIRST_LOOK
    while running and length < longest:
        decoded = decode(
            model,
            [prompts[row] + sampled[row] for row in running],
            samples=1,
            uniform=uniform[running, length : length + look],
            temperature=temperature,
            top_p=top_p,
            stop_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            batch_size=batch_size,
            between_batches=between_batches,
        )
        length, look = length + look, 2 * look
        still = []
        for row, ids, count, finished in zip(
            running, decoded.tokens.tolist(), decoded.lengths.tolist(), decoded.finished.tolist(), strict=True
        ):
            sampled[row] += ids[:count]
            if not finished and not any(end in decode_completion(tokenizer, sampled[row]) for end in ends):
                still.append(row)
        running = still
    return [cut(decode_completion(tokenizer, ids), ends) for ids in sampled]


def cut(text: str, ends: Sequence[str]) -> str:
    """What stands before the first of the stop texts."""
    for end in ends:
        text = text.split(end)[0]
    return text
