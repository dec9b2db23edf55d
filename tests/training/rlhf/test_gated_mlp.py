"""Against the modules of transformers that it replaces."""

import copy

import pytest
import torch
from torch import Tensor, nn
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM
from transformers.models.gemma.modeling_gemma import GemmaConfig, GemmaMLP
from transformers.models.llama.modeling_llama import LlamaMLP

from training.rlhf.gated_mlp import GatedMlp, replace_gated_mlps

TINY = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 11}


def theirs() -> LlamaMLP:
    torch.manual_seed(0)
    return LlamaMLP(LlamaConfig(**TINY))


def ours() -> GatedMlp:
    module = theirs()
    return GatedMlp(module.gate_proj, module.up_proj, module.down_proj)


def output_and_gradients(module: nn.Module, states: Tensor, of_output: Tensor, bf16: bool) -> list[Tensor]:
    states = states.detach().clone().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        output = module(states)
    return [output, *torch.autograd.grad(output, [states, *module.parameters()], of_output.to(output.dtype))]


@pytest.mark.parametrize("shape", [(5, 16), (2, 3, 16), (0, 16)], ids=str)
@pytest.mark.parametrize(("bf16", "error"), [(False, 1e-6), (True, 2e-2)], ids=["fp32", "bf16"])
def test_it_is_the_mlp_of_transformers_with_its_gradient(shape: tuple[int, ...], bf16: bool, error: float) -> None:
    states, of_output = torch.randn(2, *shape)
    found, expected = (output_and_gradients(each, states * 4, of_output, bf16) for each in (ours(), theirs()))
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        torch.testing.assert_close(one, other, atol=error, rtol=error)


def test_the_gradient_is_that_of_differences() -> None:
    torch.manual_seed(1)
    states = torch.randn(3, 16, dtype=torch.float64, requires_grad=True)
    torch.autograd.gradcheck(ours().double(), (states,))


def test_a_model_keeps_its_names_weights_and_logits() -> None:
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(**TINY))
    ids = torch.tensor([[3, 1, 4, 1, 5]])
    before, logits = {name: value.clone() for name, value in model.state_dict().items()}, model(ids).logits
    replace_gated_mlps(model)
    assert sum(isinstance(module, GatedMlp) for module in model.modules()) == 2
    after = model.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], before[name]) for name in before)
    torch.testing.assert_close(model(ids).logits, logits, atol=1e-6, rtol=0)
    other = copy.deepcopy(model)
    nn.init.zeros_(other.model.layers[0].mlp.up_proj.weight)
    torch.testing.assert_close(model(ids).logits, logits, atol=1e-6, rtol=0)
    assert not torch.allclose(other(ids).logits, logits, atol=1e-4)


def test_other_mlps_stay() -> None:
    gelu = GemmaMLP(GemmaConfig(hidden_size=16, intermediate_size=24))
    model = nn.ModuleList([gelu, GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=16, n_head=2))])
    kinds = [type(module) for module in model.modules()]
    replace_gated_mlps(model)
    assert [type(module) for module in model.modules()] == kinds
