"""Settings of the recipe that measures a policy."""

from dataclasses import dataclass, field
from typing import ClassVar

from training.contract.spec import Spec, require


@dataclass(frozen=True)
class EvaluateSpec(Spec):
    """Held-out language-model loss, KL to a reference, mean reward and benchmark tasks of one policy."""

    recipe: ClassVar[str] = "evaluate"

    block_size: int = 0  # tokens per packed row of texts; 0 = the model's context, at most 2048
    max_blocks: int = 300  # rows of texts, at most
    samples_per_prompt: int = 1  # completions of each prompt
    temperature: float = 1.0  # for the samples that KL and reward are measured on
    response_length: int = 1000  # tokens at most, the end token included
    max_prompt_tokens: int = 1000  # a prompt that is longer stops the run with a sentence
    batch_size: int = 128  # completions decoded at a time
    micro_batch_tokens: int = 4096  # padded tokens in one forward pass; no effect on the result but rounding
    # Tasks of lm-evaluation-harness by name: those in <artifact root>/tasks, else its own whose data is on the machine.
    tasks: list[str] = field(default_factory=list)
    num_fewshot: int | None = None  # worked examples before each question; null: what the task says, else none
    limit: int = 0  # the first so many questions of each task; 0 is all
    apply_chat_template: bool = False  # for `tasks`; the questions of a dataset are always asked as prompts are

    def validate(self) -> None:
        super().validate()
        self.positive("max_blocks", "samples_per_prompt", "temperature", "response_length", "max_prompt_tokens")
        self.positive("batch_size", "micro_batch_tokens")
        for task in self.tasks:
            require(isinstance(task, str) and bool(task.strip()), f"tasks names {task!r}; it must name tasks by texts.")
        require(len(set(self.tasks)) == len(self.tasks), "tasks names a task twice.")
        require(self.limit >= 0, f"limit is {self.limit}; it must be 0 (all questions) or more.")
        few = self.num_fewshot
        require(few is None or few >= 0, f"num_fewshot is {few}; it must be 0 or more, or null.")
