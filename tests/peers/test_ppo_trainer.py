"""Our PPO on the tensors of one iteration of TRL 1.12.0, number by number.

Two differences are known and accounted for. The reward slot: TRL adds the score one position after the end token where
there is room, and lets the value model learn there; given lengths one longer, our functions do the same. Whitening: TRL
divides by the variance with 1/(n - 1), which makes its advantages sqrt((n - 1)/n) of ours.
"""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from tests.peers.conftest import CPU, publish
from tests.peers.ppo_iteration import (
    EPISODES,
    PENALTY,
    RESPONSE_LENGTH,
    SETTINGS,
    TEMPERATURE,
    Iteration,
    run_iteration,
)
from training.rlhf.advantages import gae, whiten
from training.rlhf.causal_lm import load_causal_lm, response_logprobs
from training.rlhf.losses import policy_losses, value_losses
from training.rlhf.rewards import apply_eos_rule, token_rewards
from training.rlhf.scalar_head import ScalarModel, load_scalar_model
from training.rlhf.trees import Tree, pack

pytestmark = pytest.mark.peers


@pytest.fixture(scope="module")
def reference_path(
    policy_path: Path, tokenizer: PreTrainedTokenizerFast, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Another policy than the one that is trained, so that there is a KL from the start."""
    model = AutoModelForCausalLM.from_pretrained(policy_path)
    torch.manual_seed(4)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    return publish(model, tokenizer, tmp_path_factory.mktemp("reference"))


@pytest.fixture(scope="module")
def likely_end(policy_path: Path, tokenizer: PreTrainedTokenizerFast, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The policy with an end token probable enough that some responses end themselves."""
    model = AutoModelForCausalLM.from_pretrained(policy_path)
    with torch.no_grad():
        model.lm_head.weight[tokenizer.eos_token_id] *= 4
    return publish(model, tokenizer, tmp_path_factory.mktemp("policy"))


@pytest.fixture(scope="module")
def peer(
    likely_end: Path,
    reference_path: Path,
    reward_path: Path,
    tokenizer: PreTrainedTokenizerFast,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iteration:
    return run_iteration(likely_end, reference_path, reward_path, tokenizer, tmp_path_factory.mktemp("trl"))


def lengths_of(peer: Iteration) -> Tensor:
    """Response tokens, the end token included."""
    return peer.inside.sum(1)


def slots_of(peer: Iteration) -> Tensor:
    """The same with the reward slot after the end token, where there is room for one."""
    return (lengths_of(peer) + 1).clamp_max(RESPONSE_LENGTH)


def mask_of(lengths: Tensor) -> Tensor:
    return torch.arange(RESPONSE_LENGTH) < lengths[:, None]


def finished(peer: Iteration, tokenizer: PreTrainedTokenizerFast) -> Tensor:
    last = peer.responses.gather(1, (lengths_of(peer) - 1)[:, None]).squeeze(1)
    return last == tokenizer.eos_token_id


def rewards_of(peer: Iteration, tokenizer: PreTrainedTokenizerFast) -> tuple[Tensor, Tensor]:
    scores = apply_eos_rule(peer.scores, finished(peer, tokenizer), PENALTY, None)
    logprobs, ref_logprobs = (found.masked_fill(~peer.inside, 0.0) for found in (peer.logprobs, peer.ref_logprobs))
    return token_rewards(scores, logprobs, ref_logprobs, slots_of(peer), SETTINGS["kl_coef"])


def targets_of(peer: Iteration, tokenizer: PreTrainedTokenizerFast) -> tuple[Tensor, Tensor]:
    rewards, _ = rewards_of(peer, tokenizer)
    return gae(rewards, peer.values, slots_of(peer), SETTINGS["gamma"], SETTINGS["lam"])


def close(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def rows_of(peer: Iteration, tokenizer: PreTrainedTokenizerFast) -> list[Tree]:
    """Each episode without its padding."""
    result = []
    for query, response, length in zip(peer.queries, peer.responses, lengths_of(peer).tolist(), strict=True):
        prompt = query[query != tokenizer.pad_token_id]
        result.append(Tree([*prompt.tolist(), *response[:length].tolist()], (), len(prompt)))
    return result


def test_the_batch_holds_all_cases(peer: Iteration, tokenizer: PreTrainedTokenizerFast) -> None:
    """Responses that end themselves early and some that are cut off; steps on which something is clipped."""
    lengths, ended = lengths_of(peer), finished(peer, tokenizer)
    print(f"lengths {lengths.tolist()}, {int(ended.sum())} of {EPISODES} end themselves")
    assert 0 < int((ended & (lengths < RESPONSE_LENGTH)).sum()) < EPISODES
    assert not ended.all()
    assert peer.logged["policy/clipfrac_avg"] > 0.05
    assert peer.logged["val/clipfrac_avg"] > 0.05


def test_logprobs_under_our_checkpoints_are_theirs(
    peer: Iteration, likely_end: Path, reference_path: Path, tokenizer: PreTrainedTokenizerFast
) -> None:
    """They come from a left-padded batch (the policy's from its sampler), ours from each row alone.

    From the same in double precision ours were up to 1.1e-5 away, and theirs 1.5e-5.
    """
    for path, theirs in ((likely_end, peer.logprobs), (reference_path, peer.ref_logprobs)):
        model = load_causal_lm(path, tokenizer, CPU)
        for row, episode in enumerate(rows_of(peer, tokenizer)):
            with torch.no_grad():
                ours = response_logprobs(model, pack([episode]), TEMPERATURE)
            torch.testing.assert_close(ours, theirs[row, : len(ours)], atol=3e-5, rtol=0)


def test_values_and_scores_of_our_checkpoint_are_theirs(
    peer: Iteration, reward_path: Path, tokenizer: PreTrainedTokenizerFast
) -> None:
    """Plus the bias, which a plain classifier does not take off; scores of responses that end themselves."""
    model = load_scalar_model(reward_path, tokenizer, CPU)
    ended = finished(peer, tokenizer)
    for row, episode in enumerate(rows_of(peer, tokenizer)):
        packed = pack([episode])
        with torch.no_grad():
            values = model.values(packed) + model.reward_bias
            score = model.score(packed) + model.reward_bias
        close(values, peer.values[row, : len(values)])
        if ended[row]:
            close(score, peer.scores[row : row + 1])


def test_advantages_are_theirs(peer: Iteration, tokenizer: PreTrainedTokenizerFast) -> None:
    """End-token rule, KL per token, reward slot and GAE."""
    ours, _ = targets_of(peer, tokenizer)
    slots = mask_of(slots_of(peer))
    close(ours[slots], peer.advantages[slots])
    print(f"advantages up to {float(ours.abs().max()):.3f} differ by {difference(ours[slots], peer.advantages[slots])}")


def difference(ours: Tensor, theirs: Tensor) -> str:
    return f"{float((ours - theirs).abs().max()):.1e} at most"


def test_whitened_advantages_are_theirs_but_for_bessel(peer: Iteration) -> None:
    theirs = peer.whitened[peer.inside]
    n = len(theirs)
    ours = whiten(peer.advantages[peer.inside])
    close(ours * ((n - 1) / n) ** 0.5, theirs)
    assert (ours - theirs).abs().max() > 1e-4  # the correction is not lost in the tolerance


def test_the_reported_means_are_theirs(peer: Iteration, tokenizer: PreTrainedTokenizerFast) -> None:
    rewards, kl = rewards_of(peer, tokenizer)
    ours = {
        "objective/kl": kl.sum(1).mean(),
        "objective/non_score_reward": -SETTINGS["kl_coef"] * kl.sum(1).mean(),
        "objective/rlhf_reward": rewards.sum(1).mean(),  # token rewards sum to score less KL
    }
    for name, value in ours.items():
        print(f"{name} {float(value):.6f} and {peer.logged[name]:.6f}")
        assert float(value) == pytest.approx(peer.logged[name], abs=1e-5)


def test_both_losses_of_every_step_are_theirs(peer: Iteration, tokenizer: PreTrainedTokenizerFast) -> None:
    """On log-probs and values of theirs, over several epochs, so that the clipping counts."""
    _, returns = targets_of(peer, tokenizer)
    slots = mask_of(slots_of(peer))
    for update in peer.updates:
        here, there = peer.inside[update.rows], slots[update.rows]
        policy = policy_losses(
            update.logprobs[here],
            peer.logprobs[update.rows][here],
            peer.whitened[update.rows][here],
            SETTINGS["cliprange"],
        )
        value = value_losses(
            update.values[there],
            peer.values[update.rows][there],
            returns[update.rows][there],
            SETTINGS["cliprange_value"],
        )
        found = float(policy.mean()), float(value.mean())
        print(f"policy {found[0]:.6f} and {update.policy_loss:.6f}, value {found[1]:.6f} and {update.value_loss:.6f}")
        assert found == pytest.approx((update.policy_loss, update.value_loss), abs=1e-5)


def test_the_gradients_of_the_first_step_are_theirs(
    peer: Iteration, likely_end: Path, reward_path: Path, tokenizer: PreTrainedTokenizerFast
) -> None:
    """Policy and value model, row by row without padding, from our checkpoints."""
    _, returns = targets_of(peer, tokenizer)
    rows = peer.updates[0].rows
    tokens, slots = int(peer.inside[rows].sum()), slots_of(peer)
    policy, value = load_causal_lm(likely_end, tokenizer, CPU), load_scalar_model(reward_path, tokenizer, CPU)
    for row in range(rows.start, rows.stop):
        packed = pack([rows_of(peer, tokenizer)[row]])
        [length] = packed.lengths
        logprobs = response_logprobs(policy, packed, TEMPERATURE)
        losses = policy_losses(
            logprobs, peer.logprobs[row, :length], peer.whitened[row, :length], SETTINGS["cliprange"]
        )
        (losses.sum() / tokens).backward()
        slot = int(slots[row])
        states = torch.cat([packed.predictors, packed.ends])  # their value model reads the end token as well
        values = value(packed, states)[:slot] + value.reward_bias
        losses = value_losses(values, peer.values[row, :slot], returns[row, :slot], SETTINGS["cliprange_value"])
        (SETTINGS["vf_coef"] * losses.sum() / slots[rows].sum()).backward()
    compare("policy.", policy, peer.gradients)
    compare("value_model.", value, peer.gradients)


def compare(start: str, model: torch.nn.Module | ScalarModel, theirs: dict[str, Tensor]) -> None:
    named = model.classifier.named_parameters() if isinstance(model, ScalarModel) else model.named_parameters()
    ours = {start + name: p.grad for name, p in named if p.grad is not None}
    assert ours.keys() == {name for name in theirs if name.startswith(start)}
    for name, gradient in ours.items():
        close(gradient, theirs[name])
    size = max(float(gradient.abs().max()) for gradient in ours.values())
    worst = max(float((ours[name] - theirs[name]).abs().max()) for name in ours)
    print(f"{start[:-1]}: gradients up to {size:.4f} differ by {worst:.1e} at most")
    assert size > 1e-3  # else the tolerance would say nothing
