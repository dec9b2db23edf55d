import pytest
import torch

from training.rlhf.rewards import apply_eos_rule, token_rewards


def test_the_score_comes_at_the_last_token_and_every_token_pays_its_kl() -> None:
    kl = torch.tensor([[0.1, -0.2, 0.3]])
    rewards, found = token_rewards(torch.tensor([1.5]), kl - 1.0, torch.full((1, 3), -1.0), torch.tensor([3]), 0.02)
    assert rewards[0].tolist() == pytest.approx([-0.002, 0.004, 1.494], abs=1e-6)
    assert found[0].tolist() == pytest.approx([0.1, -0.2, 0.3], abs=1e-6)


def test_rewards_of_ragged_responses_sum_to_score_less_kl_and_padding_does_not_matter() -> None:
    generator = torch.Generator().manual_seed(0)
    logprobs, reference = torch.randn(3, 5, generator=generator), torch.randn(3, 5, generator=generator)
    lengths, scores = torch.tensor([5, 2, 1]), torch.tensor([1.0, -2.0, 3.0])
    expected = [
        scores[row].item() - 0.1 * (logprobs - reference)[row, :length].sum().item()
        for row, length in enumerate(lengths.tolist())
    ]
    logprobs[1, 2:] = float("nan")
    rewards, kl = token_rewards(scores, logprobs, reference, lengths, 0.1)
    assert rewards.sum(1).tolist() == pytest.approx(expected, abs=1e-5)
    assert (rewards[1, 2:] == 0).all() and (kl[1, 2:] == 0).all()


def test_a_policy_that_is_its_reference_pays_nothing() -> None:
    logprobs = torch.randn(2, 4)
    rewards, kl = token_rewards(torch.tensor([1.0, 2.0]), logprobs, logprobs.clone(), torch.tensor([4, 3]), 0.5)
    assert (kl == 0).all()
    assert rewards.tolist() == [[0, 0, 0, 1], [0, 0, 2, 0]]


@pytest.mark.parametrize(
    ("penalty", "fixed", "scores"), [(1.0, None, [2.0, 2.0]), (None, -1.0, [2.0, -1.0]), (None, None, [2.0, 3.0])]
)
def test_the_rule_for_completions_that_did_not_end(
    penalty: float | None, fixed: float | None, scores: list[float]
) -> None:
    found = apply_eos_rule(torch.tensor([2.0, 3.0]), torch.tensor([True, False]), penalty, fixed)
    assert found.tolist() == scores
