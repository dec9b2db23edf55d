"""How often a win rate's 95 % interval holds the truth: `python -m benchmarks.winrate`.

Simulated judgements of two policies. Prompt p and labeler l have effects a_p ~ N(0, prompt_sd²), b_l ~ N(0,
labeler_sd²), all independent; a labeler ties with the probability `ties`, and otherwise prefers the first policy with
the probability 1 / (1 + exp(-(m + a_p + b_l))). **The truth** is the mean of 1, ½ and 0 for win, tie and loss over the
population of both prompts and labelers, not over those that were drawn; m is solved for so that it is `truth` (by
Gauss-Hermite quadrature; a_p + b_l is normal). Each judgement draws new prompts and new labelers, and for each prompt
as many of the labelers as there are judges, each with the same chance (with `uneven`, by Gamma(2) paces: some label
much more than others).

`winrate.coverage` is of the interval that Podium states (`labeling/evaluation/crossed.py`);
`winrate.naive_coverage` of the binomial one that takes every label as independent (± 1.96 √(p (1 - p) / N)). Beside
them: the percentile bootstrap over prompts alone (`bootstrap.py`, as rounds report it), and Owen's (2007) pigeonhole
bootstrap over prompts and labelers, percentiles of the products of two multinomial weights.
"""

import argparse
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from benchmarks.report import Measurement, append_lines, machine, table
from labeling.evaluation import crossed
from labeling.evaluation.bootstrap import cluster_mean

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]
Interval = tuple[float, float]

METHODS = ("stated", "naive", "prompts", "pigeonhole")
HEAD = ["labelers", "judges", "truth", "load", *(f"{name} {what}" for name in METHODS for what in ("holds", "width"))]


@dataclass(frozen=True)
class Setting:
    labelers: int
    judges: int
    truth: float
    uneven: bool = False
    prompts: int = 300
    prompt_sd: float = 1.0
    labeler_sd: float = 0.5
    ties: float = 0.1


@dataclass(frozen=True)
class Result:
    """Of each method the share of intervals that hold the truth, and their mean width."""

    coverage: dict[str, float]
    width: dict[str, float]


SETTINGS = [Setting(labelers, judges, truth) for labelers in (6, 10, 20) for judges in (1, 3) for truth in (0.5, 0.65)]
SETTINGS += [Setting(6, judges, 0.5, uneven=True) for judges in (1, 3)]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.winrate", description=__doc__)
    parser.add_argument("--judgements", type=int, default=1000, help="simulated for each setting")
    parser.add_argument("--resamples", type=int, default=500, help="of each bootstrap")
    parser.add_argument("--prompts", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="append the measurements to this file, one JSON object a line")
    options = parser.parse_args(arguments)
    print(machine(), flush=True)
    error = math.sqrt(0.95 * 0.05 / options.judgements)
    print(
        f"{options.judgements} judgements a setting: the Monte Carlo error of a .95 coverage is ± {1.96 * error:.3f}."
    )
    settings = [Setting(**{**asdict(setting), "prompts": options.prompts}) for setting in SETTINGS]
    results = [measure(setting, options.judgements, options.resamples, options.seed) for setting in settings]
    print(f"{options.prompts} prompts, prompt sd {SETTINGS[0].prompt_sd}, labeler sd {SETTINGS[0].labeler_sd}, "
          f"{SETTINGS[0].ties:.0%} ties, {options.resamples} resamples.")  # fmt: skip
    print(table(HEAD, [as_row(*pair) for pair in zip(settings, results, strict=True)]))
    if options.json:
        for setting, result in zip(settings, results, strict=True):
            append_lines(options.json, as_measurements(setting, result, options.judgements))


def measure(setting: Setting, judgements: int, resamples: int, seed: int) -> Result:
    rng = np.random.default_rng([seed, setting.labelers, setting.judges, int(100 * setting.truth), setting.uneven])
    middle = middle_of(setting)
    held, widths = dict.fromkeys(METHODS, 0), dict.fromkeys(METHODS, 0.0)
    for number in range(judgements):
        values, prompt, labeler = simulate(setting, middle, rng)
        for name, (low, high) in intervals(values, prompt, labeler, resamples, number).items():
            held[name] += low <= setting.truth <= high
            widths[name] += high - low
    coverage = {name: count / judgements for name, count in held.items()}
    return Result(coverage, {name: width / judgements for name, width in widths.items()})


def middle_of(setting: Setting) -> float:
    """The m with which the truth is `setting.truth`."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    spread = math.hypot(setting.prompt_sd, setting.labeler_sd)

    def off(middle: float) -> float:
        prefers = float(weights @ (1 / (1 + np.exp(-(middle + spread * nodes))))) / float(weights.sum())
        return (1 - setting.ties) * prefers + setting.ties / 2 - setting.truth

    return float(brentq(off, -10, 10))


def simulate(setting: Setting, middle: float, rng: np.random.Generator) -> tuple[Floats, Ints, Ints]:
    """Win scores (0, ½, 1), prompts and labelers of one judgement, each [prompts · judges]."""
    of_prompt = rng.normal(0, setting.prompt_sd, setting.prompts)
    of_labeler = rng.normal(0, setting.labeler_sd, setting.labelers)
    pace = rng.gamma(2, size=setting.labelers) if setting.uneven else np.ones(setting.labelers)
    # The first to come, each at their own pace: the smallest of exponential times.
    times = rng.exponential(1 / pace, (setting.prompts, setting.labelers))
    labeler = np.argsort(times, axis=1)[:, : setting.judges].ravel()
    prompt = np.repeat(np.arange(setting.prompts), setting.judges)
    prefers = 1 / (1 + np.exp(-(middle + of_prompt[prompt] + of_labeler[labeler])))
    values = (rng.random(len(prompt)) < prefers).astype(float)
    values[rng.random(len(prompt)) < setting.ties] = 0.5
    return values, prompt, labeler


def intervals(values: Floats, prompt: Ints, labeler: Ints, resamples: int, seed: int) -> dict[str, Interval]:
    found = crossed.mean(values, prompt, labeler)
    assert found.low is not None
    assert found.high is not None
    half = 1.96 * math.sqrt(found.value * (1 - found.value) / len(values))
    over_prompts = cluster_mean(
        np.bincount(prompt, values).tolist(), np.bincount(prompt).tolist(), resamples=resamples, seed=seed
    )
    return {
        "stated": (found.low, found.high),
        "naive": (found.value - half, found.value + half),
        "prompts": (over_prompts.low, over_prompts.high),
        "pigeonhole": pigeonhole(values, prompt, labeler, resamples, seed),
    }


def pigeonhole(values: Floats, prompt: Ints, labeler: Ints, resamples: int, seed: int) -> Interval:
    """Percentiles of means whose weights are the product of how often the prompt and the labeler were drawn."""
    rng = np.random.default_rng(seed)
    sums, counts = (np.zeros((prompt.max() + 1, labeler.max() + 1)) for _ in range(2))
    np.add.at(sums, (prompt, labeler), values)
    np.add.at(counts, (prompt, labeler), 1)
    rows, columns = (_drawn(rng, size, resamples) for size in sums.shape)
    drawn = ((rows @ sums) * columns).sum(axis=1) / ((rows @ counts) * columns).sum(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def _drawn(rng: np.random.Generator, size: int, resamples: int) -> Floats:
    return rng.multinomial(size, np.full(size, 1 / size), size=resamples).astype(float)


def as_row(setting: Setting, result: Result) -> list[str]:
    measured = [f"{of[name]:.3f}" for name in METHODS for of in (result.coverage, result.width)]
    load = "uneven" if setting.uneven else "even"
    return [str(setting.labelers), str(setting.judges), f"{setting.truth:.2f}", load, *measured]


def as_measurements(setting: Setting, result: Result, judgements: int) -> list[Measurement]:
    settings = {**asdict(setting), "judgements": judgements}
    named = {
        "coverage": result.coverage["stated"],
        "naive_coverage": result.coverage["naive"],
        "prompts_coverage": result.coverage["prompts"],
        "pigeonhole_coverage": result.coverage["pigeonhole"],
        "mean_width": result.width["stated"],
        "naive_mean_width": result.width["naive"],
    }
    return [
        Measurement(measure=f"winrate.{name}", settings=settings, value=round(value, 4), unit="share")
        for name, value in named.items()
    ]


if __name__ == "__main__":
    main()
