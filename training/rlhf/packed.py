"""Packed sequences: a whole batch as one row of tokens, without padding, where completions share their prompt.

A *tree* is a stem and its branches: a prompt and the completions that were sampled for it. The stem is computed once,
every branch attends to the stem and to itself, and positions go on from the stem in each branch, so that every token
has exactly the hidden state it would have in a row of its own. A row that shares nothing is a stem without branches.

With a prompt of P tokens and K completions of C each, a forward pass reads P + K C tokens in place of K (P + C), and
the linear layers, where the time goes, never see a padding token. Only attention is padded, to the longest stem and
the longest branch of the batch.

Every decoder of transformers whose attention goes through the attention interface can be packed: `enable_packing`
names ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from training.rlhf import row_attention
from training.rlhf.last_layer import read_only
from training.rlhf.linear import replace_linears
from training.rlhf.norms import replace_norms
from training.rlhf.sample_cache import SampleCache

NAME = "podium_packed"
SHORT = {torch.float32: 48, torch.bfloat16: 96}  # tokens; rows of fewer on average are quicker padded (lab log)


class Tree(NamedTuple):
    """A prompt and its completions; without branches, one row, of which `stem[response_start:]` is the response."""

    stem: list[int]
    branches: Sequence[list[int]] = ()
    response_start: int = 0

    @property
    def tokens(self) -> int:
        return len(self.stem) + sum(map(len, self.branches))


@dataclass(frozen=True)
class Grid:
    """How segments of the flat row stand in a padded grid for attention.

    Both ways go by index_select, whose gradient is added row by row; that of plain indexing is several times as slow.
    """

    index: Tensor  # long [segments, longest]; flat position of each entry, 0 in the padding
    inside: Tensor  # bool [segments, longest]
    where: Tensor  # long [tokens]; entry of the flattened grid that each token stands at
    sizes: list[int]  # [segments]; tokens of each

    def spread(self, flat: Tensor) -> Tensor:
        """[N, H, D] -> [segments, longest, H, D]"""
        return flat.index_select(0, self.index.flatten()).unflatten(0, self.index.shape)

    def collect(self, grid: Tensor) -> Tensor:
        """[segments, longest, H, D] -> [tokens, H, D]"""
        return grid.flatten(0, 1).index_select(0, self.where)


class Layout(NamedTuple):
    """G stems of at most P tokens, each with at most K branches of at most C tokens."""

    stems: Grid  # G segments
    branches: Grid | None  # G * K segments; those that a tree lacks are empty


class Packed(NamedTuple):
    """N tokens: all stems, then all branches. Rows are the branches, or the stem of a tree that has none."""

    ids: Tensor  # long [N]
    positions: Tensor  # long [N]
    layout: Layout
    ends: Tensor  # long [rows]; flat position of the last token of each row; [0] where those were left out
    predictors: Tensor  # long [R]; flat position whose state predicts the response token, row by row
    targets: Tensor  # long [R]; the response tokens
    lengths: list[int]  # [rows]; response tokens of each


def pack(trees: Sequence[Tree], device: torch.device | str = "cpu", *, with_ends: bool = True) -> Packed:
    """Lay the trees out as one row. Rows keep the order of the trees, and of the branches within each.

    Without ends, the last token of each row is a target and not read: what follows it is nobody's question.
    """
    kept = slice(None) if with_ends else slice(-1)
    stems = [tree.stem if tree.branches else tree.stem[kept] for tree in trees]
    stem_start = [0]
    ids: list[int] = []
    positions: list[int] = []
    for stem in stems:
        ids.extend(stem)
        positions.extend(range(len(stem)))
        stem_start.append(len(ids))
    stem_tokens = len(ids)
    ends: list[int] = []
    predictors: list[int] = []
    targets: list[int] = []
    lengths: list[int] = []
    sizes: list[int] = []
    most = max(len(tree.branches) for tree in trees)
    for tree, start in zip(trees, stem_start, strict=False):
        last = start + len(tree.stem) - 1
        if not tree.branches:
            ends.append(last)
            predictors.extend(range(start + tree.response_start - 1, last))
            targets.extend(tree.stem[tree.response_start :])
            lengths.append(len(tree.stem) - tree.response_start)
        for branch in tree.branches:
            first = len(ids)
            ids.extend(branch[kept])
            positions.extend(range(len(tree.stem), len(tree.stem) + len(branch[kept])))
            sizes.append(len(branch[kept]))
            ends.append(len(ids) - 1)
            predictors.extend([last, *range(first, first + len(branch) - 1)])
            targets.extend(branch)
            lengths.append(len(branch))
        sizes.extend([0] * (most - len(tree.branches)))

    def tensor(values: list[int]) -> Tensor:
        return torch.tensor(values, dtype=torch.long, device=device)

    layout = Layout(
        _grid(list(map(len, stems)), 0, device),
        _grid(sizes, stem_tokens, device) if most else None,
    )
    read_ends = tensor(ends if with_ends else [])
    return Packed(tensor(ids), tensor(positions), layout, read_ends, tensor(predictors), tensor(targets), lengths)


def idle_pass(device: torch.device | str) -> Packed:
    """One token and no rows: a pass whose losses are sums over nothing, for a process that has nothing to compute."""
    one = pack([Tree([0])], device)
    return one._replace(ends=one.ends[:0], predictors=one.predictors[:0], targets=one.targets[:0], lengths=[])


def _grid(sizes: list[int], start: int, device: torch.device | str) -> Grid:
    lengths = torch.tensor(sizes, device=device)
    column = torch.arange(max(1, max(sizes)), device=device)
    inside = column < lengths[:, None]
    first = lengths.cumsum(0) - lengths + start
    index = (first[:, None] + column).masked_fill(~inside, 0)
    return Grid(index, inside, inside.flatten().nonzero().squeeze(1), sizes)


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
    stems, branches = packed_layout
    if branches is None and sample_cache is None and _is_slow_padded(by_head[0], stems):
        return row_attention.attend(*by_head, sizes=stems.sizes)[None], None
    flat = [tensor.transpose(0, 1) for tensor in by_head]
    stem_query, stem_key, stem_value = (stems.spread(tensor).transpose(1, 2) for tensor in flat)  # [G, H, P, D]
    if sample_cache is not None:
        sample_cache.keep_stem(stem_key, stem_value, stems.inside)
    out = stems.collect(_causal(stem_query, stem_key, stem_value).transpose(1, 2))
    if branches is not None:
        by_tree = (len(stem_key), -1, branches.index.shape[1])
        own = [branches.spread(tensor).unflatten(0, by_tree[:2]).permute(0, 3, 1, 2, 4) for tensor in flat]
        branch_out = _branches(own, stem_key, stem_value, stems.inside)  # [G, H, K, C, D]
        out = torch.cat([out, branches.collect(branch_out.permute(0, 2, 3, 1, 4).flatten(0, 1))])
    return out[None], None


def _as_computed(tensor: Tensor) -> Tensor:
    """Rotary embeddings leave float32 behind where the products run in bfloat16."""
    kind = tensor.device.type
    return tensor.to(torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else tensor


def _causal(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Each segment on its own; padding stands to the right, where no real position looks: [G, H, P, D]."""
    if query.device.type == "cpu" and query.dtype == torch.bfloat16:  # SDPA's backward is slow there
        scores = query @ key.transpose(-1, -2)
        return (scores + row_attention.future(scores.shape[-1], scores)).softmax(-1) @ value
    return F.scaled_dot_product_attention(query, key, value, is_causal=True, scale=1.0)


def _is_slow_padded(query: Tensor, rows: Grid) -> bool:
    """On a CPU, where rows are not so short that the calls for each would cost more than the padding."""
    return query.device.type == "cpu" and sum(rows.sizes) >= SHORT.get(query.dtype, 0) * len(rows.sizes)


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
    weights = (torch.cat([on_stem, on_own], -1) + unseen).softmax(-1)
    from_stem = weights[..., :stem_length].flatten(2, 3) @ stem_value
    return from_stem.unflatten(2, (branches, length)) + weights[..., stem_length:] @ value


def _mask(*args: Any, attention_mask: Tensor | None = None, **kwargs: Any) -> None:
    """No mask is made: rows are packed, or padded to the right."""
    if attention_mask is not None:
        raise ValueError("Packed models take no two-dimensional attention mask; pad to the right, or pack.")


AttentionInterface.register(NAME, attention)
AttentionMaskInterface.register(NAME, _mask)
