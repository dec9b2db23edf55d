"""Texts to token ids, once: the same prompt format for demonstrations, rankings, sampling and reinforcement learning.

A prompt is rendered by the tokenizer's chat template where it has one, else it is the text and a newline. A completion
is its tokens and the end token. The two are encoded apart and joined as ids, so that the model is trained on exactly
the tokens that it continues from when it samples.
"""

from collections.abc import Sequence
from typing import Any

from training.contract.run_dir import RunError


def encode_prompts(tokenizer: Any, prompts: Sequence[str]) -> list[list[int]]:
    """Token ids of each prompt, ready to be continued."""
    if tokenizer.chat_template:
        return [
            tokenizer.apply_chat_template(
                [{"role": "user", "content": prompt}], add_generation_prompt=True, tokenize=True, return_dict=False
            )
            for prompt in prompts
        ]
    bos = [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
    return [bos + ids for ids in _encode(tokenizer, [prompt + "\n" for prompt in prompts])]


def encode_completions(tokenizer: Any, completions: Sequence[str]) -> list[list[int]]:
    """Token ids of each completion, the end token included."""
    return [[*ids, tokenizer.eos_token_id] for ids in _encode(tokenizer, list(completions))]


def encode_documents(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of each pretraining document, between its begin and end tokens (once, where these are the same)."""
    bos, eos = tokenizer.bos_token_id, tokenizer.eos_token_id
    before = [] if bos is None or bos == eos else [bos]
    return [[*before, *ids, eos] for ids in _encode(tokenizer, list(texts))]


def _encode(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    return tokenizer(texts, add_special_tokens=False, return_attention_mask=False)["input_ids"] if texts else []


def decode_completion(tokenizer: Any, ids: Sequence[int]) -> str:
    """The text of a completion, without its end token."""
    return tokenizer.decode(ids, skip_special_tokens=True)


def check_prompt_lengths(where: str, prompts: Sequence[Sequence[int]], limit: int) -> None:
    """Raise RunError for the first prompt of more than `limit` tokens; `where` names the file, one prompt a line."""
    for number, ids in enumerate(prompts, start=1):
        if len(ids) > limit:
            raise RunError(
                f"file {where} line {number}: the prompt has {len(ids)} tokens, max_prompt_tokens is {limit}."
            )


def check_context(where: str, lengths: Sequence[int], context: int) -> None:
    """Raise RunError for the first row of more tokens than the model can read."""
    for number, length in enumerate(lengths, start=1):
        if length > context:
            raise RunError(
                f"file {where} line {number}: prompt and completion need {length} tokens, "
                f"the model reads {context} at most."
            )
