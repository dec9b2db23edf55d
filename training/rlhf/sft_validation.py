"""How an epoch of fine-tuning is validated: loss on held-out demonstrations, reward of sampled completions.

Ouyang et al. 2022, section 3.5 and appendix C.1: the loss on validation demonstrations rises after one epoch, and yet
more epochs raise the reward and what people prefer, so the model is picked by its reward on validation prompts.
"""

from typing import Any

from transformers import PreTrainedModel

from training.contract.rows import read_rows
from training.contract.run_dir import RunDir, RunError
from training.contract.specs import SftSpec
from training.rlhf.causal_lm import check_same_tokens, context_length
from training.rlhf.decode import uniform_numbers
from training.rlhf.demonstrations import completion_loss, read_demonstrations
from training.rlhf.packing import shuffled
from training.rlhf.rollout import episodes, score_episodes
from training.rlhf.scalar_head import load_scalar_model
from training.rlhf.session import check_finite, check_weights
from training.rlhf.shared_decoding import decode_together
from training.rlhf.tokens import check_context, check_prompt_lengths, encode_prompts


class Validation:
    """Opens what the run gives to validate with. Raises RunError where a reward model has nothing to read."""

    def __init__(self, run: RunDir, spec: SftSpec, tokenizer: Any, model: PreTrainedModel) -> None:
        self.spec, self.tokenizer, self.seed = spec, tokenizer, run.seed
        self.demonstrations = (
            read_demonstrations(run.input("valid_demonstrations"), tokenizer, model, spec.max_prompt_tokens)
            if run.has_input("valid_demonstrations")
            else []
        )
        self.reward_model = None
        if run.has_parent("reward_model"):
            self.prompts = _read_prompts(run, spec, tokenizer, model)
            path = run.parent("reward_model")
            check_same_tokens(tokenizer, path)
            self.reward_model = load_scalar_model(path, tokenizer, model.device, spec.precision).requires_grad_(False)

    @property
    def by(self) -> str:
        """What the checkpoint is chosen by: "reward", "loss", or "last" where it is not chosen."""
        if self.spec.choose == "last":
            return "last"
        return "reward" if self.reward_model else "loss" if self.demonstrations else "last"

    def measure(self, model: PreTrainedModel) -> dict[str, float]:
        """val/loss and val/reward of the model as it is now, without dropout; whichever can be had."""
        found = {}
        model.eval()
        if self.demonstrations:
            found["val/loss"] = completion_loss(model, self.demonstrations, self.spec.micro_batch_tokens)
        if self.reward_model:
            check_weights([model])  # before anything is sampled from what is not a distribution
            found["val/reward"] = self._reward(model)
        model.train()
        for name, value in found.items():
            check_finite(value, name)
        return found

    def score(self, found: dict[str, float]) -> float:
        """The larger the better, of what measure() has found."""
        return found["val/reward"] if self.by == "reward" else -found["val/loss"]

    def _reward(self, model: PreTrainedModel) -> float:
        """Mean reward of one completion a prompt; each prompt has the same random numbers in every epoch."""
        decoded = decode_together(
            model,
            self.prompts,
            samples=1,
            uniform=uniform_numbers(len(self.prompts), self.spec.response_length, self.seed * 1_000_003),
            temperature=self.spec.temperature,
            stop_token_id=self.tokenizer.eos_token_id,
            pad_token_id=self.tokenizer.pad_token_id,
            batch_size=self.spec.decode_batch_size,
        )
        examples = episodes(self.prompts, decoded)
        end, most = self.tokenizer.eos_token_id, self.spec.micro_batch_tokens
        assert self.reward_model is not None  # measure() asks only where there is one
        return float(score_episodes(self.reward_model, examples, decoded.finished, end, most).mean())


def _read_prompts(run: RunDir, spec: SftSpec, tokenizer: Any, model: PreTrainedModel) -> list[list[int]]:
    """The validation prompts, of valid_prompts or else of valid_demonstrations; at most valid_samples of them."""
    kind = "prompts" if run.has_input("valid_prompts") else "demonstrations"
    if not run.has_input(f"valid_{kind}"):
        raise RunError(
            "The parent 'reward_model' chooses the checkpoint by completions of validation prompts, "
            "and the run has neither 'valid_prompts' nor 'valid_demonstrations'."
        )
    path = run.input(f"valid_{kind}")
    prompts = encode_prompts(tokenizer, [row["prompt"] for row in read_rows(path, kind)])
    check_prompt_lengths(path.name, prompts, spec.max_prompt_tokens)
    check_context(path.name, [len(ids) + spec.response_length for ids in prompts], context_length(model))
    if len(prompts) <= spec.valid_samples:
        return prompts
    return [prompts[index] for index in shuffled(len(prompts), run.seed, 0)[: spec.valid_samples]]
