"""Adapters against the formula W + (alpha / r) B A by plain torch, against peft's own reader, and merged."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from torch import Tensor, nn
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
)

from tests.training.rlhf.conftest import VOCABULARY, config
from training.contract.run_dir import RunDir, RunError
from training.contract.specs.lora import LoraSpec
from training.rlhf.causal_lm import response_logits
from training.rlhf.lora import Lora, add_lora, trained
from training.rlhf.packed import enable_packing
from training.rlhf.scalar_head import ScalarModel
from training.rlhf.trees import Tree, pack

SPEC = LoraSpec(lora_rank=3, lora_alpha=12)
IDS = torch.tensor([[5, 9, 2, 30, 7, 11]])


def llama() -> Any:
    torch.manual_seed(0)
    return LlamaForCausalLM(config())


def gpt2() -> Any:
    torch.manual_seed(0)
    sizes = {"vocab_size": VOCABULARY, "n_positions": 64, "n_embd": 16, "n_layer": 2, "n_head": 2}
    return GPT2LMHeadModel(GPT2Config(**sizes, initializer_range=0.4, bos_token_id=0, eos_token_id=0)).eval()


def classifier() -> Any:
    torch.manual_seed(0)
    return LlamaForSequenceClassification(config(num_labels=1))


def adapted(model: Any, spec: LoraSpec = SPEC) -> Lora:
    """Adapters that do something: B begins at 0, here it does not."""
    lora = Lora(model, spec, "runs/base/checkpoint")
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(weight, std=0.1)
    return lora


def output(model: Any) -> Tensor:
    with torch.no_grad():
        return model(input_ids=IDS).logits


@pytest.mark.parametrize("make", [llama, gpt2, classifier])
def test_the_adapted_model_is_the_base_with_the_products_added(make: Callable[[], Any]) -> None:
    model, by_hand = make(), make()
    adapted(model)
    weights = dict(model.named_parameters())
    changed = 0
    with torch.no_grad():
        for name, weight in by_hand.named_parameters():
            layer = name.removesuffix(".weight")
            if f"{layer}.lora_A.default.weight" in weights:
                product = weights[f"{layer}.lora_B.default.weight"] @ weights[f"{layer}.lora_A.default.weight"]
                weight += 4 * (product.T if make is gpt2 else product)  # alpha / r; GPT-2 keeps its matrices transposed
                changed += 1
    assert changed == (2 * 4 if make is gpt2 else 2 * 7)  # every linear layer of two blocks, and no head
    torch.testing.assert_close(output(model), output(by_hand), atol=5e-5, rtol=0)
    assert (output(model) - output(make())).abs().max() > 0.1


@pytest.mark.parametrize("make", [llama, gpt2, classifier])
def test_what_is_published_opens_without_us_and_gives_the_same(make: Callable[[], Any], tmp_path: Path) -> None:
    """The merged checkpoint in transformers; the adapter, on the base that it was trained on, in peft."""
    make().save_pretrained(tmp_path / "base")
    model = make()
    lora = adapted(model)
    if make is classifier:
        nn.init.normal_(model.score.weight)  # a head that was trained too
    expected = output(model)
    lora.publish(run := RunDir(tmp_path / "run", "run", "sft", 1, {}, {}, {}))
    model.save_pretrained(run.checkpoint)
    opened = AutoModelForSequenceClassification if make is classifier else AutoModelForCausalLM
    merged = opened.from_pretrained(run.checkpoint)
    torch.testing.assert_close(output(merged), expected, atol=5e-5, rtol=0)
    assert {name for name, _ in merged.named_parameters()} == {name for name, _ in make().named_parameters()}
    again = PeftModel.from_pretrained(opened.from_pretrained(tmp_path / "base"), run.path / "adapter").eval()
    torch.testing.assert_close(output(again), expected, atol=5e-5, rtol=0)
    assert sorted(path.name for path in (run.path / "adapter").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]


def test_only_adapters_and_the_head_have_gradients(prompts: list[list[int]]) -> None:
    policy, judge = llama(), ScalarModel(classifier())
    enable_packing(policy)
    adapted(policy)
    adapted(judge.classifier)
    rows = pack([Tree([*prompt, 0], (), 1) for prompt in prompts])
    response_logits(policy, rows).square().sum().backward()
    judge.score(rows).square().sum().backward()
    for model, also in ((policy, set()), (judge.classifier, {"score.weight"})):
        with_gradient = {name for name, weight in model.named_parameters() if weight.grad is not None}
        assert with_gradient == {name for name, _ in model.named_parameters() if "lora_" in name} | also


def test_without_its_adapters_the_model_is_the_base_and_afterwards_itself_again() -> None:
    model = llama()
    lora = adapted(model)
    before, learning = output(model), {name for name, weight in model.named_parameters() if weight.requires_grad}
    with lora.disabled():
        assert torch.equal(output(model), output(llama()))
    assert torch.equal(output(model), before)
    assert {name for name, weight in model.named_parameters() if weight.requires_grad} == learning


def test_the_model_without_its_adapters_reads_packed_rows_as_the_base(prompts: list[list[int]]) -> None:
    """To the last bit, as PPO's reference; the head and the rest are the model's own."""
    model, base = llama(), llama()
    for one in (model, base):
        enable_packing(one)
    reference = adapted(model).without()
    rows = pack([Tree([*prompt, 0], (), 1) for prompt in prompts])
    with torch.no_grad():
        assert torch.equal(response_logits(reference, rows), response_logits(base, rows))
        assert not torch.equal(response_logits(model, rows), response_logits(base, rows))
    assert reference.device == model.device and reference.config is model.config


def test_layers_are_chosen_by_their_last_names() -> None:
    model = llama()
    adapted(model, LoraSpec(lora_rank=2, lora_target_modules="q_proj, v_proj"))
    layers = {name.split(".lora_A")[0] for name, _ in model.named_parameters() if "lora_A" in name}
    assert layers == {f"model.layers.{i}.self_attn.{name}_proj" for i in (0, 1) for name in "qv"}


@pytest.mark.parametrize("name", ["query", "lm_head", "embed_tokens"])
def test_a_layer_that_is_not_there_is_refused(name: str) -> None:
    """Nor can the head be adapted: where it is tied, merging would change the embedding as well."""
    with pytest.raises(RunError, match=f"names '{name}', and the linear layers of llama models are down_proj, gate"):
        Lora(llama(), LoraSpec(lora_rank=2, lora_target_modules=f"q_proj,{name}"), "")


def test_a_state_holds_what_is_trained_and_no_more() -> None:
    model, other = classifier(), classifier()
    assert trained(model) is model
    assert add_lora(model, LoraSpec(), "") is None
    adapted(model)
    adapted(other)
    state = trained(model).state_dict()
    assert sorted(state) == sorted(
        name.replace(".", "/") for name, _ in model.named_parameters() if "lora_" in name or name == "score.weight"
    )
    nn.init.normal_(model.score.weight)
    trained(other).load_state_dict(trained(model).state_dict())
    assert torch.equal(output(other), output(model))
