"""How much of what the machine can multiply reaches the training: FLOPs of the linear layers over those of a matmul.

Real tokens only, 2 FLOPs a weight forward and 4 backward; attention, padding and everything else count as nothing.
"""

import torch

from benchmarks.training import ppo, reward_model
from benchmarks.training.timing import Work
from benchmarks.training.world import SHAPES, VOCABULARY, linear_parameters

SIDE = 2048


def matmul(precision: str) -> Work:
    """GFLOP of products of square matrices: what the machine does at best."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    left, right = torch.randn(2, SIDE, SIDE, dtype=dtype)
    rounds = 10

    def work() -> float:
        for _ in range(rounds):
            left @ right
        return rounds * 2 * SIDE**3 / 1e9

    return work


def of_reward_model(size: str, precision: str, prompts: int, per_step: int) -> Work:
    """GFLOP of K-wise training, K = 9, with the prompt computed once."""
    train = reward_model.ours(size, 9, precision, prompts, per_step)
    tokens = sum(prompt.tree.tokens for prompt in reward_model.rankings(9, prompts))

    def work() -> float:
        train()
        return 6 * linear_parameters(size) * tokens / 1e9

    return work


def of_ppo(size: str, precision: str) -> Work:
    """GFLOP of an iteration with full-length responses.

    Sampling reads each token once; reference, reward model and value model once more; the update of policy and value
    model costs three times as much each. Policy and reference have a head over the vocabulary, on response tokens only.
    """
    iterate = ppo.ours(size, precision, ragged=False)
    episodes = ppo.EPISODES[size]
    response = episodes * ppo.LENGTH
    tokens = sum(map(len, ppo.prompts(size))) + response
    head = SHAPES[size]["hidden_size"] * VOCABULARY
    flops = tokens * linear_parameters(size) * (2 + 3 * 2 + 2 * 6) + response * head * (2 + 2 + 6)

    def work() -> float:
        iterate()
        return flops / 1e9

    return work
