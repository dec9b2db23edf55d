"""lm-evaluation-harness (Gao et al. 2021) on our policies, where it is installed: importing this does not need it."""

import importlib.util
import os

from huggingface_hub import constants

from training.contract.run_dir import RunError


def require_harness() -> None:
    """Raise RunError where the harness is not installed, and keep it from the network, HF_HUB_OFFLINE=0 aside.

    huggingface_hub has read that variable when transformers was imported; datasets asks huggingface_hub.
    """
    if importlib.util.find_spec("lm_eval") is None:
        raise RunError(
            "The run asks for tasks, and lm-evaluation-harness is not installed; "
            "`pip install '.[evaluation]' -c constraints.txt` in Podium's folder and environment installs it."
        )
    if os.environ.get("HF_HUB_OFFLINE") is None:
        constants.HF_HUB_OFFLINE = True
