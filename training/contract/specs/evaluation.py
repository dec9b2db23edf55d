"""Settings of the recipe that measures a policy."""

from dataclasses import dataclass
from typing import ClassVar

from training.contract.spec import Spec


@dataclass(frozen=True)
class EvaluateSpec(Spec):
    """Held-out language-model loss, KL to a reference and mean reward of one policy."""

    recipe: ClassVar[str] = "evaluate"

    block_size: int = 0  # tokens per packed row of texts; 0 = the model's context, at most 2048
    max_blocks: int = 300  # rows of texts, at most
    samples_per_prompt: int = 1
    temperature: float = 1.0  # for the samples that KL and reward are measured on
    response_length: int = 1000
    max_prompt_tokens: int = 1000
    batch_size: int = 128
    micro_batch_tokens: int = 4096

    def validate(self) -> None:
        super().validate()
        self.positive("max_blocks", "samples_per_prompt", "temperature", "response_length", "max_prompt_tokens")
        self.positive("batch_size", "micro_batch_tokens")
