"""A project of ten rounds, written straight into the tables and the artifact folder: what benchmarks.rounds reads.

All rounds are done but the last, which is in the middle of PPO. Prompts, completions, labels and datasets are as many
as a round of the given size has; who prefers what is drawn at random. What researchers did beside them: desk.py.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from benchmarks import desk, run_folders
from benchmarks.one_round import INPUTS, OneRound
from labeling.exports import freeze
from labeling.guidelines.publish import ensure_first
from labeling.labelers.enroll import enroll
from labeling.models import Cohort, Labeler, Prompt, Round, Split, UseCase, User
from training import storage
from training.models import Checkpoint, Dataset, Run, RunInput, RunParent
from training.runs.watch import MAKES

# Runs of no round, and the stages whose checkpoints they read: sweeps and controls.
FREE: dict[str, dict[str, str]] = {
    "ppo": {"policy": "sft", "reward_model": "reward_model"},
    "reward_model": {"policy": "sft"},
    "best_of_n": {"policy": "sft", "reward_model": "reward_model"},
    "labeler_cv": {"policy": "sft"},
    "sft": {"policy": "pretrain"},
}
RESULTS: dict[str, dict[str, Any]] = {
    "sft": {"chosen_epoch": 3, "val_loss": 1.2},
    "reward_model": {
        "prompts": 600, "comparisons": 3600, "valid_accuracy": 0.67, "valid_accuracy_low": 0.63,
        "valid_accuracy_high": 0.71, "valid_loss": 0.62, "valid_calibration_error": 0.02, "best_of_n_win_rate": 0.62,
        "best_of_n_win_rate_low": 0.57, "best_of_n_win_rate_high": 0.67,
    },
    "evaluate": {"lm_loss": 1.1, "kl": 2.0, "reward": 0.4},
    "best_of_n": {"n": 16, "kl": 1.8, "reward_best": 1.2, "reward_random": 0.3},
    "labeler_cv": {"within_accuracy": 0.72, "held_out_accuracy": 0.69},
}  # fmt: skip
SPECS: dict[str, dict[str, Any]] = {
    "pretrain": {}, "sft": {"epochs": 2}, "sample": {}, "reward_model": {}, "ppo": {}, "ppo_ptx": {"ptx_coef": 0.5},
    "evaluate": {},
}  # fmt: skip


@dataclass(frozen=True)
class Amounts:
    rounds: int = 10
    runs: int = 200  # those of the rounds included
    points: int = 25_000  # of each run
    rankings: int = 600  # of a round; a tenth more for validation, a quarter as many prompts are judged by three
    labelers: int = 12  # and half as many held-out ones


class Filling:
    """What all rounds share, and the means to make a run."""

    def __init__(self, amounts: Amounts, researcher: User) -> None:
        self.amounts, self.researcher = amounts, researcher
        self.rows = run_folders.rows_for(amounts.points)
        self.guidelines = ensure_first()
        self.people = {cohort: self._labelers(cohort) for cohort in Cohort}
        self.prompts = {split: self._prompts(split, count) for split, count in self._counts().items()}
        self.texts, self.valid_texts = (
            freeze.freeze_texts([f"{name} text {n}." for n in range(200)]) for name in ("One", "Another")
        )
        self.runs: list[Run] = []

    def _counts(self) -> dict[str, int]:
        count = self.amounts.rankings
        return {Split.TRAIN: count, Split.VALID: -(-count // 10), Split.TEST: -(-count // 4)}

    def _labelers(self, cohort: Cohort) -> list[Labeler]:
        count = self.amounts.labelers if cohort == Cohort.TRAINING else max(3, self.amounts.labelers // 2)
        users = [User.objects.create(email=f"{cohort}-{n}@benchmark.example") for n in range(count)]
        return [enroll(user, cohort=cohort, is_simulated=True) for user in users]

    def _prompts(self, split: str, count: int) -> list[Prompt]:
        cases, start = list(UseCase.values), Prompt.objects.count()
        return Prompt.objects.bulk_create(
            Prompt(
                text=f"{n}. {run_folders.QUESTION}", digest=f"{n:064x}", split=split, source="rounds",
                use_case=cases[n % len(cases)], created_at=timezone.now() - timedelta(days=365),
            )
            for n in range(start, start + count)
        )  # fmt: skip

    def settings(self) -> dict[str, Any]:
        """A round's, as plan.parse takes them."""
        train, valid, test = (self._counts()[split] for split in (Split.TRAIN, Split.VALID, Split.TEST))
        return {
            "prompts": {
                "source": "rounds", "demonstrate": train // 2, "rank": train, "rank_valid": valid, "judge": test,
                "requeue": valid,
            },
            "guidelines": {purpose.value: guideline.pk for purpose, guideline in self.guidelines.items()},
            "texts": self.texts.pk, "valid_texts": self.valid_texts.pk, "judges": 3, "mix": None, "specs": SPECS,
        }  # fmt: skip

    def round(self, number: int) -> None:
        is_last = number == self.amounts.rounds - 1
        start = timezone.now() - timedelta(days=7 * (self.amounts.rounds - number))
        state = Round.State.RUNNING if is_last else Round.State.DONE
        round_ = Round.objects.create(
            name=f"Round {number + 1}", settings=self.settings(), seed=number + 1, created_by=self.researcher,
            state=state, created_at=start, finished_at=None if is_last else start + timedelta(days=6),
        )  # fmt: skip
        OneRound(self, round_, is_last=is_last).fill()

    def free(self, number: int) -> None:
        """A run of no round, on what one of the rounds made."""
        recipe = list(FREE)[number % len(FREE)]
        parents = {}
        for role, stage in FREE[recipe].items():
            made = Checkpoint.objects.filter(run__stage__name=stage).order_by("pk")
            parents[role] = made[number % len(made)]
        kinds = INPUTS.get(recipe, {})
        inputs = {name: Dataset.objects.filter(kind=kind)[:1].get() for name, kind in kinds.items()}
        self.run(recipe, f"{recipe}, trial {number}", number, {"threads": 1 + number % 4}, inputs, parents)

    def run(
        self,
        recipe: str,
        name: str,
        seed: int,
        spec: dict[str, Any],
        inputs: dict[str, Dataset],
        parents: dict[str, Checkpoint],
        *,
        live: bool = False,
    ) -> Run:
        """A run with its row, its lineage, its folder and what it made."""
        now = timezone.now()
        run = Run.objects.create(
            recipe=recipe, name=name, spec=spec, seed=seed, state=Run.State.RUNNING if live else Run.State.DONE,
            phase="update", step=self.rows, total=self.rows * (2 if live else 1), unit="step", attempts=1,
            result=None if live else RESULTS.get(recipe, {}), started_at=now - timedelta(hours=1), heartbeat_at=now,
            finished_at=None if live else now, eta_seconds=60.0 if live else None,
        )  # fmt: skip
        RunInput.objects.bulk_create(RunInput(run=run, name=key, dataset=one) for key, one in inputs.items())
        RunParent.objects.bulk_create(RunParent(run=run, role=key, checkpoint=one) for key, one in parents.items())
        kind = "" if live else MAKES.get(recipe, "")
        facts = {
            "run_id": str(run.pk), "recipe": recipe, "seed": seed, "spec": spec, "code_version": "benchmark",
            "inputs": {key: {"path": one.path, "sha256": one.sha256} for key, one in inputs.items()},
            "parents": {key: {"path": one.path, "run_id": str(one.run_id)} for key, one in parents.items()},
        }  # fmt: skip
        folder = storage.run_folder(run.pk)
        run_folders.fill(folder, facts, self.rows, len(self.runs), live=live, checkpoint=kind)
        if kind:
            Checkpoint.objects.create(run=run, name=name[:100], kind=kind, path=storage.checkpoint_path(run.pk))
        self.runs.append(run)
        return run


def fill(amounts: Amounts, researcher: User) -> None:
    filling = Filling(amounts, researcher)
    for number in range(amounts.rounds):
        filling.round(number)
    desk.fill(filling)
    for number in range(max(0, amounts.runs - len(filling.runs))):
        filling.free(number)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
