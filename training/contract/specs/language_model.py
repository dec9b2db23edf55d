"""Settings of the recipes that train a language model on texts: pretraining and fine-tuning."""

from dataclasses import dataclass
from typing import ClassVar

from training.contract.spec import Spec, require
from training.contract.specs.lora import LoraSpec


@dataclass(frozen=True)
class PretrainSpec(Spec):
    """A small base model from nothing: the miniature world's stand-in for GPT-3."""

    recipe: ClassVar[str] = "pretrain"

    word_min_count: int = 3  # a word of the corpus at least this frequent is one token
    vocab_size: int = 4096  # at most so many tokens; the most frequent words win
    hidden_size: int = 64  # width of the residual stream
    num_hidden_layers: int = 3  # transformer blocks
    num_attention_heads: int = 4  # heads per block; hidden_size is divisible by them
    intermediate_size: int = 160  # width of a block's MLP
    max_position_embeddings: int = 512  # the model's context in tokens; at least block_size
    block_size: int = 96  # tokens per packed row
    steps: int = 2000  # optimizer steps in all
    batch_size: int = 16  # rows per step
    lr: float = 8e-3  # peak learning rate
    warmup_steps: int = 40  # steps in which lr rises to its peak
    lr_final_fraction: float = 0.05  # the cosine ends at this fraction of lr
    adam_beta1: float = 0.9  # decay of Adam's mean gradient
    adam_beta2: float = 0.95  # decay of Adam's mean square
    adam_eps: float = 1e-8  # added to Adam's root mean square
    weight_decay: float = 0.05  # AdamW's, per step and times lr
    max_grad_norm: float = 1.0  # gradients are scaled down to this norm
    valid_blocks: int = 200  # held-out rows for val/loss, at most
    eval_every: int = 200  # steps between val/loss; 0 only at the end

    def validate(self) -> None:
        super().validate()
        self.positive("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
        self.positive("steps", "batch_size", "lr", "max_grad_norm", "word_min_count", "valid_blocks")
        self.fraction("lr_final_fraction")
        require(self.block_size >= 2, f"block_size is {self.block_size}; a row needs at least 2 tokens.")
        require(
            self.block_size <= self.max_position_embeddings,
            f"block_size {self.block_size} is longer than max_position_embeddings {self.max_position_embeddings}.",
        )
        require(
            self.hidden_size % self.num_attention_heads == 0,
            f"hidden_size {self.hidden_size} is not divisible by num_attention_heads {self.num_attention_heads}.",
        )
        require(self.vocab_size >= 258, f"vocab_size is {self.vocab_size}; 256 bytes and 2 marks need 258 at least.")


@dataclass(frozen=True)
class SftSpec(LoraSpec):
    """Supervised fine-tuning on demonstrations (appendix C.1). For a PPO start use epochs 2, pretraining_mix 0.1."""

    recipe: ClassVar[str] = "sft"

    epochs: int = 16  # passes over the data
    batch_size: int = 32  # demonstrations per optimizer step
    lr: float = 9.65e-6  # peak learning rate
    warmup_steps: int = 0  # the paper: none
    lr_final_fraction: float = 0.1  # the cosine ends at this fraction of lr
    residual_dropout: float = 0.2  # share of the residual branches' outputs that is dropped in training
    pretraining_mix: float = 0.0  # share of pretraining rows and of the loss; 0.1 for the model that PPO starts from
    pretraining_block_size: int = 0  # tokens per pretraining row; 0 = the model's context, at most 2048; not stated
    max_prompt_tokens: int = 1000  # a prompt that is longer stops the run with a sentence
    adam_beta1: float = 0.9  # decay of Adam's mean gradient
    adam_beta2: float = 0.95  # decay of Adam's mean square
    adam_eps: float = 1e-8  # added to Adam's root mean square; not stated
    weight_decay: float = 0.0  # AdamW's, per step and times lr; not stated
    max_grad_norm: float = 1.0  # gradients are scaled down to this norm; not stated
    micro_batch_tokens: int = 4096  # padded tokens in one forward pass; no effect on the result but rounding
    # auto: the epoch that validates best, by the parent reward_model where there is one, else by the loss on
    # valid_demonstrations, and the last where there are none either (a round gives none) | last: the last in any case
    choose: str = "auto"
    # The rest is for val/reward: one completion for each validation prompt, scored by the reward model.
    valid_samples: int = 512  # validation prompts at most, drawn by the seed; every epoch has the same
    temperature: float = 1.0  # 0 is greedy
    response_length: int = 1000  # tokens of a completion at most, the end token included
    decode_batch_size: int = 128  # completions decoded at a time

    def validate(self) -> None:
        super().validate()
        self.positive("epochs", "batch_size", "lr", "max_prompt_tokens", "max_grad_norm", "micro_batch_tokens")
        self.positive("valid_samples", "response_length", "decode_batch_size")
        self.fraction("lr_final_fraction")
        require(self.choose in ("auto", "last"), f"choose is '{self.choose}'; it must be 'auto' or 'last'.")
        require(self.temperature >= 0, f"temperature is {self.temperature}; it must be 0 (greedy) or more.")
        require(0 <= self.residual_dropout < 1, f"residual_dropout is {self.residual_dropout}; it must be in [0, 1).")
        require(0 <= self.pretraining_mix < 1, f"pretraining_mix is {self.pretraining_mix}; it must be in [0, 1).")
