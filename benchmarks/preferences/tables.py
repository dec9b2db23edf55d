"""What the benchmark prints: its settings, a line for each training, and the tables."""

from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.preferences.base import SPEC
from benchmarks.preferences.settings import MAX_COMPLETION, MAX_PROMPT, Plan
from benchmarks.preferences.statistics import Comparison, Estimate, Tally, accuracy, compare, log_loss, together
from benchmarks.preferences.trials import OURS, PEER, Arena, Setting, Trial
from benchmarks.report import Measurement, spread, table
from training.contract.status import read_status


class Results:
    """Trials of all seeds, put together: accuracy and log loss are over all of them, intervals resample prompts."""

    def __init__(self, arena: Arena, trials: dict[str, list[Trial]]) -> None:
        self.trials, self.parts = trials, arena.parts
        self.by_seed = {who: [arena.tallies(trial.scores) for trial in found] for who, found in trials.items()}
        self.tallies = {who: together(found) for who, found in self.by_seed.items()}
        self.length = arena.tallies(arena.lengths())
        self.accuracy = compare(self.tallies[OURS], self.tallies[PEER])
        self.against_length = compare(self.tallies[OURS], together([self.length] * len(trials[OURS])))

    def of_part(self, part: str) -> tuple[list[Tally], list[Tally], list[Tally]]:
        """Ours, the peer's and that of the length, for the prompts of one part."""
        every = (self.tallies[OURS], self.tallies[PEER], self.length)
        ours, peer, length = ([t for t, of in zip(found, self.parts, strict=True) if of == part] for found in every)
        return ours, peer, length


def base_line(base: Path) -> str:
    status = read_status(base / "status.json")
    assert status is not None and status["result"] is not None  # it is done, else there were no base
    found = status["result"]
    return (
        f"base model: Llama, {found['parameters'] / 1e6:.1f} M parameters ({SPEC['num_hidden_layers']} layers of "
        f"{SPEC['hidden_size']}), {found['vocab_size']} words, {found['trained_tokens'] / 1e6:.1f} M tokens of novels, "
        f"loss {found['val_loss']:.2f} nats a token on other novels"
    )


def arena_lines(arena: Arena, plan: Plan) -> str:
    """The rows of a set, what was left out of it and why, and the settings of both trainers."""
    counts = [
        f"{sum(len(prompt.pairs) for prompt in side)} comparisons of {len(side)} prompts {name}"
        for name, side in (("to train on", arena.train), ("held out", arena.test))
    ]
    limits = f"at most {MAX_PROMPT} tokens of prompt (older turns are cut off) and {MAX_COMPLETION} of answer"
    left_out = [f"{count} x {reason}" for reason, count in sorted((+arena.dropped).items())]
    settings = [f"{who}: {_say(who, setting)}" for who, setting in plan.chosen.items()]
    lines = [", ".join(counts) + "; " + limits, "left out: " + "; ".join(left_out), "; ".join(settings)]
    if plan.dialogues:
        status = read_status(arena.base / "status.json")
        assert status is not None and status["result"] is not None  # it is done, else there were no arena
        lines.append(
            f"both start after SFT on {status['result']['demonstrations']} preferred answers of {plan.dialogues}"
        )
    return "\n  ".join(lines)


def _say(who: str, setting: Setting) -> str:
    return f"lr {setting.lr:g}, {setting.batch} {'prompts' if who == OURS else 'comparisons'} a step"


def trial_line(arena: Arena, who: str, trial: Trial) -> str:
    tallies = arena.tallies(trial.scores)
    return (
        f"{who} accuracy {100 * accuracy(tallies):.1f} %, log loss {log_loss(tallies):.4f}, {trial.steps} steps in "
        f"{trial.seconds.cpu:.0f} s of CPU ({trial.seconds.wall:.0f} s)"
    )


def result_table(results: Results) -> str:
    head = ["", "accuracy, %", "95 %", "by seed", "log loss", "CPU s", "wall s", "comparisons / CPU s"]
    rows = []
    for who, estimate in ((OURS, results.accuracy.ours), (PEER, results.accuracy.peer)):
        found = results.trials[who]
        seconds = [trial.seconds for trial in found]
        rows.append(
            [
                who if who == OURS else f"{who} {version('trl')}",
                *_percent(estimate),
                " ".join(f"{100 * accuracy(tallies):.1f}" for tallies in results.by_seed[who]),
                f"{log_loss(results.tallies[who]):.4f}",
                spread([taken.cpu for taken in seconds], 0),
                spread([taken.wall for taken in seconds], 0),
                spread([trial.rate for trial in found]),
            ]
        )
    length = results.against_length
    ratio = median(t.rate for t in results.trials[OURS]) / median(t.rate for t in results.trials[PEER])
    empty = [""] * 5
    rows.append([f"{OURS} - {PEER}", *_percent(results.accuracy.difference, "+"), *empty[1:], f"{ratio:.1f} times"])
    rows.append(["the longer answer", *_percent(length.peer), *empty])
    rows.append([f"{OURS} - the longer answer", *_percent(length.difference, "+"), *empty])
    rows.append(["chance", "50.0", "", "", "0.6931", "", "", ""])
    return table(head, rows)


def part_table(results: Results) -> str:
    """Accuracy by part of the set."""
    rows = []
    for part in sorted(set(results.parts)):
        ours, peer, length = results.of_part(part)
        found: Comparison = compare(ours, peer)
        cells = [" ".join(_percent(estimate)) for estimate in (found.ours, found.peer)]
        rows.append([part, str(len(ours)), *cells, f"{100 * accuracy(length):.1f}"])
    return table(["part", "prompts", OURS, PEER, "the longer answer"], rows)


def grid_row(arena: Arena, who: str, setting: Setting, trials: list[Trial]) -> list[str]:
    tallies = together([arena.tallies(trial.scores) for trial in trials])
    by_seed = " ".join(f"{100 * accuracy(arena.tallies(trial.scores)):.1f}" for trial in trials)
    return [who, f"{setting.lr:g}", str(setting.batch), f"{100 * accuracy(tallies):.1f}", by_seed, _loss(tallies)]


def grid_table(rows: list[list[str]]) -> str:
    return table(["", "lr", "batch", "accuracy, %", "by seed", "log loss"], rows)


def measurements(name: str, results: Results, plan: Plan) -> list[Measurement]:
    """The same as JSON lines."""
    found, peer = results.accuracy, f"TRL {version('trl')} RewardTrainer"
    settings: dict[str, Any] = {who: plan.chosen[who]._asdict() for who in (OURS, PEER)}
    settings["seeds"] = len(results.trials[OURS])
    named = {"interval": found.ours, "peer_interval": found.peer, "difference_interval": found.difference}
    intervals = {name: [estimate.low, estimate.high] for name, estimate in named.items()}
    losses = [log_loss(results.tallies[who]) for who in (OURS, PEER)]
    rates = [median(trial.rate for trial in results.trials[who]) for who in (OURS, PEER)]
    return [
        Measurement(
            f"preferences.{name}.accuracy", settings | intervals, found.ours.value, "share", peer, found.peer.value
        ),
        Measurement(f"preferences.{name}.log_loss", settings, losses[0], "nats", peer, losses[1]),
        Measurement(f"preferences.{name}.rate", settings, rates[0], "comparisons/CPU s", peer, rates[1]),
    ]


def _loss(tallies: list[Tally]) -> str:
    return f"{log_loss(tallies):.4f}"


def _percent(estimate: Estimate, sign: str = "") -> tuple[str, str]:
    value, low, high = (f"{100 * number:{sign}.1f}" for number in estimate)
    return value, f"[{low}, {high}]"
