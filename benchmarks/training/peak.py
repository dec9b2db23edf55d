"""How much of what the machine can multiply reaches the training: FLOPs of the linear layers over those of a matmul.

Real tokens only, 2 FLOPs a weight forward and 4 backward; attention, padding and everything else count as nothing, and
nor does what the last layer leaves out where nobody reads the state (`training/rlhf/last_layer.py`).
"""

import torch

from benchmarks.training import ppo, reward_model
from benchmarks.training.timing import Work
from benchmarks.training.world import AMOUNTS, SHAPES, VOCABULARY, device, linear_parameters, trunk_parameters


def matmul(size: str, precision: str) -> Work:
    """GFLOP of products of square matrices: what the machine does at best."""
    side = AMOUNTS[size].matmul
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    left, right = torch.randn(2, side, side, dtype=dtype, device=device())
    rounds = 10

    def work() -> float:
        for _ in range(rounds):
            left @ right
        return rounds * 2 * side**3 / 1e9

    return work


def of_reward_model(size: str, precision: str) -> Work:
    """GFLOP of K-wise training, K = 9, with the prompt computed once."""
    train = reward_model.ours(size, 9, precision)
    trees = [prompt.tree for batch in reward_model.measured(size, 9) for prompt in batch]
    weights = trunk_parameters(size, sum(tree.tokens for tree in trees), sum(len(tree.branches) for tree in trees))

    def work() -> float:
        train()
        return 6 * weights / 1e9

    return work


def of_ppo(size: str, precision: str) -> Work:
    """GFLOP of an iteration with full-length responses.

    Sampling computes each token once, the prompts in one pass. The reward model reads one state an episode; reference
    and value model those before the response tokens, and so does the update of policy and value model, which costs
    three times as much: an episode's last token, which predicts none, is left out. Policy and reference have a head
    over the vocabulary, on those states only.
    """
    iterate = ppo.ours(size, precision, ragged=False)
    episodes = AMOUNTS[size].episodes
    response = episodes * ppo.LENGTH
    prompts = sum(map(len, ppo.prompts(size)))
    sampling = trunk_parameters(size, prompts, episodes) + (response - episodes) * linear_parameters(size)
    scoring = trunk_parameters(size, prompts + response, episodes)
    passes = trunk_parameters(size, prompts + response - episodes, response)
    head = SHAPES[size]["hidden_size"] * VOCABULARY
    flops = 2 * sampling + 2 * scoring + (2 * 2 + 2 * 6) * passes + response * head * (2 + 2 + 6)

    def work() -> float:
        iterate()
        return flops / 1e9

    return work
