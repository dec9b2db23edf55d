"""A small project with judged policies: checkpoints with real weight headers, samples, a done batch of judgement."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from labeling.models import Batch, Cohort, Completion, Kind, Labeler, Prompt, Purpose, Split, UseCase
from labeling.prompts import intake
from labeling.queue import dispatch
from labeling.rankings.remarks import Remarks
from tests.labeling.agreement.overlap import rank
from tests.work import make_batch
from training import storage
from training.models import Checkpoint, Run, RunParent

USE_CASES = (UseCase.CHAT, UseCase.OPEN_QA)


def write_weights(folder: Path, **shapes: Sequence[int]) -> None:
    """A safetensors file with zeros: 8 bytes of length, the header, 4 bytes a number."""
    header, at = {}, 0
    for name, shape in shapes.items():
        size = 4
        for side in shape:
            size *= side
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    said = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_bytes(len(said).to_bytes(8, "little") + said + bytes(at))


def make_checkpoint(
    name: str, recipe: str, parents: dict[str, Checkpoint] | None = None, *, width: int = 100, **spec: Any
) -> Checkpoint:
    """What a done run of this recipe made; `width`² parameters."""
    run = Run.objects.create(recipe=recipe, name=name, spec=spec, seed=1, state=Run.State.DONE)
    for role, checkpoint in (parents or {}).items():
        RunParent.objects.create(run=run, role=role, checkpoint=checkpoint)
    path = storage.checkpoint_path(run.pk)
    write_weights(storage.absolute(path), w=(width, width))
    kind = Checkpoint.Kind.REWARD_MODEL if recipe == "reward_model" else Checkpoint.Kind.POLICY
    return Checkpoint.objects.create(run=run, name=name, kind=kind, path=path)


def make_line(width: int = 100, start: str = "") -> dict[str, Checkpoint]:
    """Base, SFT, a reward model, PPO and PPO-ptx, each from the one before."""
    base = make_checkpoint(f"{start}base", "pretrain", width=width)
    sft = make_checkpoint(f"{start}sft", "sft", {"policy": base}, width=width)
    proxy = make_checkpoint(f"{start}proxy", "reward_model", {"policy": sft}, width=width)
    both = {"policy": sft, "reward_model": proxy}
    return {
        "base": base,
        "sft": sft,
        "proxy": proxy,
        "ppo": make_checkpoint(f"{start}ppo", "ppo", both, width=width, ptx_coef=0.0),
        "ppo_ptx": make_checkpoint(f"{start}ppo_ptx", "ppo", both, width=width, ptx_coef=0.5),
    }


def prompts(count: int, split: str = Split.TEST, start: str = "") -> list[Prompt]:
    """Use cases by turns."""
    rows = [
        {"prompt": f"{start}{split} question {number}?", "split": split, "use_case": USE_CASES[number % 2]}
        for number in range(count)
    ]
    intake.take_in(rows, source="there")
    found = {prompt.text: prompt for prompt in Prompt.objects.filter(text__in=[row["prompt"] for row in rows])}
    return [found[row["prompt"]] for row in rows]


def sampled(policy: Checkpoint, asked: Sequence[Prompt], samples: int = 1) -> list[list[Completion]]:
    """The completions of each prompt."""
    run = Run.objects.create(recipe="sample", name=f"of {policy}", spec={}, seed=1, state=Run.State.DONE)
    RunParent.objects.create(run=run, role="policy", checkpoint=policy)
    about = {"run": run, "checkpoint": policy, "finished": True}
    made = Completion.objects.bulk_create(
        Completion(prompt=prompt, sample=sample, text=f"{policy} on {prompt.text} ({sample})", **about)
        for prompt in asked
        for sample in range(samples)
    )
    return [made[start : start + samples] for start in range(0, len(made), samples)]


def judgement(
    policies: Sequence[Checkpoint], asked: Sequence[Prompt], *, cohort: Cohort = Cohort.HELD_OUT, need: int = 1
) -> Batch:
    """A batch that puts the policies' completions side by side; of two policies two each, for a ranking needs four."""
    batch = make_batch(Kind.RANK, cohort, Purpose.EVALUATION)
    columns = [sampled(policy, asked, 4 // len(policies)) for policy in policies]
    groups = [(prompt, [one for column in columns for one in column[at]]) for at, prompt in enumerate(asked)]
    dispatch.add_ranking_items(batch, groups, need=need)
    return batch


def judge(labeler: Labeler, orders: Sequence[Sequence[int]], remarks: Remarks | None = None) -> None:
    """The labeler's places of each next item's policies, in their order; all completions of one get the same."""
    for places in orders:
        rank(labeler, [place for place in places for _ in range(4 // len(places))], remarks)
