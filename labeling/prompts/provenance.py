"""Where a prompt came from, as labelers are told: what kind of person wrote it, never which file, user or model."""

from labeling.prompts.models import Prompt

LABELER = "labeler"  # the source of prompts that labelers wrote


def of(prompt: Prompt) -> str:
    """Goes on after the use case: `Generation · asked by a user`."""
    if prompt.source == LABELER:
        return "written by a labeler"
    return "asked by a user" if prompt.owner else "brought in by a researcher"
