"""Checkpoints of other people, as they are opened: a pad token of their own, and no dropout."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import (
    AutoModelForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaForCausalLM,
    PretrainedConfig,
    PreTrainedTokenizerFast,
)

from tests.training.rlhf.conftest import config
from training.rlhf.causal_lm import load_causal_lm, load_tokenizer
from training.rlhf.scalar_head import load_scalar_model, new_scalar_model
from training.rlhf.tokens import encode_completions, encode_prompts
from training.rlhf.trees import Tree, pack
from training.rlhf.word_tokenizer import train_word_tokenizer

CPU = torch.device("cpu")
VOCABULARY = 300


@pytest.fixture
def tokenizer() -> PreTrainedTokenizerFast:
    return train_word_tokenizer(["a b"], min_count=1, vocab_size=VOCABULARY)


def padding_with_the_end(path: Path, more: int = 0) -> Path:
    """A checkpoint whose tokenizer pads with the end token, as many do; 3 words, and `more`."""
    vocabulary = {"<end>": 0, "a": 1, "b": 2, **{f"w{number}": number + 3 for number in range(more)}}
    words = Tokenizer(WordLevel(vocabulary, unk_token="a"))
    words.pre_tokenizer = WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<end>", pad_token="<end>")
    tokenizer.save_pretrained(path)
    LlamaForCausalLM(config(vocab_size=len(vocabulary), pad_token_id=0)).save_pretrained(path)
    return path


@pytest.fixture
def without_pad(tmp_path: Path) -> Path:
    return padding_with_the_end(tmp_path)


def test_a_tokenizer_that_pads_with_the_end_token_is_given_another(without_pad: Path) -> None:
    """And the model is given a row for it, without a change to the others."""
    tokenizer = load_tokenizer(without_pad)
    assert (tokenizer.eos_token_id, tokenizer.pad_token_id) == (0, 3)
    model = load_causal_lm(without_pad, tokenizer, CPU)
    assert (model.config.eos_token_id, model.config.pad_token_id) == (0, 3)
    before, after = LlamaForCausalLM.from_pretrained(without_pad), model.get_input_embeddings().weight
    assert after.shape[0] == 4
    assert torch.equal(after[:3], before.get_input_embeddings().weight)


def test_two_openings_of_one_checkpoint_are_one_model(tmp_path: Path) -> None:
    """Policy and reference: a pad row drawn at random would be a KL at step 0."""
    path = padding_with_the_end(tmp_path, more=200)
    tokenizer = load_tokenizer(path)
    first, second = (load_causal_lm(path, tokenizer, CPU).state_dict() for _ in range(2))
    assert all(torch.equal(weight, second[name]) for name, weight in first.items())


def test_transformers_reads_the_reward_at_the_end_token_of_a_checkpoint_made_from_it(
    without_pad: Path, tmp_path: Path
) -> None:
    """Where pad and end are one token, its classifier takes the token before for the last one."""
    tokenizer = load_tokenizer(without_pad)
    model = new_scalar_model(without_pad, tokenizer, CPU)
    [prompt], [answer] = encode_prompts(tokenizer, ["a"]), encode_completions(tokenizer, ["b b"])
    assert answer == [2, 2, 0]
    ids = torch.tensor([prompt + answer])
    model.classifier.save_pretrained(tmp_path / "reward")
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path / "reward")
    padded = torch.cat([ids, torch.full((1, 3), tokenizer.pad_token_id)], dim=1)
    expected = model.score(pack([Tree(prompt + answer)]))
    torch.testing.assert_close(plain(input_ids=padded).logits[:, 0], expected, atol=1e-5, rtol=0)
    assert not torch.isclose(model.score(pack([Tree((prompt + answer)[:-1])])), expected)


def with_dropout(kind: str) -> tuple[type[Any], PretrainedConfig]:
    if kind == "llama":
        return LlamaForCausalLM, config(vocab_size=VOCABULARY, attention_dropout=0.5)
    rates = {"resid_pdrop": 0.5, "embd_pdrop": 0.5, "attn_pdrop": 0.5}
    sizes = {"vocab_size": VOCABULARY, "n_positions": 64, "n_embd": 16, "n_layer": 2, "n_head": 2}
    return GPT2LMHeadModel, GPT2Config(**sizes, **rates, bos_token_id=0, eos_token_id=0, pad_token_id=1)


def policy(path: Path, tokenizer: Any) -> tuple[torch.nn.Module, Callable[[torch.Tensor], torch.Tensor]]:
    model = load_causal_lm(path, tokenizer, CPU)
    return model, lambda ids: model(input_ids=ids).logits.sum()


def reward_model(path: Path, tokenizer: Any) -> tuple[torch.nn.Module, Callable[[torch.Tensor], torch.Tensor]]:
    model = new_scalar_model(path, tokenizer, CPU)
    model.classifier.save_pretrained(path / "reward")
    again = load_scalar_model(path / "reward", tokenizer, CPU)  # as PPO opens it: reward and value model
    return again.classifier, lambda ids: again.score(pack([Tree(row) for row in ids.tolist()])).sum()


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("opened", [policy, reward_model])
@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_no_model_drops_anything_in_training_mode(
    kind: str, opened: Callable[..., Any], checkpointing: bool, tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    """Also under gradient checkpointing, which runs the layers again: the same loss and gradient twice."""
    architecture, settings = with_dropout(kind)
    architecture(settings).save_pretrained(tmp_path)
    model, loss_of = opened(tmp_path, tokenizer)
    if checkpointing:
        model.activation_checkpointing_enable()  # the name that gradient checkpointing has now
    assert model.training
    ids = torch.randint(2, VOCABULARY, (2, 12))
    found = []
    for _ in range(2):
        model.zero_grad()
        loss = loss_of(ids)
        loss.backward()
        gradients = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
        found.append((loss.item(), gradients))
    assert found[0][0] == found[1][0]
    assert torch.equal(found[0][1], found[1][1])
