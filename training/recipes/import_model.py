"""Take in a model from elsewhere: from the Hugging Face hub, or from a folder of this machine.

It becomes the checkpoint of a run, so that its lineage says where it is from (the hub's commit) and nothing that is
trained from it depends on the hub any more. It is opened as every recipe opens it: a model that could not be trained is
refused here. Weights in float32 safetensors, no code of the model's own.

    python -m training.recipes.import_model --run-dir var/artifacts/runs/<run id>
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from training.contract.checkpoint import damage
from training.contract.execute import StopFlag, execute
from training.contract.run_dir import RunDir, RunError
from training.contract.specs import ImportModelSpec
from training.contract.status import StatusWriter
from training.rlhf.causal_lm import context_length, load_causal_lm, load_tokenizer
from training.rlhf.session import Session, publish_checkpoint

FILES = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]


def main(arguments: Sequence[str] | None = None) -> int:
    return execute("import_model", import_model, arguments)


def import_model(run: RunDir, spec: ImportModelSpec, status: StatusWriter, stop: StopFlag) -> dict[str, Any]:
    session = Session(run, spec, status, stop)
    session.resume()  # a second start begins anew; what was downloaded is in the hub's cache
    status.stage("downloading")
    folder = _folder(spec)
    status.stage("loading")
    if problem := damage(folder):
        raise RunError(f"{spec.model} cannot be opened as a causal language model: {problem}.")
    tokenizer = load_tokenizer(folder)
    model = load_causal_lm(folder, tokenizer, session.device)
    status.stage("saving")
    publish_checkpoint(run, model, tokenizer)
    return {
        "model": spec.model,
        "commit": "" if spec.is_folder else folder.name,
        "architecture": type(model).__name__,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "context": context_length(model),
    }


def _folder(spec: ImportModelSpec) -> Path:
    """Where the model's files lie on this machine. Raises RunError in the hub's words where it gives none."""
    if spec.is_folder:
        if not (Path(spec.model) / "config.json").is_file():
            raise RunError(f"There is no model in {spec.model}: it has no config.json.")
        return Path(spec.model)
    try:
        return Path(snapshot_download(spec.model, revision=spec.revision or None, allow_patterns=FILES))
    except LocalEntryNotFoundError:
        raise RunError(f"The hub cannot be reached, and {spec.model} is not in this machine's cache.") from None
    except (HfHubHTTPError, HFValidationError) as error:
        raise RunError(f"The hub does not give {spec.model}: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:300]


if __name__ == "__main__":
    raise SystemExit(main())
