"""Train a small base model and its tokenizer from nothing: the miniature world's stand-in for GPT-3.

A Llama of a few hundred thousand weights on packed rows of text, AdamW, cosine. Not a step of the paper, which begins
with GPT-3: a team that has a base model registers its checkpoint and never runs this.

    python -m training.recipes.pretrain --run-dir var/artifacts/runs/<run id>
    accelerate launch --num_processes 8 -m training.recipes.pretrain --run-dir var/artifacts/runs/<run id>
"""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from training.contract.execute import StopFlag, execute
from training.contract.rows import read_rows
from training.contract.run_dir import RunDir
from training.contract.specs import PretrainSpec
from training.contract.status import StatusWriter
from training.rlhf import distributed
from training.rlhf.causal_lm import text_loss
from training.rlhf.optim import adamw, clip_gradients
from training.rlhf.packed import set_precision
from training.rlhf.packing import endless_order, pack_blocks
from training.rlhf.schedules import cosine_factor, set_lr
from training.rlhf.session import Session, check_finite, publish_checkpoint
from training.rlhf.shares import my_blocks
from training.rlhf.tokens import encode_documents
from training.rlhf.word_tokenizer import train_word_tokenizer


def main(arguments: Sequence[str] | None = None) -> int:
    return execute("pretrain", pretrain, arguments)


def pretrain(run: RunDir, spec: PretrainSpec, status: StatusWriter, stop: StopFlag) -> dict[str, Any]:
    session = Session(run, spec, status, stop)
    status.stage("tokenizer")
    texts = [row["text"] for row in read_rows(run.input("texts"), "texts")]
    tokenizer = train_word_tokenizer(texts, spec.word_min_count, spec.vocab_size)
    blocks = pack_blocks(encode_documents(tokenizer, texts), spec.block_size)
    valid_texts = [row["text"] for row in read_rows(run.input("valid_texts"), "texts")]
    valid = pack_blocks(encode_documents(tokenizer, valid_texts), spec.block_size, spec.valid_blocks)

    model: Any = LlamaForCausalLM(_config(spec, tokenizer)).to(session.device)  # type: ignore[arg-type]
    model.train()
    set_precision(model, spec.precision)
    session.shard(model)
    optimizer = adamw(model, spec.lr, spec)
    first = session.resume(model=model, optimizer=optimizer)
    status.stage("training")
    valid_loss = float("nan")
    for step in range(first, spec.steps):
        lr = spec.lr * cosine_factor(step, spec.steps, spec.warmup_steps, spec.lr_final_fraction)
        set_lr(optimizer, lr)
        rows = endless_order(len(blocks), run.seed, step * spec.batch_size, spec.batch_size)
        optimizer.zero_grad(set_to_none=True)
        loss = backward(model, blocks[rows].to(session.device))
        check_finite(loss, "loss/train", step + 1)
        gradient_norm = clip_gradients(model, spec.max_grad_norm)
        optimizer.step()
        session.write_metrics(step + 1, {"loss/train": loss, "lr": lr, "grad_norm": gradient_norm})
        if step + 1 == spec.steps or (spec.eval_every and (step + 1) % spec.eval_every == 0):
            valid_loss = validate(model, valid, spec.batch_size)
            session.write_metrics(step + 1, {"val/loss": valid_loss})
        session.after_step(step + 1, spec.steps)

    status.stage("saving")
    publish_checkpoint(run, model, tokenizer)
    return {
        "val_loss": round(valid_loss, 4),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "vocab_size": len(tokenizer),
        "corpus_tokens": blocks.numel(),
        "trained_tokens": spec.steps * spec.batch_size * spec.block_size,
    }


def _config(spec: PretrainSpec, tokenizer: Any) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=spec.hidden_size,
        num_hidden_layers=spec.num_hidden_layers,
        num_attention_heads=spec.num_attention_heads,
        intermediate_size=spec.intermediate_size,
        max_position_embeddings=spec.max_position_embeddings,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def backward(model: LlamaForCausalLM, rows: torch.Tensor) -> float:
    """Gradient of the mean loss per token of the rows, however many processes share them. Returns that loss."""
    total = 0.0
    for part, share in my_blocks(rows, rows.numel()):
        loss = text_loss(model, part) * share
        loss.backward()
        total += loss.item()
    return distributed.sum_numbers(total)[0]


@torch.no_grad()
def validate(model: LlamaForCausalLM, blocks: torch.Tensor, batch_size: int) -> float:
    """Mean loss in nats per token over held-out rows."""
    parts = my_blocks(blocks, batch_size * blocks.shape[1])
    losses = [text_loss(model, part.to(model.device)).item() * share for part, share in parts]
    return distributed.sum_numbers(sum(losses))[0]


if __name__ == "__main__":
    raise SystemExit(main())
