"""Sampling K completions a prompt: tokens a second, beside transformers' `generate` at its better batch size."""

import random

import torch

from benchmarks.training.timing import Work
from benchmarks.training.world import AMOUNTS, END, PAD, Lengths, causal_lm, device
from training.rlhf.decode import decode, uniform_numbers
from training.rlhf.packed import enable_packing, set_precision

K, PROMPTS, LENGTH = 9, 32, 64


def prompts() -> list[list[int]]:
    rng, texts = random.Random(0), Lengths()
    return [texts.draw(rng) for _ in range(PROMPTS)]


def ours(size: str, precision: str) -> Work:
    """Our decoder, with the log-probability of every token."""
    model = causal_lm(size).eval()
    enable_packing(model)
    set_precision(model, precision)
    rows = prompts()
    uniform = uniform_numbers(PROMPTS * K, LENGTH, seed=1)

    def work() -> float:
        decoded = decode(
            model,
            rows,
            samples=K,
            uniform=uniform,
            temperature=1.0,
            stop_token_id=END,
            pad_token_id=PAD,
            batch_size=PROMPTS * K,
        )
        return float(decoded.lengths.sum())

    return work


def peer(size: str, precision: str) -> Work:
    """`generate` without filters; in bf16 with bfloat16 weights, its fastest way."""
    model = causal_lm(size).eval()
    if precision == "bf16":
        model = model.to(torch.bfloat16)
    rows = prompts()
    longest = max(map(len, rows))
    ids = torch.tensor([[PAD] * (longest - len(row)) + row for row in rows], device=device())

    @torch.no_grad()
    def work() -> float:
        tokens = 0
        for part in ids.split(AMOUNTS[size].decoded_rows // K):
            out = model.generate(
                input_ids=part,
                attention_mask=(part != PAD).long(),
                do_sample=True,
                top_k=0,
                top_p=1.0,
                max_new_tokens=LENGTH,
                num_return_sequences=K,
                pad_token_id=PAD,
                eos_token_id=END,
            )
            tokens += int((out[:, longest:] != PAD).sum())
        return float(tokens)

    return work
