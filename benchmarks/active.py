"""Which prompts to label next: `python -m benchmarks.active`.

In the miniature world a reward model is trained on a few rankings drawn by chance; then the next ones are chosen,
three times over, and it is trained anew on all: by chance ("random"), where its heads disagree ("ensemble"), or where
labelers are expected to ("labelers"; labeling/rounds/active.py). The accuracy is that on true preferences (the world's
utility, no labeler's noise) between answers to prompts that nothing was trained on.

The ratio is the labels that a way of choosing needs over those that chance needs for equal accuracy: the highest
that both mean curves reach, each made to never fall, read off between the points. Below 1 labels are saved. Intervals
resample seeds. The base model, the policy and its answers lie in --root, and are made once.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path

import torch
import transformers

from benchmarks.active_world import Pool, Seed, Settings
from benchmarks.report import Measurement, append_lines, machine, table
from labeling.rounds import active

DRAWS = 2000
Curves = Sequence[Sequence[float]]  # the accuracies of each seed, by number of labels


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.active", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("var/active"), help="where the policy and its answers lie")
    parser.add_argument("--seeds", type=int, default=10)
    for one in fields(Settings):
        name = "--" + one.name.replace("_", "-")
        parser.add_argument(name, type=type(one.default), default=one.default, help=f"by default {one.default}")
    parser.add_argument("--json", type=Path, help="append the measurements to this file, one JSON object a line")
    options = parser.parse_args(arguments)
    settings = Settings(**{one.name: getattr(options, one.name) for one in fields(Settings)})
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # a new head is meant to be new
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    print(f"{machine()}; {options.seeds} seeds, {settings}", flush=True)
    pool = Pool(options.root, settings)
    curves = measure(pool, options.seeds)
    print(as_tables(curves, settings.labels))
    if options.json:
        append_lines(options.json, as_measurements(curves, settings, options.seeds))


def measure(pool: Pool, seeds: int) -> dict[str, list[list[float]]]:
    """A curve for each way of choosing and seed."""
    curves: dict[str, list[list[float]]] = {by: [] for by in active.BY}
    for number in range(1, seeds + 1):
        begin = time.process_time()
        seed = Seed(pool, number)
        for by, found in curves.items():
            found.append(seed.curve(by))
        said = ", ".join(f"{by} {' '.join(f'{one:.3f}' for one in found[-1])}" for by, found in curves.items())
        print(f"  seed {number}: {said}; {time.process_time() - begin:.0f} CPU s", flush=True)
    return curves


def never_falling(values: Sequence[float]) -> list[float]:
    """The closest curve, by least squares, that never falls: neighbors that do are replaced by their mean."""
    blocks: list[list[float]] = []
    for value in values:
        blocks.append([value])
        while len(blocks) > 1 and statistics.fmean(blocks[-2]) > statistics.fmean(blocks[-1]):
            last = blocks.pop()
            blocks[-1] += last
    return [statistics.fmean(block) for block in blocks for _ in block]


def labels_for(level: float, curve: Sequence[float], labels: Sequence[int]) -> float:
    """Where a curve that never falls first reaches this level; it has to reach it."""
    for place, value in enumerate(curve):
        if value >= level:
            if place == 0:
                return labels[0]
            share = (level - curve[place - 1]) / (value - curve[place - 1])
            return labels[place - 1] + share * (labels[place] - labels[place - 1])
    raise ValueError(f"The curve ends at {curve[-1]}, below {level}.")


def ratio(chosen: Curves, chance: Curves, labels: Sequence[int]) -> float:
    """Labels needed over labels that chance needs, at the highest accuracy that both mean curves reach."""
    one, other = _mean(chosen), _mean(chance)
    level = min(one[-1], other[-1])
    return labels_for(level, one, labels) / labels_for(level, other, labels)


def _mean(curves: Curves) -> list[float]:
    return never_falling([statistics.fmean(of) for of in zip(*curves, strict=True)])


def interval(chosen: Curves, chance: Curves, labels: Sequence[int]) -> tuple[float, float] | None:
    """95 % of the ratio by resampling seeds, with both curves of each; None with one seed."""
    return _middle(len(chance), lambda of: ratio([chosen[i] for i in of], [chance[i] for i in of], labels))


def gain(chosen: Curves, chance: Curves) -> tuple[float, tuple[float, float] | None]:
    """Accuracy over that of chance with all labels: the mean over seeds and its interval."""
    gains = [one[-1] - other[-1] for one, other in zip(chosen, chance, strict=True)]
    return statistics.fmean(gains), _middle(len(gains), lambda of: statistics.fmean(gains[i] for i in of))


def _middle(count: int, figure: Callable[[list[int]], float]) -> tuple[float, float] | None:
    if count == 1:
        return None
    rng = random.Random(0)
    values = sorted(figure(rng.choices(range(count), k=count)) for _ in range(DRAWS))
    return values[int(0.025 * DRAWS)], values[int(0.975 * DRAWS)]


def as_tables(curves: Mapping[str, Curves], labels: Sequence[int]) -> str:
    """Mean accuracies by number of labels, and what choosing is worth."""
    rows = []
    for by, found in curves.items():
        means = [100 * statistics.fmean(of) for of in zip(*found, strict=True)]
        rows.append([by, *(f"{mean:.1f}" for mean in means)])
    first = table(["accuracy, %; labels:", *map(str, labels)], rows)
    rows = []
    for by, found in curves.items():
        if by != "random":
            more, of_gain = gain(found, curves["random"])
            of_ratio = interval(found, curves["random"], labels)
            cells = [f"{ratio(found, curves['random'], labels):.2f}", _said(of_ratio, 1, "{:.2f}")]
            rows.append([by, *cells, f"{100 * more:+.1f}", _said(of_gain, 100, "{:+.1f}")])
    head = ["", "labels / labels by chance", "95 %", f"points at {labels[-1]}", "95 %"]
    return f"{first}\n\n{table(head, rows)}"


def _said(bounds: tuple[float, float] | None, factor: float, form: str) -> str:
    return "one seed" if bounds is None else f"[{', '.join(form.format(factor * bound) for bound in bounds)}]"


def as_measurements(curves: Mapping[str, Curves], settings: Settings, seeds: int) -> list[Measurement]:
    lines = []
    for by in ("ensemble", "labelers"):
        facts = asdict(settings) | {"by": by, "seeds": seeds}
        bounds = interval(curves[by], curves["random"], settings.labels)
        facts |= {"low": round(bounds[0], 3), "high": round(bounds[1], 3)} if bounds else {}
        value = ratio(curves[by], curves["random"], settings.labels)
        lines.append(Measurement("active.labels_ratio", facts, round(value, 3), "ratio"))
    return lines


if __name__ == "__main__":
    main()
