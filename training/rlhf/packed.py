"""Passes over packed rows (`trees.py`), and the attention that keeps their segments apart.

On a CPU attention goes through segments of like length (`row_attention.py`), but for very small trees; elsewhere it is
padded, to the longest stem and the longest branch of the batch, and nothing but attention ever is.

Every decoder of transformers whose attention goes through the attention interface can be packed: `enable_packing`
names ours.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from training.rlhf import row_attention
from training.rlhf.last_layer import read_only
from training.rlhf.linear import replace_linears
from training.rlhf.norms import replace_norms
from training.rlhf.row_attention import Row
from training.rlhf.sample_cache import SampleCache
from training.rlhf.trees import Layout, Packed

NAME = "podium_packed"
BY_ROWS = {"cpu"}  # kinds of devices
FEWEST_SCORES = {torch.float32: 1 << 13, torch.bfloat16: 1 << 16}  # of a tree's branches, all heads together (lab log)


def enable_packing(model: PreTrainedModel) -> None:
    """Let `packed_states` pack rows for this model; attention of other calls goes to SDPA as before.

    Its norms and linear layers become ours in place, with their weights.
    """
    model.set_attn_implementation(NAME)
    replace_norms(model)
    replace_linears(model)


def set_precision(model: PreTrainedModel, precision: str) -> None:
    """Compute in `precision`, "fp32" or "bf16"; the weights stay float32 (master weights)."""
    model.podium_precision = precision  # type: ignore[assignment]


def computing(model: PreTrainedModel) -> torch.autocast:
    """The context that every forward pass of the model runs in."""
    enabled = getattr(model, "podium_precision", "fp32") == "bf16"
    return torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=enabled)


def packed_states(
    model: PreTrainedModel, packed: Packed, at: Tensor | None = None, sample_cache: SampleCache | None = None
) -> Tensor:
    """Last hidden states at the flat positions `at`, or of every token: [R] -> [R, hidden].

    A sample cache keeps the keys and values of the stems.
    """
    ids, positions = packed.ids[None], packed.positions[None]
    with computing(model), read_only(model, at, len(packed.ids)):
        output = model.base_model(
            input_ids=ids,
            position_ids=positions,
            use_cache=False,
            packed_layout=packed.layout,
            sample_cache=sample_cache,
        )
    states: Tensor = output.last_hidden_state[0]
    return states if at is None else states.index_select(0, at)


def next_states(model: PreTrainedModel, tokens: Tensor, positions: Tensor, cache: SampleCache) -> Tensor:
    """States of one more token of each row of the cache: [B], [B] -> [B, hidden]."""
    with computing(model):
        output = model.base_model(
            input_ids=tokens[:, None], position_ids=positions[:, None], use_cache=False, sample_cache=cache
        )
    cache.length += 1
    return output.last_hidden_state[:, -1]


def attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    packed_layout: Layout | None = None,
    sample_cache: SampleCache | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Attention of a packed row: query [1, H, N, D], key and value [1, H', N, D] -> [1, N, H, D].

    With a sample cache: the stems' keys and values are kept in it (packed), or one token a row is attended to what it
    holds ([B, H, 1, D] -> [B, 1, H, D]).
    """
    if packed_layout is None and sample_cache is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **kwargs)
    query = query * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    if packed_layout is None:
        assert sample_cache is not None
        return sample_cache.attend(module, *map(_as_computed, (query, key, value))), None
    by_head = [_as_computed(tensor[0]) for tensor in (query, key, value)]  # [H, N, D]
    if sample_cache is not None:
        keys, values = _stems(by_head[1:], packed_layout)
        sample_cache.keep_stem(keys, values, packed_layout.stems.inside)
    return _attend(by_head, packed_layout)[None], None


def _attend(by_head: list[Tensor], layout: Layout) -> Tensor:
    """Query, key and value of all segments [H, N, D] -> [N, H, D]."""
    is_by_rows = by_head[0].device.type in BY_ROWS
    rows = layout.rows()
    if is_by_rows and not _are_small(rows, by_head[0]):
        return row_attention.attend(*by_head, rows=rows)
    stems, branches = layout
    query, key, value = _stems(by_head, layout)
    if is_by_rows:
        alone = (tensor[:, : sum(stems.sizes)] for tensor in by_head)
        out = row_attention.attend(*alone, rows=rows[: len(stems.sizes)])
    else:
        out = F.scaled_dot_product_attention(query, key, value, is_causal=True, scale=1.0)
        out = stems.collect(out.transpose(1, 2))
    if branches is None:
        return out
    by_tree = (len(key), -1, branches.index.shape[1])
    flat = (tensor.transpose(0, 1) for tensor in by_head)
    own = [branches.spread(tensor).unflatten(0, by_tree[:2]).permute(0, 3, 1, 2, 4) for tensor in flat]
    branch_out = _branches(own, key, value, stems.inside)  # [G, H, K, C, D]
    return torch.cat([out, branches.collect(branch_out.permute(0, 2, 3, 1, 4).flatten(0, 1))])


def _are_small(rows: list[Row], query: Tensor) -> bool:
    """Whether trees have so few scores on average that calls for each would cost more than padding them all."""
    scores = [row.size * (row.stem + row.size) for row in rows if row.stem]
    trees = {row.stem_start for row in rows if row.stem}
    return sum(scores) * len(query) < FEWEST_SCORES.get(query.dtype, 0) * len(trees)


def _stems(by_head: list[Tensor], layout: Layout) -> list[Tensor]:
    """Each [H, N, D] -> [G, H, P, D]; padding stands to the right, where no real position looks."""
    return [layout.stems.spread(tensor.transpose(0, 1)).transpose(1, 2) for tensor in by_head]


def _as_computed(tensor: Tensor) -> Tensor:
    """Rotary embeddings leave float32 behind where the products run in bfloat16."""
    kind = tensor.device.type
    return tensor.to(torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else tensor


def _branches(own: list[Tensor], stem_key: Tensor, stem_value: Tensor, stem_inside: Tensor) -> Tensor:
    """Every branch on its stem and on itself, in one softmax: own query, key, value [G, H, K, C, D] -> the same.

    The stem's keys are not copied for each branch: the queries of all branches meet them in one matrix product.
    """
    query, key, value = own
    _, _, branches, length, _ = query.shape
    on_stem = (query.flatten(2, 3) @ stem_key.transpose(-1, -2)).unflatten(2, (branches, length))
    on_own = query @ key.transpose(-1, -2)
    stem_length = stem_key.shape[2]
    padding = torch.zeros(stem_inside.shape, dtype=query.dtype, device=query.device)
    padding = padding.masked_fill(~stem_inside, float("-inf"))[:, None].expand(-1, length, -1)
    future = row_attention.future(length, query).expand(len(padding), -1, -1)
    unseen = torch.cat([padding, future], -1)[:, None, None]  # [G, 1, 1, C, P + C]
    weights = torch.cat([on_stem, on_own], -1).add_(unseen).softmax(-1)
    of_stem, of_own = weights.split((stem_length, length), -1)  # their gradients are joined; those of slices are added
    from_stem = of_stem.flatten(2, 3) @ stem_value
    return from_stem.unflatten(2, (branches, length)) + of_own @ value


def _mask(*args: Any, attention_mask: Tensor | None = None, **kwargs: Any) -> None:
    """No mask is made: rows are packed, or padded to the right."""
    if attention_mask is not None:
        raise ValueError("Packed models take no two-dimensional attention mask; pad to the right, or pack.")


AttentionInterface.register(NAME, attention)
AttentionMaskInterface.register(NAME, _mask)
