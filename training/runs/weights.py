"""Where a checkpoint's weights lie, how large they are, and that nothing is started from weights that were deleted."""

from collections.abc import Iterable
from pathlib import Path

from training import storage
from training.runs.models import Checkpoint

# What a run keeps beside its checkpoint that is weights as well: merged adapters, and what an exact resume needs.
BESIDE = ("adapter", "state")


class WeightsGone(ValueError):
    """A run was to start from weights that were deleted, in one sentence."""


def hold_weights(checkpoints: Iterable[Checkpoint]) -> None:
    """Keep these checkpoints' weights until the transaction ends, in which a run is tied to them.

    Whoever deletes weights locks the same rows, so one of the two comes first. Raises WeightsGone where that was the
    deletion.
    """
    locked = Checkpoint.objects.select_for_update(no_key=True).order_by("pk")
    for checkpoint in locked.filter(pk__in=[one.pk for one in checkpoints]):
        if checkpoint.weights_deleted_at:
            raise WeightsGone(
                f"The weights of “{checkpoint}” were deleted on {checkpoint.weights_deleted_at:%d %B %Y}, "
                "so nothing can start from them."
            )


def folder_of(checkpoint: Checkpoint) -> Path | None:
    """The folder of the weights; None for a hub id, a server's model, and weights that are not there (any more)."""
    root = storage.root().resolve()
    folder = (root / checkpoint.path).resolve()
    return folder if folder.is_relative_to(root) and folder != root and folder.is_dir() else None


def folders_of(checkpoint: Checkpoint) -> list[Path]:
    """All folders that go when the weights are deleted."""
    folders = [folder_of(checkpoint)]
    if checkpoint.run_id:
        folders += [storage.run_folder(checkpoint.run_id) / name for name in BESIDE]
    return [folder for folder in folders if folder is not None and folder.is_dir()]


def bytes_of(folder: Path | None) -> int:
    """The size of all files in the folder; 0 where there is none."""
    if folder is None:
        return 0
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
