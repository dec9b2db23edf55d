from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers import LlamaForCausalLM, TopPLogitsWarper

from tests.training.rlhf.conftest import EOS, PAD
from training.rlhf import decode as decode_module
from training.rlhf.causal_lm import response_logprobs
from training.rlhf.decode import Decoded, decode, nucleus, sample_tokens, uniform_numbers
from training.rlhf.examples import batches
from training.rlhf.packed import next_states, set_precision
from training.rlhf.rollout import episodes
from training.rlhf.sample_cache import BLOCK


def sample(
    model: LlamaForCausalLM,
    prompts: list[list[int]],
    *,
    samples: int = 3,
    length: int = 40,  # more than two blocks of the cache
    temperature: float = 1.0,
    batch_size: int = 100,
    stop: int = EOS,
    top_p: float = 1.0,
    between_batches: Callable[[int], None] | None = None,
) -> Decoded:
    return decode(
        model,
        prompts,
        samples=samples,
        uniform=uniform_numbers(len(prompts) * samples, length, seed=5),
        temperature=temperature,
        stop_token_id=stop,
        pad_token_id=PAD,
        batch_size=batch_size,
        top_p=top_p,
        between_batches=between_batches,
    )


def test_the_captured_logprobs_are_those_of_a_plain_forward(
    causal_lm: Callable[[], LlamaForCausalLM], prompts: list[list[int]]
) -> None:
    model = causal_lm()
    for temperature in (1.0, 0.7):
        found = sample(model, prompts, temperature=temperature)
        rows = episodes(prompts, found)
        for batch in batches(rows, 10_000, torch.device("cpu")):
            expected = response_logprobs(model, batch.packed, temperature)
            inside = torch.arange(found.tokens.shape[1]) < found.lengths[:, None]
            captured = found.logprobs[batch.positions][inside[batch.positions]]
            torch.testing.assert_close(captured, expected, atol=2e-5, rtol=0)


@pytest.mark.parametrize("batch_size", [1, 9, 15])
def test_a_row_is_the_same_whatever_it_is_decoded_with(
    causal_lm: Callable[[], LlamaForCausalLM], prompts: list[list[int]], batch_size: int
) -> None:
    """All at once, one prompt at a time, and three or five of the ten at a time: others enter where rows have ended."""
    model = causal_lm()
    told: list[int] = []
    together = sample(model, prompts)
    apart = sample(model, prompts, batch_size=batch_size, between_batches=told.append)
    assert torch.equal(together.tokens, apart.tokens)
    assert torch.equal(together.lengths, apart.lengths)
    torch.testing.assert_close(together.logprobs, apart.logprobs, atol=1e-5, rtol=0)
    assert len(set(together.lengths.tolist())) > 3  # rows did leave the batch at different times
    assert int(together.lengths.max()) > 2 * BLOCK
    per_batch = max(3, batch_size)
    assert told == [min(done, 30) for done in range(per_batch, 30 + per_batch, per_batch)]


@pytest.mark.parametrize("top_p", [1.0, 0.6])
def test_how_many_rows_are_drawn_at_once_does_not_matter(
    causal_lm: Callable[[], LlamaForCausalLM],
    prompts: list[list[int]],
    top_p: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = causal_lm()
    together = sample(model, prompts, temperature=0.7, top_p=top_p)
    for rows in (1, 7):
        monkeypatch.setattr(decode_module, "MOST_AT_ONCE", rows * model.config.vocab_size)
        assert all(map(torch.equal, sample(model, prompts, temperature=0.7, top_p=top_p), together))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_every_call_samples_from_the_weights_of_now(
    causal_lm: Callable[[], LlamaForCausalLM], prompts: list[list[int]], precision: str
) -> None:
    """They are laid out anew: PPO changes them in place between two rollouts."""
    model, other = causal_lm(), causal_lm()
    for each in (model, other):
        set_precision(each, precision)
    before = sample(model, prompts)
    with torch.no_grad():
        for each in (model, other):
            for number, weight in enumerate(each.parameters()):
                weight += 0.1 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(number))
    after = sample(model, prompts)
    assert not torch.equal(before.logprobs[:, 0], after.logprobs[:, 0])
    assert all(map(torch.equal, after, sample(other, prompts)))


def test_rows_enter_before_the_others_have_ended(
    causal_lm: Callable[[], LlamaForCausalLM], prompts: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room for nine rows, fewer passes than three prompts after the other three would take."""
    passes: list[int] = []

    def counted(model: Any, tokens: torch.Tensor, *rest: Any) -> torch.Tensor:
        passes.append(len(tokens))
        return next_states(model, tokens, *rest)

    monkeypatch.setattr(decode_module, "next_states", counted)
    found = sample(causal_lm(), prompts, batch_size=9)
    by_prompt = found.lengths.view(10, 3).amax(1)
    order = sorted(range(10), key=lambda index: (-len(prompts[index]), index))
    one_after_the_other = sum(int(by_prompt[order[start : start + 3]].max()) - 1 for start in range(0, 10, 3))
    assert len(passes) < one_after_the_other
    assert max(passes) <= 9


def test_a_row_ends_at_its_first_stop_token_and_only_there(
    causal_lm: Callable[[], LlamaForCausalLM], prompts: list[list[int]]
) -> None:
    # A stop token that is not the tokenizer's, and that stands in a prompt too.
    stop = 7
    found = sample(causal_lm(), [[*prompt, stop, 5] for prompt in prompts], stop=stop, length=20)
    for row, length, finished in zip(found.tokens, found.lengths.tolist(), found.finished.tolist(), strict=True):
        assert stop not in row[: length - 1]
        assert (row[length - 1] == stop) == finished
        assert (row[length:] == PAD).all()
        assert finished or length == 20
    assert found.finished.any() and not found.finished.all()


def test_greedy_decoding_is_that_of_transformers(
    causal_lm: Callable[[], LlamaForCausalLM], prompts: list[list[int]]
) -> None:
    model = causal_lm()
    found = sample(model, prompts, samples=1, temperature=0.0)
    for prompt, row, length in zip(prompts, found.tokens, found.lengths.tolist(), strict=True):
        theirs = model.generate(
            torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt)), do_sample=False, max_new_tokens=40
        )
        assert theirs[0, len(prompt) :].tolist() == row[:length].tolist()


def test_samples_follow_the_distribution() -> None:
    count = 100_000
    probabilities = torch.tensor([0.5, 0.0, 0.3, 0.2])
    tokens = sample_tokens(probabilities.expand(count, 4), uniform_numbers(count, 1, seed=1)[:, 0])
    shares = torch.bincount(tokens, minlength=4) / count
    assert shares[1] == 0
    assert (shares - probabilities).abs().max() < 5 * 0.5 / count**0.5


def test_the_largest_uniform_number_never_leaves_the_vocabulary() -> None:
    almost_one = torch.tensor([1 - 2.0**-53], dtype=torch.float64)
    assert sample_tokens(torch.tensor([[0.5, 0.5, 0.0]]), almost_one).tolist() == [1]


@pytest.mark.parametrize(
    ("top_p", "kept"),
    [(0.1, [0, 0.5, 0, 0]), (0.5, [0, 0.5, 0, 0]), (0.51, [0, 0.5, 0, 0.25]), (0.76, [0.125, 0.5, 0, 0.25])],
)
def test_the_nucleus_is_the_smallest_set_that_reaches_top_p(top_p: float, kept: list[float]) -> None:
    assert nucleus(torch.tensor([[0.125, 0.5, 0.125, 0.25]]), top_p).tolist() == [kept]


def test_the_nucleus_is_that_of_transformers() -> None:
    logits = torch.randn(200, 50, generator=torch.Generator().manual_seed(3)) * 2
    for top_p in (0.3, 0.9, 0.99):
        kept = TopPLogitsWarper(top_p)(None, logits) > -torch.inf
        assert torch.equal(nucleus(logits.softmax(-1), top_p) > 0, kept)
        assert 1 < kept.sum(1).float().mean() < 50


def test_filtered_samples_follow_the_policy_within_the_nucleus() -> None:
    """.5 and .3 of 1 are 5/8 and 3/8 of the nucleus, and nothing outside is drawn."""
    count = 100_000
    probabilities = torch.tensor([0.15, 0.5, 0.05, 0.3]).expand(count, 4)
    tokens = sample_tokens(probabilities, uniform_numbers(count, 1, seed=1)[:, 0], top_p=0.7)
    shares = torch.bincount(tokens, minlength=4) / count
    assert shares[[0, 2]].tolist() == [0, 0]
    assert (shares[[1, 3]] - torch.tensor([0.625, 0.375])).abs().max() < 5 * 0.5 / count**0.5


@torch.no_grad()
def test_filtered_samples_carry_the_logprobs_of_the_whole_policy(
    causal_lm: Callable[[], LlamaForCausalLM], prompts: list[list[int]]
) -> None:
    """By transformers' own log-softmax; every token drawn is in the nucleus that transformers would leave."""
    model, plain = causal_lm(), sample(causal_lm(), prompts)
    found = sample(model, prompts, temperature=0.7, top_p=0.6)
    assert not torch.equal(found.tokens[:, :3], plain.tokens[:, :3])
    for number, (row, length) in enumerate(zip(found.tokens, found.lengths.tolist(), strict=True)):
        prompt = prompts[number // 3]
        logits = (
            model(input_ids=torch.tensor([[*prompt, *row[:length].tolist()]])).logits[0, len(prompt) - 1 : -1] / 0.7
        )
        expected = logits.log_softmax(-1).gather(1, row[:length, None]).squeeze(1)
        torch.testing.assert_close(found.logprobs[number, :length], expected, atol=2e-5, rtol=0)
        assert (TopPLogitsWarper(0.6)(None, logits).gather(1, row[:length, None]) > -torch.inf).all()
