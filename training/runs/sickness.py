"""What a run's curves say is wrong with it: pure, over the metrics that the recipes write.

Each rule looks for something that lasts (running medians, several points in a row up to the last one), because single
minibatches are noisy and a warning that cries at noise is soon ignored. A rule whose curves are not there is silent.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from training.runs import sickness_ppo
from training.runs.finding import Finding, Pulse, Rule
from training.runs.trends import Curves, Floats, finite, lasting

SPIKE_FACTOR, SPIKES, SPIKE_HISTORY = 20.0, 3, 50
SILENCE_FACTOR, SILENCE_SECONDS, SILENCE_ROWS = 20.0, 300.0, 8
HEARTBEAT_SECONDS = 60.0


def findings(curves: Curves, spec: Mapping[str, Any], pulse: Pulse) -> list[Finding]:
    """Everything that is wrong, the most urgent first."""
    found = [rule(curves, spec, pulse) for rule in RULES]
    return [finding for finding in found if finding is not None]


def not_finite(curves: Curves, spec: Mapping[str, Any], pulse: Pulse) -> Finding | None:
    """A loss or a gradient that is no number: not one step of it is harmless."""
    for name in curves:
        if name.startswith(("loss", "objective/")) or "grad_norm" in name:
            broken = np.flatnonzero(np.isnan(curves[name].values))
            if len(broken):
                step = int(curves[name].steps[broken[0]])
                return Finding(
                    "not_finite",
                    "A loss is no number",
                    f"{name} is not finite from step {step:,} on, {len(broken):,} time{'s' * (len(broken) > 1)}.",
                    step,
                    name,
                    "Stop it. Try again with a lower learning rate or fp32, from a state saved before that step.",
                    "Micikevicius et al. 2018 (overflow at low precision)",
                )
    return None


def no_progress(curves: Curves, spec: Mapping[str, Any], pulse: Pulse) -> Finding | None:
    """No row for many times as long as rows usually take. Validation and saving take long too, so 20 times."""
    if not pulse.is_running or not curves:
        return None
    curve = max(curves.values(), key=lambda one: len(one.steps))
    if len(curve.times) < SILENCE_ROWS:
        return None
    usual = float(np.median(np.diff(curve.times)))
    silent = pulse.now - max(float(one.times[-1]) for one in curves.values())
    if silent < max(SILENCE_SECONDS, SILENCE_FACTOR * usual):
        return None
    beats = pulse.heartbeat is not None and pulse.now - pulse.heartbeat < HEARTBEAT_SECONDS
    process = "Its process lives and still says so." if beats else "Its process has not been heard of either."
    return Finding(
        "no_progress",
        "No progress",
        f"No step for {silent / 60:,.0f} minutes; one usually takes {usual:,.2g} s. {process}",
        int(max(one.steps[-1] for one in curves.values())),
        next(iter(curves)),
        "Read the end of the log. If nothing moves there either, stop it and resume: it goes on from its saved state.",
        "docs/training.md (heartbeat)",
    )


def gradient_spikes(curves: Curves, spec: Mapping[str, Any], pulse: Pulse) -> Finding | None:
    """Three or more: a single one is clipped and forgotten, and the first points of a run have no history."""
    for name in curves:
        if not name.endswith("grad_norm"):
            continue
        steps, values = finite(curves[name])
        spikes = _spikes(values)
        if len(spikes) >= SPIKES:
            highest = spikes[np.argmax(values[spikes])]
            return Finding(
                "gradient_spikes",
                "The gradient spikes",
                f"{name} rose above {SPIKE_FACTOR:g} times its median {len(spikes):,} times, to {values[highest]:.3g} "
                f"at step {steps[highest]:,}.",
                int(steps[spikes[0]]),
                name,
                "Clipping (max_grad_norm) softens it. If the loss follows, try again with a lower learning rate.",
                "Chowdhery et al. 2022 (PaLM), section 5.1",
            )
    return None


def learning_rate_zero(curves: Curves, spec: Mapping[str, Any], pulse: Pulse) -> Finding | None:
    """Our schedules end above 0, so a rate of 0 is a mistake wherever it stands."""
    curve = curves.get("lr")
    start = None if curve is None else lasting(curve.values == 0)
    if curve is None or start is None:
        return None
    step = int(curve.steps[start])
    return Finding(
        "learning_rate_zero",
        "The learning rate is 0",
        f"lr is 0 since step {step:,}: nothing is learned.",
        step,
        "lr",
        "Check lr, warm-up and the number of steps in the settings, and try again.",
        "Ouyang et al. 2022, appendix C (cosine to 10 % of the rate)",
    )


RULES: tuple[Rule, ...] = (not_finite, no_progress, *sickness_ppo.RULES, gradient_spikes, learning_rate_zero)


def _spikes(values: Floats) -> npt.NDArray[np.intp]:
    """Places of values far above the median of those before; only what stands out from the whole is looked at."""
    high = np.flatnonzero(values > SPIKE_FACTOR / 4 * np.median(values)) if len(values) else np.zeros(0, np.intp)
    high = high[high >= SPIKE_HISTORY // 2][:2000]
    return np.array(
        [i for i in high if values[i] > SPIKE_FACTOR * np.median(values[max(0, i - SPIKE_HISTORY) : i])], np.intp
    )
