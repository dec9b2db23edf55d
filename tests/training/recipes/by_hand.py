"""What recipes are measured against: plain transformers, one row at a time, no padding, nothing of training.rlhf."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer


def ids_of(checkpoint: Path, prompt: str, completion: str) -> tuple[list[int], list[int]]:
    """Prompt and completion as the recipes read them: begin, prompt, newline; completion, end."""
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    before = tokenizer(prompt + "\n", add_special_tokens=False)["input_ids"]
    after = tokenizer(completion, add_special_tokens=False)["input_ids"]
    return [tokenizer.bos_token_id, *before], [*after, tokenizer.eos_token_id]


@torch.no_grad()
def completion_logprobs(checkpoint: Path, pairs: Iterable[tuple[Sequence[int], Sequence[int]]]) -> list[torch.Tensor]:
    """Log-probabilities of each completion's tokens after its prompt."""
    model = AutoModelForCausalLM.from_pretrained(checkpoint).eval()
    found = []
    for prompt, completion in pairs:
        logits = model(input_ids=torch.tensor([[*prompt, *completion]])).logits[0].log_softmax(-1)
        found.append(logits[len(prompt) - 1 : -1].gather(1, torch.tensor(completion)[:, None]).squeeze(1))
    return found


def completion_loss(checkpoint: Path, rows: Sequence[Mapping[str, Any]]) -> float:
    """Mean loss in nats per token of the completions, the end included, the prompts left out."""
    pairs = [ids_of(checkpoint, row["prompt"], row["completion"]) for row in rows]
    return -float(torch.cat(completion_logprobs(checkpoint, pairs)).mean())


def blocks(checkpoint: Path, texts: Sequence[str], size: int) -> list[list[int]]:
    """The texts, each with its end token, joined and cut into rows; what is left over is not used."""
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    ended = [[*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id] for text in texts]
    stream = [token for ids in ended for token in ids]
    return [stream[start : start + size] for start in range(0, len(stream) - size + 1, size)]


@torch.no_grad()
def text_loss(checkpoint: Path, rows: Sequence[Sequence[int]]) -> float:
    """Mean loss in nats per predicted token over rows of one length."""
    model = AutoModelForCausalLM.from_pretrained(checkpoint).eval()
    losses = [model(input_ids=torch.tensor([row]), labels=torch.tensor([row])).loss for row in rows]
    return float(torch.stack(losses).mean())


@torch.no_grad()
def rewards(checkpoint: Path, rows: Iterable[Sequence[int]]) -> list[float]:
    """The logit of a plain sequence classifier, less the bias its config states."""
    model = AutoModelForSequenceClassification.from_pretrained(checkpoint).eval()
    return [float(model(input_ids=torch.tensor([ids])).logits[0, 0]) - model.config.reward_bias for ids in rows]
