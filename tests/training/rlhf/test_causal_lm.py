"""Padding and cutting never change what a row is worth."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from transformers import LlamaForCausalLM

from tests.training.rlhf.conftest import PAD, config
from training.rlhf.causal_lm import disable_dropout, response_logprobs, text_loss, token_logprobs
from training.rlhf.dropout import add_residual_dropout
from training.rlhf.examples import Example, batches
from training.rlhf.packed import packed_states
from training.rlhf.trees import Packed

CPU = torch.device("cpu")


def examples(prompts: list[list[int]]) -> list[Example]:
    generator = torch.Generator().manual_seed(3)
    return [
        Example(prompt + torch.randint(2, 40, (1 + i % 5,), generator=generator).tolist(), len(prompt))
        for i, prompt in enumerate(prompts)
    ]


def by_hand(model: LlamaForCausalLM, example: Example) -> torch.Tensor:
    """The row alone, without any padding, through the whole model of transformers."""
    logits = model(input_ids=torch.tensor([example.ids])).logits[0, :-1].log_softmax(-1)
    picked = logits[torch.arange(len(example.ids) - 1), torch.tensor(example.ids[1:])]
    return picked[example.prompt_length - 1 :]


def test_logprobs_of_rows_batched_by_length_are_those_of_each_row_alone(
    causal_lm: Callable[[], LlamaForCausalLM], prompts: list[list[int]]
) -> None:
    model, rows = causal_lm(), examples(prompts)
    for max_tokens in (1, 40, 10_000):
        for batch in batches(rows, max_tokens, CPU):
            found = response_logprobs(model, batch.packed, 1.0)
            expected = torch.cat([by_hand(model, rows[position]) for position in batch.positions.tolist()])
            torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_left_padding_gives_the_same_logprobs(
    causal_lm: Callable[[], LlamaForCausalLM], prompts: list[list[int]]
) -> None:
    model, rows = causal_lm(), examples(prompts)
    longest = max(len(row.ids) for row in rows)
    ids = torch.tensor([[PAD] * (longest - len(row.ids)) + row.ids for row in rows])
    mask = (torch.arange(longest) >= torch.tensor([[longest - len(row.ids)] for row in rows])).long()
    positions = (mask.cumsum(1) - 1).clamp_min(0)
    right = batches(rows, 10_000, CPU)[0]
    found = response_logprobs(model, right.packed, 1.0)
    model.set_attn_implementation("sdpa")  # ours takes no mask
    left = model(input_ids=ids, attention_mask=mask, position_ids=positions).logits[:, :-1].log_softmax(-1)
    expected = []
    for position in right.positions.tolist():
        length = rows[position].response_length
        targets = torch.tensor(rows[position].ids[-length:])
        expected.append(left[position, -length:][torch.arange(length), targets])
    torch.testing.assert_close(found, torch.cat(expected), atol=1e-5, rtol=0)


def test_the_gradient_does_not_depend_on_the_cut(
    causal_lm: Callable[[], LlamaForCausalLM], prompts: list[list[int]]
) -> None:
    rows = examples(prompts)
    tokens = sum(row.response_length for row in rows)
    gradients = []
    for max_tokens in (1, 40, 10_000):
        model = causal_lm().double()
        for batch in batches(rows, max_tokens, CPU):
            (-response_logprobs_double(model, batch.packed).sum() / tokens).backward()
        gradients.append(torch.cat([parameter.grad.flatten() for parameter in model.parameters()]))  # type: ignore[union-attr]
    torch.testing.assert_close(gradients[0], gradients[1], atol=1e-12, rtol=0)
    torch.testing.assert_close(gradients[0], gradients[2], atol=1e-12, rtol=0)


def response_logprobs_double(model: LlamaForCausalLM, packed: Packed) -> torch.Tensor:
    """As response_logprobs, whose logits are always float32, but in double precision."""
    logits = model.lm_head(packed_states(model, packed)[packed.predictors]).log_softmax(-1)
    return logits.gather(1, packed.targets[:, None]).squeeze(1)


def test_the_temperature_divides_the_logits() -> None:
    logits, tokens = torch.randn(6, 9), torch.randint(9, (6,))
    expected = torch.log_softmax(logits / 0.7, -1)[torch.arange(6), tokens]
    torch.testing.assert_close(token_logprobs(logits, tokens, 0.7), expected)


def test_the_text_loss_is_the_one_of_transformers(causal_lm: Callable[[], LlamaForCausalLM]) -> None:
    model = causal_lm()
    blocks = torch.randint(2, 40, (3, 12))
    torch.testing.assert_close(text_loss(model, blocks), model(input_ids=blocks, labels=blocks).loss)


def test_residual_dropout_drops_the_given_share_in_training_only() -> None:
    model = LlamaForCausalLM(config(hidden_size=256, intermediate_size=64))
    outputs: list[torch.Tensor] = []
    add_residual_dropout(model, 0.2)
    for layer in model.model.layers:
        layer.mlp.register_forward_hook(lambda module, inputs, output: outputs.append(output))
    ids = torch.randint(2, 40, (8, 32))
    first, second = model.train()(input_ids=ids).logits, model(input_ids=ids).logits
    dropped = torch.cat([(output == 0).flatten() for output in outputs]).float().mean().item()
    assert not torch.equal(first, second)
    assert abs(dropped - 0.2) < 0.01  # 262,144 units: five standard deviations are 0.004
    model.eval()
    assert torch.equal(model(input_ids=ids).logits, model(input_ids=ids).logits)


def test_disabled_dropout_stays_off_in_training_mode() -> None:
    model = LlamaForCausalLM(config(attention_dropout=0.5)).train()
    ids = torch.randint(2, 40, (2, 16))
    assert not torch.equal(model(input_ids=ids).logits, model(input_ids=ids).logits)
    disable_dropout(model)
    assert torch.equal(model(input_ids=ids).logits, model(input_ids=ids).logits)


def test_logprobs_agree_with_cross_entropy_of_torch() -> None:
    logits, tokens = torch.randn(50, 11), torch.randint(11, (50,))
    torch.testing.assert_close(-token_logprobs(logits, tokens).mean(), F.cross_entropy(logits, tokens))
