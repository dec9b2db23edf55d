"""Supervised fine-tuning on demonstrations (Ouyang et al. 2022, section 3.5 and appendix C.1).

Cosine to 10 % of the peak without warmup, residual dropout 0.2, loss on the completion and its end token only, and for
the model that PPO starts from a mix of pretraining text. The checkpoint is that of the best epoch: by the mean reward
of one completion for each validation prompt where there is a reward model, else by the loss on held-out demonstrations.

Deviations from the paper:
- Where there is neither, or `choose` is "last", the last weights are the checkpoint. The first round of a team has no
  reward model yet.
- What is chosen from is the epochs of this run; the paper also searched the learning rate and the number of epochs.
- The mix: each step adds rows of text so that they are `pretraining_mix` of its rows, and the loss is the mean over
  completion tokens and the mean over text tokens, weighted by these shares (the paper says "10 % pretraining mix").

    python -m training.recipes.sft --run-dir var/artifacts/runs/<run id>
    accelerate launch --num_processes 8 -m training.recipes.sft --run-dir var/artifacts/runs/<run id>
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor
from transformers import PreTrainedModel

from training.contract.execute import StopFlag, execute
from training.contract.rows import read_rows
from training.contract.run_dir import RunDir
from training.contract.specs import SftSpec
from training.contract.status import StatusWriter
from training.rlhf import distributed
from training.rlhf.best import Best
from training.rlhf.causal_lm import default_block_size, load_causal_lm, load_tokenizer, response_logits, text_loss
from training.rlhf.demonstrations import read_demonstrations
from training.rlhf.dropout import add_residual_dropout
from training.rlhf.examples import Example, batches
from training.rlhf.lora import add_lora, trained
from training.rlhf.optim import adamw, clip_gradients
from training.rlhf.packing import endless_order, pack_blocks
from training.rlhf.schedules import cosine_factor, set_lr
from training.rlhf.session import Session, check_finite, publish_checkpoint
from training.rlhf.sft_validation import Validation
from training.rlhf.shares import my_blocks
from training.rlhf.tokens import encode_documents


def main(arguments: Sequence[str] | None = None) -> int:
    return execute("sft", sft, arguments)


def sft(run: RunDir, spec: SftSpec, status: StatusWriter, stop: StopFlag) -> dict[str, Any]:
    session = Session(run, spec, status, stop)
    status.stage("loading")
    tokenizer = load_tokenizer(run.parent("policy"))
    model = load_causal_lm(run.parent("policy"), tokenizer, session.device, spec.precision)
    lora = add_lora(model, spec, run.parents["policy"]["path"])
    add_residual_dropout(model, spec.residual_dropout)
    examples = read_demonstrations(run.input("demonstrations"), tokenizer, model, spec.max_prompt_tokens)
    validation = Validation(run, spec, tokenizer, model)
    blocks = _pretraining_blocks(run, spec, tokenizer, model) if spec.pretraining_mix > 0 else None

    session.shard(model)
    optimizer = adamw(model, spec.lr, spec)
    total = max(1, spec.epochs * len(examples) // spec.batch_size)
    epoch_ends = {round(total * epoch / spec.epochs): epoch for epoch in range(1, spec.epochs + 1)}
    best = Best(model) if validation.by != "last" else None
    first = session.resume(model=trained(model), optimizer=optimizer, **({"best": best} if best else {}))
    validated: dict[str, float] = {}
    status.stage("training")
    for step in range(first, total):
        lr = spec.lr * cosine_factor(step, total, spec.warmup_steps, spec.lr_final_fraction)
        set_lr(optimizer, lr)
        optimizer.zero_grad(set_to_none=True)
        order = endless_order(len(examples), run.seed, step * spec.batch_size, spec.batch_size)
        metrics = {"loss/train": backward(model, [examples[i] for i in order], spec)}
        if blocks is not None:
            metrics["loss/ptx"] = _backward_text(model, blocks, spec, step, run.seed)
        for name, loss in metrics.items():
            check_finite(loss, name, step + 1)
        metrics |= {"grad_norm": clip_gradients(model, spec.max_grad_norm), "lr": lr}
        optimizer.step()
        if step + 1 in epoch_ends:
            status.stage("validating")
            validated = validation.measure(model)
            status.stage("training")
            metrics |= validated
            if best:
                best.offer(validation.score(validated), validated | {"epoch": epoch_ends[step + 1]})
        session.write_metrics(step + 1, metrics)
        session.after_step(step + 1, total)

    status.stage("saving")
    if best:
        best.restore()
    if lora:
        lora.publish(run)
    publish_checkpoint(run, model, tokenizer)
    result = {"demonstrations": len(examples), "steps": total}
    return result | _chosen(validation.by, best.facts if best else validated | {"epoch": spec.epochs})


def _chosen(by: str, facts: Mapping[str, float]) -> dict[str, Any]:
    """Which epoch the checkpoint is of, by what it was chosen, and what validation said of it, if anything."""
    values = {name.replace("/", "_"): round(facts[name], 4) for name in ("val/loss", "val/reward") if name in facts}
    return {"chosen_epoch": facts["epoch"], "chosen_by": by} | values if values else {}


def _pretraining_blocks(run: RunDir, spec: SftSpec, tokenizer: Any, model: PreTrainedModel) -> Tensor:
    texts = [row["text"] for row in read_rows(run.input("texts"), "texts")]
    size = spec.pretraining_block_size or default_block_size(model)
    return pack_blocks(encode_documents(tokenizer, texts), size)


def backward(model: PreTrainedModel, examples: list[Example], spec: SftSpec) -> float:
    """Gradient of the mean loss per completion token of the whole batch, however it is cut. Returns that loss."""
    tokens = sum(example.response_length for example in examples)
    total = 0.0
    for rows in batches(examples, spec.micro_batch_tokens, model.device):
        logits = response_logits(model, rows.packed)
        loss = F.cross_entropy(logits, rows.packed.targets, reduction="sum") / tokens
        (loss * (1 - spec.pretraining_mix)).backward()
        total += loss.item()
    return distributed.sum_numbers(total)[0]


def _backward_text(model: PreTrainedModel, blocks: Tensor, spec: SftSpec, step: int, seed: int) -> float:
    """Gradient of the mean loss per token of this step's pretraining rows, times their share. Returns that loss."""
    count = max(1, round(spec.batch_size * spec.pretraining_mix / (1 - spec.pretraining_mix)))
    rows = blocks[endless_order(len(blocks), seed + 1, step * count, count)]
    total = 0.0
    for part, share in my_blocks(rows, spec.micro_batch_tokens):
        loss = text_loss(model, part.to(model.device)) * share
        (loss * spec.pretraining_mix).backward()
        total += loss.item()
    return distributed.sum_numbers(total)[0]


if __name__ == "__main__":
    raise SystemExit(main())
