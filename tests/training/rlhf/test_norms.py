"""Against the modules of transformers that it replaces."""

import copy

import pytest
import torch
from torch import Tensor, nn
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, Qwen3Config, Qwen3ForCausalLM
from transformers.models.gemma.modeling_gemma import GemmaRMSNorm
from transformers.models.llama.modeling_llama import LlamaRMSNorm

from training.rlhf.norms import RmsNorm, replace_norms, rms_norm

TINY = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 11}


def theirs(width: int = 24, eps: float = 1e-5) -> LlamaRMSNorm:
    torch.manual_seed(0)
    module = LlamaRMSNorm(width, eps)
    nn.init.normal_(module.weight, 1.0, 0.3)
    return module


def ours(module: LlamaRMSNorm) -> RmsNorm:
    return RmsNorm(nn.Parameter(module.weight.detach().clone()), module.variance_epsilon)


def output_and_gradient(module: nn.Module, states: Tensor, of_output: Tensor) -> list[Tensor]:
    states = states.detach().clone().requires_grad_()
    output = module(states)
    return [output, *torch.autograd.grad(output, [states, module.weight], of_output.to(output.dtype))]


@pytest.mark.parametrize("shape", [(24,), (5, 24), (2, 3, 24), (0, 24)], ids=str)
def test_it_is_the_norm_of_transformers_with_its_gradient(shape: tuple[int, ...]) -> None:
    module = theirs()
    states, of_output = torch.randn(2, *shape)
    found, expected = (output_and_gradient(each, states * 3, of_output) for each in (ours(module), module))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_on_other_devices_it_is_the_same_formula(dtype: torch.dtype) -> None:
    module, states = theirs(), torch.randn(3, 24).to(dtype)
    found, expected = rms_norm(states, module.weight, module.variance_epsilon), module(states)
    assert found.dtype == expected.dtype
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-6)


def test_bfloat16_in_gives_what_float32_weights_make_of_it() -> None:
    module = theirs()
    states, of_output = torch.randn(2, 4, 24)
    found = output_and_gradient(ours(module), states.bfloat16(), of_output)
    expected = output_and_gradient(module, states.bfloat16(), of_output)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        torch.testing.assert_close(one, other, atol=2e-2, rtol=2e-2)


def test_the_gradient_is_that_of_differences() -> None:
    module = ours(theirs(6)).double()
    torch.manual_seed(1)
    states = torch.randn(4, 6, dtype=torch.float64, requires_grad=True)
    torch.autograd.gradcheck(lambda x, w: RmsNorm(w, module.eps)(x), (states, module.weight))


def test_a_frozen_weight_has_no_gradient() -> None:
    module = ours(theirs())
    module.weight.requires_grad_(False)
    states = torch.randn(3, 24, requires_grad=True)
    module(states).sum().backward()
    assert module.weight.grad is None
    assert states.grad is not None


def test_a_model_keeps_its_names_weights_and_logits() -> None:
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(**TINY))
    for name, parameter in model.named_parameters():
        if "norm" in name:
            nn.init.normal_(parameter, 1.0, 0.2)
    ids = torch.tensor([[3, 1, 4, 1, 5]])
    before, logits = {name: value.clone() for name, value in model.state_dict().items()}, model(ids).logits
    replace_norms(model)
    assert sum(isinstance(module, RmsNorm) for module in model.modules()) == 2 * 2 + 1
    after = model.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], before[name]) for name in before)
    torch.testing.assert_close(model(ids).logits, logits, atol=1e-6, rtol=0)
    other = copy.deepcopy(model)
    nn.init.zeros_(other.model.norm.weight)
    torch.testing.assert_close(model(ids).logits, logits, atol=1e-6, rtol=0)
    assert not other(ids).logits.any()


def test_norms_of_queries_and_keys_are_replaced_too() -> None:
    model = Qwen3ForCausalLM(Qwen3Config(**TINY, num_key_value_heads=1, head_dim=8))
    replace_norms(model)
    assert sum(isinstance(module, RmsNorm) for module in model.modules()) == 2 * 4 + 1


def test_other_norms_stay() -> None:
    model = nn.ModuleList([GemmaRMSNorm(8), nn.LayerNorm(8), nn.RMSNorm(8), GPT2LMHeadModel(GPT2Config(n_layer=1))])
    nn.init.ones_(model[0].weight)  # it multiplies by 1 + weight
    kinds = [type(module) for module in model.modules()]
    replace_norms(model)
    assert [type(module) for module in model.modules()] == kinds
