"""Cross-validate reward models over labelers (Ouyang et al. 2022, section 4.1): do they know what others prefer?

Labelers are drawn into groups. For each group and seed a reward model learns from the other groups' rankings, and is
measured by pair accuracy on prompts that it has not seen: the other groups' rankings (within) and the left-out group's
(held_out). The paper has 72.4 +- 0.4 % within and 69.6 +- 0.9 % held out, with 5 groups and 3 seeds. Models are not
kept: the next start goes on with the first one that is not measured.

Deviations from the paper, which states neither:
- Both accuracies are of the same rankings: each seed holds a share of the prompts out for all of its folds.
- The standard error is that of the groups' means over the seeds.

    python -m training.recipes.labeler_cv --run-dir var/artifacts/runs/<run id>
    accelerate launch --num_processes 8 -m training.recipes.labeler_cv --run-dir var/artifacts/runs/<run id>
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from training.contract.execute import RunStopped, StopFlag, execute
from training.contract.run_dir import RunDir, RunError
from training.contract.specs import LabelerCvSpec
from training.contract.status import StatusWriter
from training.rlhf.causal_lm import context_length, load_tokenizer
from training.rlhf.comparisons import RankedPrompt, read_ranked_prompts, score_prompts
from training.rlhf.judgements import judge, rows_by_prompt
from training.rlhf.labeler_folds import Fold, draw_prompts, labeler_groups, mean_and_error, split
from training.rlhf.optim import adamw
from training.rlhf.reward_quality import pair_accuracy
from training.rlhf.reward_training import total_steps, train_step, with_pairs
from training.rlhf.scalar_head import new_scalar_model
from training.rlhf.session import Session


def main(arguments: Sequence[str] | None = None) -> int:
    return execute("labeler_cv", labeler_cv, arguments)


UNIT = "reward model"


class Cell(NamedTuple):
    """One reward model to train and to measure."""

    number: int  # the fold, from 0: the group of labelers left out
    seed: int
    fold: Fold


class Measured:
    """Within and held-out accuracy of each cell that is done, in the order of the cells: what a resume needs."""

    def __init__(self) -> None:
        self.within: list[float] = []
        self.held_out: list[float] = []

    def state_dict(self) -> dict[str, Any]:
        return {"within": self.within, "held_out": self.held_out}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.within, self.held_out = state["within"], state["held_out"]


def labeler_cv(run: RunDir, spec: LabelerCvSpec, status: StatusWriter, stop: StopFlag) -> dict[str, Any]:
    session = Session(run, spec, status, stop)
    status.stage("loading")
    tokenizer = load_tokenizer(run.parent("policy"))
    context = context_length(new_scalar_model(run.parent("policy"), tokenizer, session.device).classifier)
    path = run.input("rankings")
    ranked = read_ranked_prompts(path, tokenizer, spec.max_prompt_tokens, context)
    labelers = [[row["labeler"] for row in rows] for rows in rows_by_prompt(path)]
    cells = plan(path, ranked, labelers, spec, run.seed)

    measured = Measured()
    done = session.resume(measured=measured)
    status.progress(done, len(cells), UNIT)
    for position, cell in enumerate(cells[done:], start=done):
        status.stage(f"fold {cell.number + 1} of {spec.folds}, seed {cell.seed}")
        found = train_and_measure(cell, run, spec, session, tokenizer, done=position)
        measured.within.append(found["within_accuracy"])
        measured.held_out.append(found["held_out_accuracy"])
        session.write_metrics(position + 1, {"fold": cell.number + 1, "seed": cell.seed} | found)
        session.after_step(position + 1, len(cells), UNIT)
    return summary(measured, spec) | {
        "labelers": len({name for names in labelers for name in names}),
        "prompts": len(ranked),
        "comparisons": sum(len(prompt.pairs) for prompt in ranked),
    }


def plan(
    path: Path, ranked: list[RankedPrompt], labelers: list[list[str]], spec: LabelerCvSpec, seed: int
) -> list[Cell]:
    """All cells, fold by fold. Raises RunError where one has nothing to learn from or nothing to be measured on."""
    with_pairs(path, ranked)
    names = {name for of_prompt in labelers for name in of_prompt}
    if len(names) < spec.folds:
        raise RunError(
            f"file {path.name}: {spec.folds} folds need as many labelers, and it has rankings by {len(names)}."
        )
    group_of = labeler_groups(names, spec.folds, seed)
    cells = []
    for number in range(spec.folds):
        for cell_seed in range(seed, seed + spec.seeds):
            prompts = draw_prompts(len(ranked), spec.held_out_prompts, cell_seed)
            fold = split(ranked, labelers, group_of, number, prompts)
            for part, rankings in fold._asdict().items():
                if not rankings:
                    raise RunError(
                        f"file {path.name}: fold {number + 1} of {spec.folds} with seed {cell_seed} has no comparison "
                        f"for '{part}'; set fewer folds, or another share of held_out_prompts."
                    )
            cells.append(Cell(number, cell_seed, fold))
    return cells


def train_and_measure(
    cell: Cell, run: RunDir, spec: LabelerCvSpec, session: Session, tokenizer: Any, done: int
) -> dict[str, float]:
    """The last loss, within and held-out accuracy of a reward model trained as the recipe reward_model does it.

    A stop loses this model, and none of the `done` before it.
    """
    torch.manual_seed(cell.seed)
    model = new_scalar_model(run.parent("policy"), tokenizer, session.device, spec.precision)
    optimizer = adamw(model, spec.lr, spec)
    for step in range(total_steps(cell.fold.train, spec)):
        if session.asked_to_stop():
            session.save(done)
            raise RunStopped
        metrics = train_step(model, optimizer, cell.fold.train, spec, step, cell.seed)

    def accuracy(prompts: list[RankedPrompt]) -> float:
        scores = score_prompts(model, prompts, spec.micro_batch_tokens, session.device)
        return pair_accuracy([judgement.ranking for judgement in judge(prompts, scores)])

    return {
        "loss/train": metrics["loss/train"],
        "within_accuracy": accuracy(cell.fold.within),
        "held_out_accuracy": accuracy(cell.fold.held_out),
    }


def summary(measured: Measured, spec: LabelerCvSpec) -> dict[str, float]:
    """Means and standard errors, as the paper reports them."""
    result: dict[str, float] = {}
    for name, values in (("within_accuracy", measured.within), ("held_out_accuracy", measured.held_out)):
        folds = [values[start : start + spec.seeds] for start in range(0, len(values), spec.seeds)]
        mean, error = mean_and_error(folds)
        result |= {name: round(mean, 6), f"{name}_se": round(error, 6)}
    return result


if __name__ == "__main__":
    raise SystemExit(main())
