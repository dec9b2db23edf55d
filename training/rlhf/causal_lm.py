"""Decoder models of transformers, opened for training: trunk, head, and log-probabilities only where they are needed.

Rows are packed (packed.py), so that no padding goes through the trunk, and the head, whose logits are the largest
tensor of all, is applied to chosen positions only.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from training.contract.run_dir import RunError
from training.rlhf.packed import computing, enable_packing, packed_states, set_precision
from training.rlhf.sharding import in_one_pass
from training.rlhf.trees import Packed

PAD = "<|pad|>"


def load_tokenizer(path: Path) -> Any:
    """The tokenizer of a checkpoint, with a pad token that is not the end token.

    With pad = end, the sequence classifier of transformers reads the score from the token before the end, and a
    trainer that masks padding masks the end too: the model never learns to stop.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(path)
    except Exception as error:  # whatever the libraries make of files that are JSON and no tokenizer
        raise RunError(f"The tokenizer in {path} cannot be opened: {_first_line(error)}.") from error
    if tokenizer.eos_token_id is None:
        raise RunError(f"The tokenizer in {path} has no end token, so no completion could ever be finished.")
    if tokenizer.pad_token_id is None or tokenizer.pad_token_id == tokenizer.eos_token_id:
        tokenizer.add_special_tokens({"pad_token": PAD})
    return tokenizer


def check_same_tokens(tokenizer: Any, other: Path) -> None:
    """Refuse a second model that would read other texts from the same ids."""
    if load_tokenizer(other).get_vocab() != tokenizer.get_vocab():
        raise RunError(f"The model in {other} has another tokenizer than the policy, so it cannot score its tokens.")


def open_pretrained(kind: Any, path: Path, new: Sequence[str] = (), **settings: Any) -> Any:
    """The model of a checkpoint, its weights in float32. Raises RunError where the files do not make up the model.

    transformers draws the weights that it does not find anew and says so in its log alone; here only those of the
    names `new` may be.
    """
    try:
        model, report = kind.from_pretrained(
            path,
            dtype=torch.float32,
            attn_implementation="sdpa",
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # it would list them in many lines
            **settings,
        )
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise RunError(f"The checkpoint in {path} cannot be opened: {_first_line(error)}.") from error
    for problem, found in (
        ("lacks", report["missing_keys"]),
        ("has in another shape than its config says", [name for name, *_ in report["mismatched_keys"]]),
    ):
        if names := set(found) - set(new):
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise RunError(f"The checkpoint in {path} {problem} the weights {min(names)}{more}.")
    return model


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")[:300]


def load_causal_lm(path: Path, tokenizer: Any, device: torch.device, precision: str = "fp32") -> PreTrainedModel:
    """The causal language model of a checkpoint, without dropout, in training mode, its weights in float32.

    `precision` is what forward passes compute in: "fp32" or "bf16".
    """
    model: PreTrainedModel = open_pretrained(AutoModelForCausalLM, path)
    fit_to_tokenizer(model, tokenizer)
    _check_supported(model)
    disable_dropout(model)
    enable_packing(model)
    set_precision(model, precision)
    return model.to(device).train()  # type: ignore[arg-type]


def fit_to_tokenizer(model: PreTrainedModel, tokenizer: Any) -> None:
    """Give every token a row of the embedding (a pad token may have been added) and name the special ones.

    A new row is the mean of the others: policy and reference, opened one after the other, must be the same model.
    """
    known = int(model.get_input_embeddings().weight.size(0))  # type: ignore[operator]
    if len(tokenizer) > known:
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
        layers: list[Any] = [model.get_input_embeddings(), model.get_output_embeddings()]
        for layer in filter(None, layers):
            layer.weight.data[known:] = layer.weight.data[:known].mean(0)
    model.config.pad_token_id = tokenizer.pad_token_id
    model.config.eos_token_id = tokenizer.eos_token_id
    if getattr(model, "generation_config", None) is not None:
        model.generation_config.pad_token_id = tokenizer.pad_token_id
        model.generation_config.eos_token_id = tokenizer.eos_token_id


def context_length(model: PreTrainedModel) -> int:
    """The most tokens the model reads."""
    return int(getattr(model.config, "max_position_embeddings", None) or 2048)


def default_block_size(model: PreTrainedModel) -> int:
    """Tokens per packed row of text where the spec leaves it open: the context, at most the paper's 2048."""
    return min(context_length(model), 2048)


def _check_supported(model: PreTrainedModel) -> None:
    """Refuse models whose logits are not head(trunk): scaled or capped logits, sliding windows."""
    config = model.config
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    if kinds != {"full_attention"} or (getattr(config, "sliding_window", None) or 0) > 0:
        raise RunError(f"Models of type {config.model_type} with sliding-window attention are not supported.")
    ids = torch.tensor([[0, 1]])
    with torch.no_grad():
        if not torch.allclose(model(input_ids=ids).logits, project(model, hidden_states(model, ids)), atol=1e-4):
            raise RunError(f"Models of type {config.model_type} change their logits after the head; not supported.")


def disable_dropout(model: PreTrainedModel) -> None:
    """Make dropout 0 for good, also under train(), where gradient checkpointing would call it again."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if hasattr(module, "attention_dropout") and isinstance(module.attention_dropout, float):
            setattr(module, "attention_dropout", 0.0)  # noqa: B010 - the checker takes attributes of modules for tensors


def hidden_states(model: PreTrainedModel, ids: Tensor) -> Tensor:
    """Last hidden states of rows of one length: [B, T] -> [B, T, hidden]."""
    with computing(model):
        return model.base_model(input_ids=ids, use_cache=False).last_hidden_state


def project(model: PreTrainedModel, hidden: Tensor) -> Tensor:
    """float32 logits of hidden states: [..., hidden] -> [..., V]."""
    return project_as_computed(model, hidden).float()


def project_as_computed(model: PreTrainedModel, hidden: Tensor) -> Tensor:
    """The same logits in the precision that the model computes in."""
    with computing(model):
        logits: Tensor = model.get_output_embeddings()(hidden)
    return logits


def text_loss(model: PreTrainedModel, blocks: Tensor) -> Tensor:
    """Mean next-token loss in nats over packed blocks [N, T]: N(T-1) predictions."""
    logits = in_one_pass(model, lambda: project(model, hidden_states(model, blocks[:, :-1])))
    return F.cross_entropy(logits.flatten(0, 1), blocks[:, 1:].flatten())


def response_logits(model: PreTrainedModel, packed: Packed) -> Tensor:
    """float32 logits where each response token is predicted, row by row: [R, V]; `packed.targets` are the tokens."""
    return in_one_pass(model, lambda: project(model, packed_states(model, packed, packed.predictors)))


def token_logprobs(logits: Tensor, tokens: Tensor, temperature: float = 1.0) -> Tensor:
    """log softmax(logits / temperature) at the tokens: [N, V], [N] -> [N]."""
    return -F.cross_entropy(logits / temperature if temperature != 1.0 else logits, tokens, reduction="none")


def response_logprobs(model: PreTrainedModel, packed: Packed, temperature: float) -> Tensor:
    """Log-probs of the response tokens, row by row: [R]."""
    return token_logprobs(response_logits(model, packed), packed.targets, temperature)
