"""A decoder with one number instead of logits: the reward model, and the value model made from it.

On disk it is a plain sequence classifier with one label, which AutoModelForSequenceClassification opens. The heads of
transformers' decoders have no bias, so the constant that gives demonstrations the mean score 0 is the value
`reward_bias` of config.json: it survives from_pretrained and save_pretrained, a plain classifier's logit is the reward
plus reward_bias, and `ScalarModel` here takes it off. Comparisons do not see it, since it cancels in every difference.

An ensemble has several heads on one trunk, and its reward is their mean. The mean of linear heads is a linear head, so
that is the one label of the classifier: whoever opens it (PPO's value model, TRL, vLLM) needs to know nothing of the
others, where one label per head would be read as so many classes. The heads themselves lie in a folder of their own,
because vLLM takes every weights file beside model.safetensors for a part of the model.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForSequenceClassification

from training.contract.run_dir import RunError
from training.rlhf.causal_lm import disable_dropout, fit_to_tokenizer, open_pretrained
from training.rlhf.packed import enable_packing, packed_states, set_precision
from training.rlhf.sharding import in_one_pass, whole
from training.rlhf.trees import Packed

HEADS = Path("heads", "heads.safetensors")


class ScalarModel(nn.Module):
    """`heads` [H, hidden] are those of an ensemble, in place of the classifier's own, which is then their mean."""

    def __init__(self, classifier: Any, heads: Tensor | None = None) -> None:
        super().__init__()
        self.classifier = classifier
        self.heads = None if heads is None else nn.Parameter(heads)
        disable_dropout(classifier)
        enable_packing(classifier)
        if heads is not None:
            classifier.score.requires_grad_(False)
            self._set_mean()

    @property
    def reward_bias(self) -> float:
        return float(getattr(self.classifier.config, "reward_bias", 0.0))

    @property
    def head_biases(self) -> list[float]:
        """What is taken off the score of each head; their mean is reward_bias."""
        return list(getattr(self.classifier.config, "head_biases", [self.reward_bias]))

    def forward(self, packed: Packed, at: Tensor) -> Tensor:
        """One number at each of the flat positions `at`: [R] -> [R]."""
        hidden = packed_states(self.classifier, packed, at)
        return self.classifier.score(hidden.float()).squeeze(-1) - self.reward_bias

    def score(self, packed: Packed) -> Tensor:
        """The reward of each row, read at its last token (the end token): [rows]."""
        return self(packed, packed.ends) if self.heads is None else self.score_by_head(packed).mean(-1)

    def score_by_head(self, packed: Packed) -> Tensor:
        """The reward of each row by each head; one column where there is one head: [rows, H]."""
        if self.heads is None:
            return self.score(packed)[:, None]
        hidden = in_one_pass(self, lambda: packed_states(self.classifier, packed, packed.ends)).float()
        return hidden @ whole(self.heads).T - torch.tensor(self.head_biases, device=hidden.device)

    def values(self, packed: Packed) -> Tensor:
        """The value of the state that each response token was chosen in, row by row: [R]."""
        return self(packed, packed.predictors)

    @torch.no_grad()
    def normalize(self, mean: float | Sequence[float], std: float) -> None:
        """Make rewards (r - mean) / std from now on; of an ensemble, each head by its own of several means.

        The scale goes into the head, the shift into the config.
        """
        config, means = self.classifier.config, [mean] if isinstance(mean, float | int) else mean
        if self.heads is None:
            self.classifier.score.weight /= std
            config.reward_bias = (self.reward_bias + means[0]) / std
            return
        self.heads.div_(std)
        config.head_biases = [(bias + own) / std for bias, own in zip(self.head_biases, means, strict=True)]
        config.reward_bias = math.fsum(config.head_biases) / len(config.head_biases)
        self._set_mean()

    @torch.no_grad()
    def _set_mean(self) -> None:
        assert self.heads is not None
        self.classifier.score.weight.copy_(self.heads.mean(0, keepdim=True))

    def save_pretrained(self, folder: Path, state_dict: dict[str, Tensor] | None = None) -> None:
        """A plain classifier, and beside it the heads of an ensemble; `state_dict` holds this model's weights whole."""
        if self.heads is not None:
            self._set_mean()
            (folder / HEADS.parent).mkdir()
            save_file({"weight": self.heads.detach().cpu().contiguous()}, folder / HEADS)
        prefix = "classifier."
        weights = self.state_dict() if state_dict is None else state_dict
        own = {name.removeprefix(prefix): weight for name, weight in weights.items() if name.startswith(prefix)}
        self.classifier.save_pretrained(folder, state_dict=own)


def new_scalar_model(
    policy: Path, tokenizer: Any, device: torch.device, precision: str = "fp32", heads: int = 1, seed: int = 0
) -> ScalarModel:
    """The policy's trunk and fresh heads, drawn from N(0, 1 / (hidden + 1)) (Stiennon et al. 2020's code).

    One head is drawn by the generator of the process, those of an ensemble each by its own, from `seed` on.
    """
    classifier = _load(policy, tokenizer, precision, new=["score.weight"])
    std = 1 / math.sqrt(classifier.score.in_features + 1)
    nn.init.normal_(classifier.score.weight, std=std)
    classifier.config.reward_bias = 0.0
    if heads == 1:
        return ScalarModel(classifier.to(device)).train()
    classifier.config.head_biases = [0.0] * heads
    generators = [torch.Generator().manual_seed(seed * 1_000_033 + head) for head in range(heads)]
    drawn = [torch.randn(classifier.score.in_features, generator=generator) * std for generator in generators]
    return ScalarModel(classifier.to(device), torch.stack(drawn).to(device)).train()


def load_scalar_model(
    path: Path, tokenizer: Any, device: torch.device, precision: str = "fp32", ensemble: bool = True
) -> ScalarModel:
    """A reward model as it was trained, heads and bias included. Raises RunError where a head is missing.

    Without `ensemble` it has the mean head only, which can be trained further: the value model.
    """
    if not hasattr(AutoConfig.from_pretrained(path), "reward_bias"):
        raise RunError(f"{path} is not a reward model: its config has no reward_bias.")
    classifier = _load(path, tokenizer, precision)
    config = classifier.config
    heads = None
    if ensemble and hasattr(config, "head_biases"):
        if not (path / HEADS).is_file():
            raise RunError(f"{path} is an ensemble of {len(config.head_biases)} heads, and {HEADS} is missing.")
        heads = load_file(path / HEADS)["weight"].to(device)
        if heads.shape != (len(config.head_biases), classifier.score.in_features):
            raise RunError(f"The heads in {path / HEADS} have the shape {list(heads.shape)}, and the model another.")
    elif hasattr(config, "head_biases"):
        del config.head_biases
    return ScalarModel(classifier.to(device), heads).train()


def _load(path: Path, tokenizer: Any, precision: str, new: Sequence[str] = ()) -> Any:
    classifier = open_pretrained(AutoModelForSequenceClassification, path, new, num_labels=1)
    if not hasattr(classifier, "score"):
        raise RunError(f"Classifiers of type {classifier.config.model_type} have no head named score; not supported.")
    fit_to_tokenizer(classifier, tokenizer)
    set_precision(classifier, precision)
    return classifier
