"""Packed trees give what each row alone would give, on every architecture: states, gradients, and nothing leaks."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from training.rlhf import packed as packed_rows
from training.rlhf import row_attention
from training.rlhf.packed import enable_packing, packed_states, set_precision
from training.rlhf.row_attention import Row
from training.rlhf.trees import Packed, Tree, pack

SHAPE = {
    "vocab_size": 50,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
    "initializer_range": 0.3,  # large enough that every position matters
    "bos_token_id": 0,
    "eos_token_id": 0,
}
GPT2 = {
    "vocab_size": 50,
    "n_embd": 32,
    "n_layer": 2,
    "n_head": 4,
    "n_positions": 64,
    "initializer_range": 0.3,
    "bos_token_id": 0,
    "eos_token_id": 0,
    **dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), 0.0),
}
ARCHITECTURES: dict[str, Callable[[], PreTrainedModel]] = {
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SHAPE)),
    "llama with fewer key heads": lambda: LlamaForCausalLM(LlamaConfig(**SHAPE, num_key_value_heads=2)),
    "gpt_neox": lambda: GPTNeoXForCausalLM(GPTNeoXConfig(**SHAPE, attention_dropout=0.0, hidden_dropout=0.0)),
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SHAPE, num_key_value_heads=2)),
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(**GPT2)),
}
QUERY_AND_OUTPUT = ("q_proj", "o_proj")
GENERATOR = torch.Generator().manual_seed(1)


def tokens(count: int) -> list[int]:
    return torch.randint(1, 50, (count,), generator=GENERATOR).tolist()


# Ragged in everything: prompts, completions, and how many of these a prompt has (none, one, several).
TREES = [
    Tree(tokens(7), [tokens(3), tokens(5), tokens(1)]),
    Tree(tokens(2), [tokens(4)]),
    Tree(tokens(9), (), 4),
    Tree(tokens(5), [tokens(2), tokens(6)]),
    Tree(tokens(1), [tokens(2), tokens(2)]),
]
ROWS = [(tree.stem + list(branch), tree) for tree in TREES for branch in (tree.branches or [[]])]


@pytest.fixture(params=["by rows", "small trees", "padded"])
def attention(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_rows, "BY_ROWS", set() if request.param == "padded" else {"cpu"})
    for dtype in (torch.float32, torch.bfloat16):
        monkeypatch.setitem(packed_rows.FEWEST_SCORES, dtype, 1 << 30 if request.param == "small trees" else 0)


@pytest.fixture(params=ARCHITECTURES)
def model(request: pytest.FixtureRequest, attention: None) -> PreTrainedModel:
    torch.manual_seed(0)
    return ARCHITECTURES[request.param]().train()


def alone(model: PreTrainedModel) -> list[Tensor]:
    """The states of each row by itself, by the model as transformers makes it."""
    model.set_attn_implementation("eager")
    return [model.base_model(input_ids=torch.tensor([ids])).last_hidden_state[0] for ids, _ in ROWS]


def packed(model: PreTrainedModel, trees: list[Tree]) -> tuple[Packed, Tensor]:
    enable_packing(model)
    result = pack(trees)
    return result, packed_states(model, result)


def gradient(model: PreTrainedModel, ends: Tensor) -> Tensor:
    """Of a loss that reads the last state of each row, in a way of its own for each."""
    model.zero_grad()
    weights = torch.linspace(-1, 1, ends.numel(), dtype=ends.dtype).view_as(ends)
    ((ends * weights).sum(1) ** 2).sum().backward()
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


def assert_same_gradient(found: Tensor, expected: Tensor, error: float) -> None:
    """To within a share of the largest entry."""
    scale = expected.abs().max()
    torch.testing.assert_close(found / scale, expected / scale, atol=error, rtol=0)


def test_states_and_gradients_are_those_of_separate_rows(model: PreTrainedModel) -> None:
    expected = torch.stack([states[-1] for states in alone(model)])
    expected_gradient = gradient(model, expected)
    layout, states = packed(model, TREES)
    torch.testing.assert_close(states[layout.ends], expected, atol=1e-5, rtol=0)
    assert_same_gradient(gradient(model, states[layout.ends]), expected_gradient, 1e-5)


def test_every_response_token_is_predicted_from_the_state_before_it(model: PreTrainedModel) -> None:
    expected = []
    for (ids, tree), states in zip(ROWS, alone(model), strict=True):
        start = len(tree.stem) if tree.branches else tree.response_start
        expected.extend((states[position - 1], ids[position]) for position in range(start, len(ids)))
    layout, states = packed(model, TREES)
    before = torch.stack([state for state, _ in expected])
    torch.testing.assert_close(states[layout.predictors], before, atol=1e-5, rtol=0)
    assert layout.targets.tolist() == [target for _, target in expected]
    assert layout.lengths == [3, 5, 1, 4, 5, 2, 6, 2, 2]


def test_a_changed_completion_changes_no_other(model: PreTrainedModel) -> None:
    _, before = packed(model, TREES)
    branches = [list(branch) for branch in TREES[0].branches]
    branches[1][0] = branches[1][0] % 49 + 1
    _, after = packed(model, [TREES[0]._replace(branches=branches), *TREES[1:]])
    changed = (before != after).any(1).nonzero().squeeze(1).tolist()
    first = sum(len(tree.stem) for tree in TREES) + len(branches[0])
    assert changed == list(range(first, first + len(branches[1])))


def test_a_prompt_without_completions_is_a_plain_row(model: PreTrainedModel) -> None:
    rows = [tokens(4), tokens(9), tokens(1)]
    _, states = packed(model, [Tree(ids) for ids in rows])
    model.set_attn_implementation("eager")
    expected = torch.cat([model.base_model(input_ids=torch.tensor([ids])).last_hidden_state[0] for ids in rows])
    torch.testing.assert_close(states, expected, atol=1e-5, rtol=0)


def test_rows_that_share_nothing(model: PreTrainedModel) -> None:
    lengths = (40, 31, 2, 60)
    rows = [tokens(length) for length in lengths]
    model.set_attn_implementation("eager")
    expected = torch.cat([model.base_model(input_ids=torch.tensor([ids])).last_hidden_state[0] for ids in rows])
    ends = torch.tensor(lengths).cumsum(0) - 1
    expected_gradient = gradient(model, expected[ends])
    _, states = packed(model, [Tree(ids) for ids in rows])
    torch.testing.assert_close(states, expected, atol=2e-5, rtol=0)
    assert_same_gradient(gradient(model, states[ends]), expected_gradient, 1e-5)


def test_rows_are_told_where_they_stand_and_what_they_continue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the tests of what they compute would not see what they are there for."""
    model = ARCHITECTURES["llama"]()
    heads = model.config.num_attention_heads
    calls: list[list[Row]] = []
    plain = row_attention.attend
    monkeypatch.setattr(row_attention, "attend", lambda *qkv, rows: calls.append(rows) or plain(*qkv, rows=rows))
    packed(model, [Tree(tokens(40)), Tree(tokens(25))])
    assert calls == [[(0, 40, 0, 0), (40, 25, 0, 0)]] * 2  # layers
    calls.clear()
    trees = [Tree(tokens(6), [tokens(25), tokens(22)]), Tree(tokens(3), [tokens(18)])]
    stems, branches = [(0, 6, 0, 0), (6, 3, 0, 0)], [(9, 25, 0, 6), (34, 22, 0, 6), (56, 18, 6, 3), (74, 0, 6, 3)]
    scores = 25 * 31 + 22 * 28 + 18 * 21  # of two trees
    monkeypatch.setitem(packed_rows.FEWEST_SCORES, torch.float32, heads * scores / 2)
    packed(model, trees)
    assert calls == [stems + branches] * 2
    calls.clear()
    monkeypatch.setitem(packed_rows.FEWEST_SCORES, torch.float32, heads * scores / 2 + 1)
    packed(model, trees)
    assert calls == [stems] * 2
    calls.clear()
    monkeypatch.setattr(packed_rows, "BY_ROWS", set())
    packed(model, trees)
    assert not calls


def test_without_ends_the_last_tokens_are_targets_and_not_read(model: PreTrainedModel) -> None:
    layout, states = packed(model, TREES)
    before = states[layout.predictors]
    expected_gradient = gradient(model, before)
    short = pack(TREES, with_ends=False)
    found = packed_states(model, short, short.predictors)
    torch.testing.assert_close(found, before, atol=1e-5, rtol=0)
    assert_same_gradient(gradient(model, found), expected_gradient, 1e-5)
    assert len(short.ids) == len(layout.ids) - len(ROWS)
    assert short.targets.tolist() == layout.targets.tolist()
    assert short.lengths == layout.lengths
    assert not len(short.ends)


def test_without_ends_a_prompt_whose_completions_are_one_token(model: PreTrainedModel) -> None:
    enable_packing(model)
    trees = [Tree(tokens(4), [tokens(1), tokens(1)]), Tree([*tokens(3), 5], (), 3)]
    layout, short = pack(trees), pack(trees, with_ends=False)
    assert short.predictors.tolist() == [3, 3, 6]
    expected = packed_states(model, layout, layout.predictors)
    torch.testing.assert_close(packed_states(model, short, short.predictors), expected, atol=1e-5, rtol=0)


def test_the_last_layer_is_computed_for_the_states_that_are_read_alone(model: PreTrainedModel) -> None:
    expected = torch.stack([states[-1] for states in alone(model)])
    expected_gradient = gradient(model, expected)
    layout, everywhere = packed(model, TREES)
    layers = next(module for module in model.base_model.children() if isinstance(module, torch.nn.ModuleList))
    seen: list[int] = []
    for layer in layers:
        for part in (
            layer.mlp,
            *(getattr(layer.self_attn, name) for name in QUERY_AND_OUTPUT if hasattr(layer, "self_attn")),
        ):
            part.register_forward_hook(lambda _, inputs, output: seen.append(inputs[0].shape[1]))
    twice = torch.cat([layout.ends, layout.ends[:2]])  # what several completions read is computed once
    states = packed_states(model, layout, twice)
    parts = 3 if hasattr(layers[0], "self_attn") else 1
    assert seen == [len(layout.ids)] * parts + [len(layout.ends)] * parts
    torch.testing.assert_close(states, torch.cat([expected, expected[:2]]), atol=1e-5, rtol=0)
    assert_same_gradient(gradient(model, states[: len(expected)]), expected_gradient, 1e-5)
    torch.testing.assert_close(packed_states(model, layout), everywhere)


def test_a_pass_that_is_read_everywhere_has_no_hooks(model: PreTrainedModel) -> None:
    layout, everywhere = packed(model, TREES)
    order = torch.randperm(len(layout.ids), generator=GENERATOR)
    torch.testing.assert_close(packed_states(model, layout, order), everywhere[order])
    assert not any(hasattr(module, "read_at") for module in model.modules())


def test_a_pass_that_fails_leaves_the_last_layer_whole(model: PreTrainedModel) -> None:
    layout, everywhere = packed(model, TREES)
    with pytest.raises(IndexError):
        packed_states(model, layout._replace(ids=layout.ids + 50), layout.ends)
    torch.testing.assert_close(packed_states(model, layout), everywhere)


def test_double_precision_agrees_to_double_precision() -> None:
    torch.manual_seed(0)
    model = ARCHITECTURES["gpt2"]().double()  # its positions are learned: no rotary table in float32
    expected = torch.stack([states[-1] for states in alone(model)])
    expected_gradient = gradient(model, expected)
    layout, states = packed(model, TREES)
    torch.testing.assert_close(states[layout.ends], expected, atol=1e-12, rtol=0)
    assert_same_gradient(gradient(model, states[layout.ends]), expected_gradient, 1e-12)


def test_bfloat16_computes_in_bfloat16_on_float32_weights(model: PreTrainedModel) -> None:
    layout, exact = packed(model, TREES)
    set_precision(model, "bf16")
    rounded = packed_states(model, layout)
    error = (rounded.float() - exact).abs().mean() / exact.abs().mean()
    assert 1e-4 < error < 3e-2  # 8 bits of mantissa, some layers deep
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())
    assert gradient(model, rounded.float()[layout.ends]).dtype == torch.float32


def test_a_padding_mask_is_refused(model: PreTrainedModel) -> None:
    enable_packing(model)
    with pytest.raises(ValueError, match="pad to the right, or pack"):
        model(input_ids=torch.ones(2, 4, dtype=torch.long), attention_mask=torch.ones(2, 4, dtype=torch.long))
