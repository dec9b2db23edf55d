"""Against the layers of torch, in float64 where it says so."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear
from transformers import LlamaConfig, LlamaForCausalLM

from training.rlhf import linear
from training.rlhf.linear import FEWEST_ROWS, Linear, replace_linears, weights_laid_out

TINY = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 11}
needs_onednn = pytest.mark.skipif(not linear._has_onednn(), reason="a CPU without AVX-512")


def twins(bias: bool = True) -> tuple[Linear, nn.Linear]:
    torch.manual_seed(0)
    theirs = nn.Linear(24, 40, bias)
    ours = copy.deepcopy(theirs)
    replace_linears(ours)
    assert isinstance(ours, Linear)
    return ours, theirs


def output_and_gradients(layer: nn.Linear, states: Tensor, of_output: Tensor) -> list[Tensor]:
    states = states.detach().clone(memory_format=torch.preserve_format).requires_grad_()
    output = layer(states)
    return [output, *torch.autograd.grad(output, [states, *layer.parameters()], of_output.to(output.dtype))]


@pytest.fixture
def products(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Shapes of what oneDNN multiplied by a weight."""
    seen: list[tuple[int, ...]] = []
    product = linear._product

    def watched(left: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        seen.append(tuple(left.shape))
        return product(left, weight, bias)

    monkeypatch.setattr(linear, "_product", watched)
    return seen


@needs_onednn
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    "states",
    [
        lambda: torch.randn(FEWEST_ROWS, 24),
        lambda: torch.randn(2, 80, 24),
        lambda: torch.randn(80, 3, 24).transpose(0, 1),
        lambda: torch.randn(24, 90).T,
        lambda: torch.randn(1, 1, 24).expand(70, 2, 24),
    ],
    ids=["rows", "batch", "transposed", "columns", "expanded"],
)
def test_it_is_the_layer_of_torch_in_float64(
    states: Callable[[], Tensor], bias: bool, products: list[tuple[int, ...]]
) -> None:
    ours, theirs = twins(bias)
    torch.manual_seed(1)
    inputs = states()
    of_output = torch.randn(40).expand(*inputs.shape[:-1], 40)  # the gradient of a sum is such a view
    found = output_and_gradients(ours, inputs, of_output)
    assert products == [tuple(inputs.shape), (*inputs.shape[:-1], 40)]
    for one, other in zip(found, output_and_gradients(theirs.double(), inputs.double(), of_output), strict=True):
        assert one.shape == other.shape
        torch.testing.assert_close(one.double(), other, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "states",
    [torch.randn(FEWEST_ROWS - 1, 24), torch.randn(24), torch.randn(0, 24), torch.randn(3, 0, 24)],
    ids=["few rows", "one row", "none", "none of three"],
)
def test_few_rows_are_left_to_torch(states: Tensor, products: list[tuple[int, ...]]) -> None:
    ours, theirs = twins()
    of_output = torch.ones(*states.shape[:-1], 40)
    found = output_and_gradients(ours, states, of_output)
    assert products == []
    assert all(map(torch.equal, found, output_and_gradients(theirs, states, of_output)))


def test_bfloat16_and_float64_are_left_to_torch(products: list[tuple[int, ...]]) -> None:
    ours, theirs = twins()
    states = torch.randn(100, 24)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(ours(states), theirs(states))
    ours.double(), theirs.double()
    assert torch.equal(ours(states.double()), theirs(states.double()))
    assert products == []


@needs_onednn
def test_only_what_is_trained_gets_a_gradient(products: list[tuple[int, ...]]) -> None:
    ours, _ = twins()
    ours.weight.requires_grad_(False)
    ours(torch.randn(100, 24)).sum().backward()
    assert products == [(100, 24)]  # the states are data
    assert ours.weight.grad is None
    assert ours.bias.grad.tolist() == [100.0] * 40


@needs_onednn
def test_a_state_of_its_own_is_not_seen_by_other_rows() -> None:
    ours, _ = twins()
    states = torch.randn(100, 24)
    changed = states.clone()
    changed[7] = torch.inf
    before, after = ours(states), ours(changed)
    others = torch.arange(100) != 7
    assert torch.equal(before[others], after[others])


@needs_onednn
@torch.no_grad()
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(24,), (1, 24), (3, 0, 24), (2, 80, 24)])
@pytest.mark.parametrize("is_bf16", [False, True], ids=["fp32", "bf16"])
def test_a_weight_that_is_laid_out_gives_the_same_product(
    shape: tuple[int, ...], bias: bool, is_bf16: bool, products: list[tuple[int, ...]]
) -> None:
    ours, theirs = twins(bias)
    states = torch.randn(shape)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_bf16):
        expected = theirs(states)
        with weights_laid_out(ours):
            found = ours(states)
    assert products == [shape]
    assert found.dtype == expected.dtype == (torch.bfloat16 if is_bf16 else torch.float32)
    tolerance = {"atol": 2e-2, "rtol": 1e-2} if is_bf16 else {"atol": 1e-6, "rtol": 1e-5}
    torch.testing.assert_close(found, expected, **tolerance)


@needs_onednn
@torch.no_grad()
def test_nothing_stays_laid_out() -> None:
    ours, theirs = twins()
    states = torch.randn(2, 24)
    with pytest.raises(KeyError), weights_laid_out(ours):
        raise KeyError
    for layer in (ours, theirs):
        layer.weight += 1
    assert torch.equal(ours(states), theirs(states))


@torch.no_grad()
def test_float64_is_not_laid_out(products: list[tuple[int, ...]]) -> None:
    ours, theirs = twins()
    ours.double(), theirs.double()
    states = torch.randn(80, 24, dtype=torch.float64)
    with weights_laid_out(ours):
        assert torch.equal(ours(states), theirs(states))
    assert products == []


def test_a_model_keeps_its_names_weights_ties_and_logits() -> None:
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(**TINY, tie_word_embeddings=True))
    ids = torch.randint(11, (2, FEWEST_ROWS))
    before, logits = {name: value.clone() for name, value in model.state_dict().items()}, model(ids).logits
    replace_linears(model)
    assert sum(isinstance(module, Linear) for module in model.modules()) == 2 * 7 + 1
    after = model.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert model.lm_head.weight is model.model.embed_tokens.weight
    torch.testing.assert_close(model(ids).logits, logits, atol=1e-6, rtol=1e-5)


def test_what_is_more_than_a_linear_layer_stays() -> None:
    layers = nn.ModuleList([nn.LazyLinear(3), NonDynamicallyQuantizableLinear(2, 2)])
    kinds = [type(layer) for layer in layers]
    replace_linears(layers)
    assert [type(layer) for layer in layers] == kinds


def test_hooks_stay() -> None:
    layer = nn.Linear(4, 4)
    layer.register_forward_hook(lambda *_: torch.zeros(1))
    replace_linears(layer)
    assert layer(torch.ones(2, 4)).tolist() == [0.0]
