"""A decoder with one number instead of logits: the reward model, and the value model made from it.

On disk it is a plain sequence classifier with one label, which AutoModelForSequenceClassification opens. The heads of
transformers' decoders have no bias, so the constant that gives demonstrations the mean score 0 is the value
`reward_bias` of config.json: it survives from_pretrained and save_pretrained, a plain classifier's logit is the reward
plus reward_bias, and `ScalarModel` here takes it off. Comparisons do not see it, since it cancels in every difference.
"""

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification

from training.contract.run_dir import RunError
from training.rlhf.causal_lm import disable_dropout, fit_to_tokenizer
from training.rlhf.packed import Packed, enable_packing, packed_states, set_precision


class ScalarModel(nn.Module):
    def __init__(self, classifier: Any) -> None:
        super().__init__()
        self.classifier = classifier
        disable_dropout(classifier)
        enable_packing(classifier)

    @property
    def reward_bias(self) -> float:
        return float(getattr(self.classifier.config, "reward_bias", 0.0))

    def forward(self, packed: Packed, at: Tensor) -> Tensor:
        """One number at each of the flat positions `at`: [R] -> [R]."""
        hidden = packed_states(self.classifier, packed)[at]
        return self.classifier.score(hidden.float()).squeeze(-1) - self.reward_bias

    def score(self, packed: Packed) -> Tensor:
        """The reward of each row, read at its last token (the end token): [rows]."""
        return self(packed, packed.ends)

    def values(self, packed: Packed) -> Tensor:
        """The value of the state that each response token was chosen in, row by row: [R]."""
        return self(packed, packed.predictors)

    @torch.no_grad()
    def normalize(self, mean: float, std: float) -> None:
        """Make rewards (r - mean) / std from now on. The scale goes into the head, the shift into the config."""
        self.classifier.score.weight /= std
        self.classifier.config.reward_bias = (self.reward_bias + mean) / std


def new_scalar_model(policy: Path, tokenizer: Any, device: torch.device, precision: str = "fp32") -> ScalarModel:
    """The policy's trunk and a fresh head, drawn from N(0, 1 / (hidden + 1)) (Stiennon et al. 2020's code)."""
    classifier = _load(policy, tokenizer, precision)
    nn.init.normal_(classifier.score.weight, std=1 / math.sqrt(classifier.score.in_features + 1))
    classifier.config.reward_bias = 0.0
    return ScalarModel(classifier.to(device)).train()


def load_scalar_model(path: Path, tokenizer: Any, device: torch.device, precision: str = "fp32") -> ScalarModel:
    """A reward model as it was trained, head and bias included. Raises RunError where the head is missing."""
    classifier = _load(path, tokenizer, precision)
    if not hasattr(classifier.config, "reward_bias"):
        raise RunError(f"{path} is not a reward model: its config has no reward_bias.")
    return ScalarModel(classifier.to(device)).train()


def _load(path: Path, tokenizer: Any, precision: str) -> Any:
    classifier = AutoModelForSequenceClassification.from_pretrained(
        path, num_labels=1, dtype=torch.float32, attn_implementation="sdpa"
    )
    if not hasattr(classifier, "score"):
        raise RunError(f"Classifiers of type {classifier.config.model_type} have no head named score; not supported.")
    fit_to_tokenizer(classifier, tokenizer)
    set_precision(classifier, precision)
    return classifier
