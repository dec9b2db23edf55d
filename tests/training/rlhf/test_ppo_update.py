"""The update on real rollouts of tiny models."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from transformers import LlamaForCausalLM

from tests.training.rlhf.conftest import EOS, PAD
from training.contract.specs import PpoSpec
from training.rlhf.causal_lm import text_loss
from training.rlhf.decode import decode, uniform_numbers
from training.rlhf.optim import adamw
from training.rlhf.packing import shuffled
from training.rlhf.ppo_update import Averages, gradients, policy_backward, policy_step, value_step
from training.rlhf.rollout import Minibatch, Rollout, collect, cut_minibatches, episodes, score_episodes
from training.rlhf.scalar_head import ScalarModel
from training.rlhf.targets import Targets, advantages_of
from training.rlhf.trees import Tree, pack

CPU = torch.device("cpu")
SPEC = PpoSpec(
    total_episodes=20, batch_size=20, minibatch_size=5, response_length=10, ptx_coef=0.7, ptx_examples_per_episode=1
)


class Scene(NamedTuple):
    policy: LlamaForCausalLM
    value: ScalarModel
    rollout: Rollout
    targets: Targets
    cut: Callable[[int, int, int], list[Minibatch]]  # (seed, minibatch size, micro-batch tokens)
    first: list[Minibatch]


@pytest.fixture
def scene(
    causal_lm: Callable[[], LlamaForCausalLM], scalar_model: Callable[[], ScalarModel], prompts: list[list[int]]
) -> Callable[[int], Scene]:
    """Makes the same rollout of 20 episodes each time, its first epoch cut into minibatches of the given size."""

    def make(minibatch_size: int = 5) -> Scene:
        policy, reference, value = causal_lm(), causal_lm(), scalar_model()
        with torch.no_grad():
            for parameter in reference.parameters():
                parameter += 0.02 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1))
        batch = prompts * 2
        decoded = decode(
            policy,
            batch,
            samples=1,
            uniform=uniform_numbers(20, 10, seed=2),
            temperature=1.0,
            stop_token_id=EOS,
            pad_token_id=PAD,
            batch_size=20,
        )
        examples = episodes(batch, decoded)

        def cut(seed: int, size: int, max_tokens: int) -> list[Minibatch]:
            return cut_minibatches(examples, shuffled(20, seed, 0), size, max_tokens, CPU)

        first = cut(0, minibatch_size, 60)
        scores = score_episodes(scalar_model(), examples, decoded.finished, EOS, 200)
        rollout = collect(examples, decoded, first, policy, reference, value, scores, 1.0)
        return Scene(policy, value, rollout, advantages_of(rollout, SPEC, 0.1)[0], cut, first)

    return make


def flat_gradient(model: torch.nn.Module) -> torch.Tensor:
    return torch.cat([gradient.flatten() for gradient in gradients(model)])


def test_before_the_first_step_the_ratio_is_exactly_1(scene: Callable[[int], Scene]) -> None:
    policy, _, rollout, targets, _, first = scene(5)
    averages = Averages()
    assert sum(len(minibatch.rows) for minibatch in first) > len(first)  # cut into several micro-batches
    for minibatch in first:
        policy_backward(policy, rollout, targets, minibatch, SPEC, averages)
    means = averages.means()
    assert (means["policy/approxkl_avg"], means["policy/clipfrac_avg"]) == (0.0, 0.0)
    assert means["val/ratio"] == pytest.approx(1.0, abs=1e-6)


def test_on_a_single_minibatch_of_whitened_advantages_the_loss_is_0(scene: Callable[[int], Scene]) -> None:
    policy, _, rollout, targets, _, first = scene(20)
    averages = Averages()
    policy_backward(policy, rollout, targets, first[0], SPEC, averages)
    assert abs(averages.means()["loss/policy_avg"]) < 1e-6


def test_at_learning_rate_0_nothing_is_clipped_in_any_epoch(scene: Callable[[int], Scene]) -> None:
    policy, _, rollout, targets, cut, _ = scene(5)
    optimizer, averages = adamw(policy, 0.0, SPEC), Averages()
    for epoch in range(3):
        for minibatch in cut(epoch, 5, 1000):
            policy_step(policy, optimizer, rollout, targets, minibatch, None, SPEC, averages, measure_ratio=False)
    assert averages.means()["policy/clipfrac_avg"] == 0.0
    assert averages.means()["policy/approxkl_avg"] < 1e-10


def test_the_gradient_does_not_depend_on_the_micro_batches(scene: Callable[[int], Scene]) -> None:
    found = []
    for max_tokens in (1, 50, 5000):
        policy, _, rollout, targets, cut, _ = scene(5)
        policy_backward(policy, rollout, targets, cut(0, 20, max_tokens)[0], SPEC, Averages())
        found.append(flat_gradient(policy))
    torch.testing.assert_close(found[0], found[1], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found[0], found[2], atol=1e-5, rtol=1e-4)


def test_the_pretraining_gradient_is_added_and_one_step_taken(scene: Callable[[int], Scene]) -> None:
    blocks = torch.randint(2, 40, (5, 12), generator=torch.Generator().manual_seed(4))
    policy, _, rollout, targets, _, first = scene(5)
    policy_backward(policy, rollout, targets, first[0], SPEC, Averages())
    own = flat_gradient(policy)
    policy.zero_grad()
    text_loss(policy, blocks).backward()
    of_text = flat_gradient(policy)

    policy, _, rollout, targets, _, first = scene(5)
    spec = PpoSpec(**(SPEC.__dict__ | {"max_grad_norm": 1e9, "micro_batch_tokens": 24}))
    optimizer, averages = adamw(policy, 1e-3, spec), Averages()
    policy_step(policy, optimizer, rollout, targets, first[0], blocks, spec, averages, measure_ratio=True)
    torch.testing.assert_close(flat_gradient(policy), own + 0.7 * of_text, atol=1e-5, rtol=1e-4)
    assert {int(state["step"]) for state in optimizer.state.values()} == {1}
    expected = 0.7 * of_text.norm() / own.norm()
    assert averages.means()["policy/grad_norm_ratio"] == pytest.approx(expected.item(), rel=1e-3)


def test_text_with_the_coefficient_0_changes_no_bit_of_the_step(scene: Callable[[int], Scene]) -> None:
    blocks = torch.randint(2, 40, (5, 12), generator=torch.Generator().manual_seed(4))
    spec = PpoSpec(**(SPEC.__dict__ | {"ptx_coef": 0.0}))
    found = []
    for text in (None, blocks):
        policy, _, rollout, targets, _, first = scene(5)
        optimizer = adamw(policy, 1e-3, spec)
        for minibatch in first:
            policy_step(policy, optimizer, rollout, targets, minibatch, text, spec, Averages(), measure_ratio=False)
        found.append([parameter.detach() for parameter in policy.parameters()])
    assert all(torch.equal(without, with_text) for without, with_text in zip(*found, strict=True))


def test_the_value_model_is_the_reward_model_at_step_0(
    scene: Callable[[int], Scene], scalar_model: Callable[[], ScalarModel]
) -> None:
    rollout = scene(5).rollout
    reward_model = scalar_model()
    for row, example in enumerate(rollout.examples):
        for token in range(example.response_length):
            before = example.ids[: example.prompt_length + token]  # the state that response token was chosen in
            expected = reward_model.score(pack([Tree(before)]))
            assert rollout.values[row, token].item() == pytest.approx(expected.item(), abs=1e-5)


def test_the_value_loss_leaves_the_policy_alone(scene: Callable[[int], Scene]) -> None:
    policy, value, rollout, targets, _, first = scene(5)
    before = [parameter.detach().clone() for parameter in policy.parameters()]
    start = [parameter.detach().clone() for parameter in value.parameters()]
    value_step(value, adamw(value, 1e-2, SPEC), rollout, targets, first[0], SPEC, Averages())
    assert all(torch.equal(a, b) for a, b in zip(before, policy.parameters(), strict=True))
    assert all(parameter.grad is None for parameter in policy.parameters())
    assert not all(torch.equal(a, b) for a, b in zip(start, value.parameters(), strict=True))


def test_an_unfinished_response_is_scored_at_an_end_token(
    scene: Callable[[int], Scene], scalar_model: Callable[[], ScalarModel]
) -> None:
    rollout = scene(5).rollout
    model = scalar_model()
    assert not rollout.finished.all() and rollout.finished.any()
    for example, finished, score in zip(rollout.examples, rollout.finished, rollout.scores, strict=True):
        ids = example.ids if finished else [*example.ids, EOS]
        assert ids[-1] == EOS
        expected = model.score(pack([Tree(ids)]))
        assert score.item() == pytest.approx(expected.item(), abs=1e-5)


def test_samples_share_their_prompt_and_nothing_else(
    causal_lm: Callable[[], LlamaForCausalLM], scalar_model: Callable[[], ScalarModel], prompts: list[list[int]]
) -> None:
    """Four samples of each prompt in one tree give the scores, values and gradients of four separate rows."""
    policy, reference, value = causal_lm(), causal_lm(), scalar_model()
    uniform, sizes = uniform_numbers(20, 10, seed=2), {"batch_size": 20, "pad_token_id": PAD, "stop_token_id": EOS}
    decoded = decode(policy, prompts[:5], samples=4, uniform=uniform, temperature=1.0, **sizes)
    examples = episodes(prompts[:5], decoded)
    assert [example.prompt for example in examples] == [prompt for prompt in prompts[:5] for _ in range(4)]
    assert len({example.response_length for example in examples}) > 2 and not decoded.finished.all()
    found = []
    for samples in (4, 1):
        order = [prompt * 4 // samples + row for prompt in (3, 0, 4, 1, 2) for row in range(4 // samples)]
        minibatches = cut_minibatches(examples, order, 8, 10_000, CPU, samples)
        positions = [
            sorted(position for rows in part.rows for position in rows.positions.tolist()) for part in minibatches
        ]
        scores = score_episodes(scalar_model(), examples, decoded.finished, EOS, 10_000, samples)
        rollout = collect(examples, decoded, minibatches, policy, reference, value, scores, 1.0)
        targets = advantages_of(rollout, SPEC, 0.1)[0]
        for model in (policy, value):
            model.zero_grad()
        policy_backward(policy, rollout, targets, minibatches[0], SPEC, Averages())
        value_step(
            value, torch.optim.SGD(value.parameters(), lr=0.0), rollout, targets, minibatches[0], SPEC, Averages()
        )
        gradients_of = flat_gradient(policy), flat_gradient(value)
        found.append((positions, [scores, rollout.logprobs, rollout.values, *targets, *gradients_of]))
    assert found[0][0] == found[1][0]  # the same episodes in each minibatch
    for shared, separate in zip(found[0][1], found[1][1], strict=True):
        torch.testing.assert_close(shared, separate, atol=2e-5, rtol=1e-4)
