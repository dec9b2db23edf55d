"""What lies in the folders of runs that have ended, or go on: curves above all, as many points as are asked for."""

import json
import math
import os
import random
import socket
import time
from pathlib import Path
from typing import Any

METRICS = {
    "ppo": [
        "objective/kl", "objective/entropy", "objective/scores", "objective/rlhf_reward", "objective/non_score_reward",
        "loss/policy_avg", "loss/value_avg", "policy/clipfrac_avg", "val/ratio", "val/response_length", "grad_norm",
        "lr",
    ],
    "sft": [
        "loss/train", "loss/ptx", "val/loss", "val/accuracy", "grad_norm", "lr", "epoch", "tokens/s", "tokens",
        "objective/entropy", "val/reward", "seconds",
    ],
}  # fmt: skip
OTHERS = [
    "loss/train",
    "train/accuracy",
    "val/loss",
    "val/accuracy",
    "grad_norm",
    "lr",
    *(f"part_{n}" for n in range(6)),
]
SAMPLES = 200  # rows of samples.jsonl
QUESTION, ANSWER = (
    "Why is the sea salty?",
    "Rivers carry minerals from rocks to the sea, and the sun leaves them there. ",
)


def rows_for(points: int) -> int:
    """Rows of metrics of a run with so many points; each row has twelve."""
    return max(1, points // 12)


def fill(folder: Path, facts: dict[str, Any], rows: int, seed: int, *, live: bool, checkpoint: str) -> None:
    """The folder of one run; `facts` are those of run.json, `checkpoint` the kind that it made, or empty."""
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(facts))
    (folder / "status.json").write_text(json.dumps(_status(rows, live)))
    (folder / "metrics.jsonl").write_text(curves(facts["recipe"], rows, seed))
    (folder / "log.txt").write_text("".join(f"step {step}: nothing unusual\n" for step in range(400)))
    (folder / "samples.jsonl").write_text("".join(json.dumps(_sample(n)) + "\n" for n in range(SAMPLES)))
    if facts["recipe"] == "reward_model":
        (folder / "validation.json").write_text(json.dumps(validation()))
    if checkpoint:
        (folder / "checkpoint").mkdir()
        config = {"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 3, "vocab_size": 1024}
        config |= {"reward_bias": 0.0} if checkpoint == "reward_model" else {}
        (folder / "checkpoint" / "config.json").write_text(json.dumps(config))
        (folder / "checkpoint" / "model.safetensors").write_bytes(bytes(4096))


def curves(recipe: str, rows: int, seed: int) -> str:
    """metrics.jsonl: twelve curves that fall and level off, each with noise."""
    rng = random.Random(seed)
    names = METRICS.get(recipe, OTHERS)
    noise = [rng.gauss(0, 0.05) for _ in range(997)]
    lines = []
    for step in range(1, rows + 1):
        level = 1.0 + math.exp(-3 * step / rows)
        cells = (f'"{name}": {level + noise[(step * 7 + place * 31) % 997]!r}' for place, name in enumerate(names))
        lines.append(f'{{"step": {step}, "time": {1760000000 + step}, {", ".join(cells)}}}\n')
    return "".join(lines)


def validation() -> dict[str, Any]:
    """validation.json, with groups and bins as docs/architecture.md has them."""
    values = [("all", ""), *(("use_case", f"case {n}") for n in range(9)), *(("cohort", one) for one in ("a", "b"))]
    values += [("k", str(k)) for k in range(4, 10)]
    row = {"prompts": 150, "rankings": 150, "comparisons": 900, "accuracy": 0.67, "log_loss": 0.62}
    row |= {"accuracy_low": 0.63, "accuracy_high": 0.71}
    bins = [
        {"low": low / 100, "high": (low + 5) / 100, "predicted": low / 100 + 0.02, "observed": low / 100, "count": 90}
        for low in range(50, 100, 5)
    ]
    groups = [{"group": group, "value": value, **row} for group, value in values]
    return {"groups": groups, "calibration": {"expected_calibration_error": 0.02, "bins": bins}}


def _status(rows: int, live: bool) -> dict[str, Any]:
    now = time.time()
    own = {"pid": os.getpid(), "host": socket.gethostname(), "heartbeat": now, "started_at": now - 3600, "error": None}
    progress = {"stage": "update", "step": rows, "total": rows * (2 if live else 1), "unit": "step"}
    end = {"state": "running", "eta_seconds": 60.0, "result": None}
    return own | progress | (end if live else {"state": "done", "eta_seconds": None, "result": {}})


def _sample(number: int) -> dict[str, Any]:
    asked = {"prompt_id": f"p{number // 4}", "prompt": QUESTION, "use_case": "open_qa", "sample": number % 4}
    said = {"completion": f"{number}. {4 * ANSWER}", "finished": True, "token_ids": [], "logprobs": []}
    return asked | said | {"reward": number / SAMPLES}
