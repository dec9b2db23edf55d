"""Questions of lm-evaluation-harness, answered by our model and by the harness's own: `python -m benchmarks.harness`.

Where lm-evaluation-harness is installed, as in the environment of `make test-peers`, whose tests hold that both give
the same figures. One thread and CPU seconds, in turn, medians over the repeats; a Llama with random weights.
"""

import argparse
import os
import random
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM

from benchmarks.report import Measurement, append_lines, machine, spread, table
from benchmarks.training.timing import Work, medians, rates
from benchmarks.training.world import Lengths, causal_lm, tokenizer
from training.rlhf.harness.model import PolicyLM
from training.rlhf.packed import enable_packing

QUESTIONS, CHOICES = 32, 4
CONTEXT, ANSWER = Lengths(), Lengths(12, 28)
LONGEST = 32  # tokens of a free answer
PEER_ROWS = {"loglikelihood": 16, "generate_until": 64}  # at a time; 8, 32 and 64, and 8, 16 and 32 were no faster


def text(rng: random.Random, lengths: Lengths) -> str:
    return " ".join(f"w{token}" for token in lengths.draw(rng))


def requests(kind: str) -> list[Instance]:
    rng = random.Random(0)
    contexts = [text(rng, CONTEXT) for _ in range(QUESTIONS)]
    if kind == "loglikelihood":
        pairs: list[tuple[Any, ...]] = [(one, " " + text(rng, ANSWER)) for one in contexts for _ in range(CHOICES)]
    else:
        pairs = [(one, {"until": ["w7"], "max_gen_toks": LONGEST}) for one in contexts]
    return [Instance(kind, doc={}, arguments=pair, idx=0) for pair in pairs]


def work(model: Any, kind: str) -> Work:
    asked = requests(kind)

    def ask() -> float:
        getattr(model, kind)(asked, disable_tqdm=True)
        return QUESTIONS

    return ask


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.harness", description=__doc__)
    parser.add_argument("--size", default="8M", choices=["8M", "30M"], help="parameters of the model")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="append the measurements to this file, one JSON object a line")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    print(f"{machine()}; one thread, CPU seconds, {options.repeats} repeats", flush=True)
    print(f"{QUESTIONS} questions of 48 to 80 tokens; {CHOICES} choices of 12 to 28, or {LONGEST} tokens greedily")
    words = tokenizer("left")
    policy = causal_lm(options.size).eval()
    plain = causal_lm(options.size).eval()
    enable_packing(policy)
    ours = PolicyLM(policy, words, max_tokens=4096, batch_size=128, seed=1, after_batch=lambda done, total: None)
    rows = []
    for kind, size in PEER_ROWS.items():
        theirs = HFLM(pretrained=plain, tokenizer=words, batch_size=size, max_length=512, device="cpu")
        found = rates({"ours": partial(work, ours, kind), "peer": partial(work, theirs, kind)}, options.repeats)
        middle = medians(found)
        ratio = middle["ours"] / middle["peer"]
        rows.append([kind, options.size, spread(found["ours"]), spread(found["peer"]), f"{ratio:.1f}"])
        if options.json:
            settings = {"size": options.size, "threads": 1, "repeats": options.repeats}
            values = (middle["ours"], "questions/s", "lm_eval HFLM", middle["peer"])
            append_lines(options.json, [Measurement(f"harness.{kind}", settings, *values)])
    print(table(["questions a CPU second", "model", "Podium", "HFLM", "ratio"], rows))


if __name__ == "__main__":
    main()
