"""Every row of the training half, under one import path."""

from training.runs.models import Checkpoint, Dataset, Run, RunInput, RunParent, RunRequest

__all__ = ["Checkpoint", "Dataset", "Run", "RunInput", "RunParent", "RunRequest"]
