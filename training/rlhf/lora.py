"""Low-rank adapters (Hu et al. 2021), put into a transformers model in place, and merged into it when it is published.

The model stays the object that every pass reads through, so that packing needs to know nothing of adapters. They are
kept in the format of peft beside the checkpoint, which is a plain folder as without them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from training.contract.run_dir import RunDir, RunError, publish_folder
from training.contract.specs.lora import ALL_LINEAR, LoraSpec
from training.rlhf import distributed
from training.rlhf.session import check_weights


class Lora:
    """The adapters of a model: only they are trained from now on, and the head of a classifier.

    `base` says in adapter_config.json which weights they belong to. Raises RunError for a layer that is not there.
    """

    def __init__(self, model: PreTrainedModel, spec: LoraSpec, base: str) -> None:
        from peft import LoraConfig, PeftModel  # a recipe that trains all weights does without it

        self.model = model
        self._head: Any = getattr(model, "score", None)
        self._config = LoraConfig(
            r=spec.lora_rank,
            lora_alpha=spec.lora_alpha,
            target_modules=_targets(model, spec, self._head),
            fan_in_fan_out=any(isinstance(layer, Conv1D) for layer in model.modules()),
            base_model_name_or_path=base,
        )
        is_head_trained = self._head is not None and self._head.weight.requires_grad  # an ensemble's is a mean
        self._peft = PeftModel(model, self._config)
        if self._head is not None:
            self._head.requires_grad_(is_head_trained)

    @contextmanager
    def disabled(self) -> Iterator[None]:
        """Within, the model is what it was before there were adapters."""
        with self._peft.disable_adapter():
            yield

    def without(self) -> Any:
        """The model as it was, for packed passes, and no copy of it: what a reference policy is."""
        return _WithoutAdapters(self)

    def save(self, folder: Path) -> None:
        """As `PeftModel.from_pretrained(base, folder)` opens them, the head of a classifier among them."""
        from peft import get_peft_model_state_dict

        config = self._config
        config.inference_mode = True
        weights: dict[str, Tensor] = get_peft_model_state_dict(self._peft, save_embedding_layers=False)
        if self._head is None:
            config.task_type = "CAUSAL_LM"
        else:
            config.task_type, config.modules_to_save = "SEQ_CLS", ["score"]
            weights["base_model.model.score.weight"] = self._head.weight.detach()
        save_file({name: weight.contiguous() for name, weight in weights.items()}, folder / "adapter_model.safetensors")
        config.save_pretrained(str(folder))

    def publish(self, run: RunDir) -> None:
        """Make adapter/, then merge the adapters into the weights: the model is a plain one, ready for checkpoint/."""
        check_weights([self.model])
        if distributed.rank() == 0:
            publish_folder(run.adapter, self.save)
        self._peft.merge_and_unload()


class _WithoutAdapters:
    """Stands for a transformers model: its trunk runs with the adapters off, all else is the model's own."""

    def __init__(self, lora: Lora) -> None:
        self._lora = lora

    def base_model(self, **inputs: Any) -> Any:
        with self._lora.disabled():
            return self._lora.model.base_model(**inputs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lora.model, name)


def add_lora(model: PreTrainedModel, spec: LoraSpec, base: str) -> Lora | None:
    """Adapters where the spec wants some."""
    return Lora(model, spec, base) if spec.lora_rank > 0 else None


def _targets(model: PreTrainedModel, spec: LoraSpec, head: nn.Module | None) -> list[str]:
    """The last names of the layers that get an adapter."""
    heads = (head, model.get_output_embeddings())
    linear = sorted(
        {
            name.rpartition(".")[2]
            for name, layer in model.named_modules()
            if isinstance(layer, nn.Linear | Conv1D) and layer not in heads
        }
    )
    if spec.lora_targets == [ALL_LINEAR]:
        return linear
    for name in spec.lora_targets:
        if name not in linear:
            raise RunError(
                f"lora_target_modules names '{name}', and the linear layers of {model.config.model_type} models are "
                f"{', '.join(linear)}."
            )
    return spec.lora_targets


def trained(model: nn.Module) -> nn.Module:
    """What a saved state must hold of the model: what is trained; the rest is the parent's, which does not change."""
    weights = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    if len(weights) == len(list(model.parameters())):
        return model
    return nn.ParameterDict({name.replace(".", "/"): weight for name, weight in weights.items()})
