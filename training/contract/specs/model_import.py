"""Settings of the recipe that takes in a model from elsewhere."""

from dataclasses import dataclass
from typing import ClassVar

from training.contract.spec import Spec, require


@dataclass(frozen=True)
class ImportModelSpec(Spec):
    """A causal language model from the Hugging Face hub, or from a folder of this machine."""

    recipe: ClassVar[str] = "import_model"

    model: str = ""  # a hub id, as EleutherAI/pythia-160m, or the absolute path of a folder that from_pretrained opens
    revision: str = ""  # branch, tag or commit on the hub; empty: its main branch. The commit is in the result

    def validate(self) -> None:
        super().validate()
        require(bool(self.model.strip()), "model is empty; it must be a hub id or the path of a folder.")
        require(not (self.revision and self.is_folder), "revision is for models of the hub; a folder has none.")

    @property
    def is_folder(self) -> bool:
        """Whether the model lies on this machine."""
        return self.model.startswith("/")
