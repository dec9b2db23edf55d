"""What PPO's curves say is wrong. Each rule is silent where its curves are not there."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from training.runs.finding import Finding, Pulse, Rule
from training.runs.trends import Curves, at_first, finite, lasting, mean_between, per_token, smooth

BEGINNING = 8  # points before anything is called a change

KL_NATS = 20.0
KL_NATS_PER_TOKEN = 1.0
NEGATIVE_KL = -1.0
ENTROPY_LEFT = 0.2
RATIO_ERROR = {"trainer": 1e-3, "sampler": 0.05}
CLIPPED = 0.3
LENGTH_FACTOR = 2.0
VALUE_FACTOR = 10.0
STANDARD_ERRORS = 2.0
# Curves of a judgement that the policy is not trained on.
HELD_OUT = ("judge/", "held_out/", "gold/", "val/reward", "eval/reward", "val/win_rate", "eval/win_rate")


def held_out_falls(curves: Curves, spec: Mapping[str, Any], pulse: Pulse) -> Finding | None:
    """The reward that is trained on rises while one that is not falls, by more than the noise of its measurements."""
    reward = curves.get("objective/scores")
    if reward is None:
        return None
    for name in curves:
        if not name.startswith(HELD_OUT):
            continue
        steps, values = finite(curves[name])
        if len(values) < 6:
            continue
        thirds = np.array_split(np.arange(len(values)), 3)
        best, last = max(thirds[:2], key=lambda third: values[third].mean()), thirds[2]
        error = np.sqrt(values[best].var(ddof=1) / len(best) + values[last].var(ddof=1) / len(last))
        fell = values[best].mean() - values[last].mean()
        rose = mean_between(reward, steps[last]) - mean_between(reward, steps[best])
        if fell > STANDARD_ERRORS * error and fell > 0 and rose > 0:
            return Finding(
                "held_out_falls",
                "Reward rises, judgement falls",
                f"{name} fell from {values[best].mean():.3g} to {values[last].mean():.3g} "
                f"({fell / error if error else float('inf'):.1f} standard errors) while objective/scores rose by "
                f"{rose:.3g}.",
                int(steps[best[-1]]),
                name,
                "The policy exploits the reward model. Take a checkpoint from before, or collect comparisons of what "
                "it writes now and train the reward model on them.",
                "Gao et al. 2023, figure 1; Stiennon et al. 2020, figure 5",
            )
    return None


def kl_runaway(curves: Curves, spec: Mapping[str, Any], pulse: Pulse) -> Finding | None:
    """Far from the reference and still leaving it, or so far that the reference would say none of it.

    20 nats is over three times the target of 6 that Ziegler et al. held. Long answers may rightly cost that much,
    so it has to have doubled in the last third of the run as well; or a nat per token: the reference gives each token
    1/e of the probability that the policy does.
    """
    kl = smooth(curves, "objective/kl")
    if kl is None:
        return None
    steps, values = kl
    before = values[np.maximum(0, np.arange(len(values)) * 2 // 3)]
    flags = (values > KL_NATS) & (values > 2 * before)
    by_token = per_token(curves, steps, values)
    if by_token is not None:
        flags |= (by_token > KL_NATS_PER_TOKEN) & (values > KL_NATS / 2)
    start = lasting(flags)
    if start is None:
        return None
    share = f" ({by_token[-1]:.2g} per token)" if by_token is not None else ""
    return Finding(
        "kl_runaway",
        "KL runs away",
        f"objective/kl is {values[-1]:.3g} nats per episode{share}, {values[start]:.3g} at step {steps[start]:,}.",
        int(steps[start]),
        "objective/kl",
        "Read the samples: the reward model is probably being exploited. Stop it; try again with a larger kl_coef, "
        "kl_controller adaptive, or fewer episodes.",
        "Ziegler et al. 2019 (target 6 nats); Gao et al. 2023 (reward against KL)",
    )


def negative_kl(curves: Curves, spec: Mapping[str, Any], pulse: Pulse) -> Finding | None:
    """A mean of log-ratios over samples of the policy is about 0 or more; below, the samples are not the policy's."""
    kl = smooth(curves, "objective/kl")
    start = None if kl is None else lasting(kl[1] < NEGATIVE_KL)
    if kl is None or start is None:
        return None
    return Finding(
        "negative_kl",
        "KL is negative",
        f"objective/kl is {kl[1][-1]:.3g} nats per episode, below {NEGATIVE_KL:g} since step {kl[0][start]:,}.",
        int(kl[0][start]),
        "objective/kl",
        "The texts are drawn from another distribution than the log-probabilities are of: check temperature, top-p "
        "and the tokens after the end.",
        "TRL issues 925 and 1005",
    )


def entropy_collapse(curves: Curves, spec: Mapping[str, Any], pulse: Pulse) -> Finding | None:
    """Per token, so that shorter answers do not count. To fall by half is healthy; to a fifth is one answer to all."""
    entropy = smooth(curves, "objective/entropy")
    if entropy is None:
        return None
    steps, values = entropy
    by_token = per_token(curves, steps, values)
    values = values if by_token is None else by_token
    start = lasting(values < ENTROPY_LEFT * at_first(values)) if len(values) >= BEGINNING else None
    if start is None:
        return None
    unit = "per episode" if by_token is None else "per token"
    return Finding(
        "entropy_collapse",
        "Entropy collapses",
        f"Entropy is {values[-1]:.2g} nats {unit}, {values[-1] / at_first(values):.0%} of what it began with; "
        f"below {ENTROPY_LEFT:.0%} since step {steps[start]:,}.",
        int(steps[start]),
        "objective/entropy",
        "Read the samples: are the answers all alike? Try again with a larger kl_coef or a lower learning rate.",
        "Ouyang et al. 2022, appendix C.4 (temperature 1, KL penalty)",
    )


def first_ratio(curves: Curves, spec: Mapping[str, Any], pulse: Pulse) -> Finding | None:
    """Before the first optimizer step of an iteration the policy is the one that was sampled from: the ratio is 1."""
    curve = curves.get("policy/first_ratio_error")
    if curve is None:
        return None
    exact = spec.get("old_logprobs", "trainer") == "trainer" and spec.get("precision", "fp32") == "fp32"
    bound = RATIO_ERROR["trainer" if exact else "sampler"]
    wrong = np.flatnonzero(curve.values > bound)
    if not len(wrong):
        return None
    step = int(curve.steps[wrong[0]])
    return Finding(
        "first_ratio",
        "The first ratio is not 1",
        f"Before the first update of step {step:,} the ratio is off by {curve.values[wrong[0]]:.2g} on average "
        f"(at most {bound:g} is rounding), in {len(wrong):,} of {len(curve.values):,} steps.",
        step,
        "policy/first_ratio_error",
        "Old and new log-probabilities are computed differently: dropout, precision, padding or temperature.",
        "Huang et al. 2024 (N+ details): ratio 1 and approxkl 0 on the first minibatch; verl issue 6280",
    )


def value_error(curves: Curves, spec: Mapping[str, Any], pulse: Pulse) -> Finding | None:
    """Ten times its best, and worse than a constant where explained variance is measured: rewards change scale too."""
    loss = smooth(curves, "loss/value_avg")
    if loss is None or len(loss[1]) < BEGINNING:
        return None
    steps, values = loss
    flags = values > VALUE_FACTOR * np.fmin.accumulate(values)
    explained = smooth(curves, "value/explained_variance")
    if explained is not None:
        flags &= np.interp(steps, explained[0], explained[1]) < 0
    start = lasting(flags)
    if start is None:
        return None
    return Finding(
        "value_error",
        "The value model loses track",
        f"loss/value_avg is {values[-1]:.3g}, {values[-1] / np.fmin.reduce(values):,.0f} times its best; since step "
        f"{steps[start]:,}.",
        int(steps[start]),
        "loss/value_avg",
        "Lower value_lr, or give it value_pretrain_iterations; look whether the rewards have outliers.",
        "Huang et al. 2024 (N+ details), value loss and explained variance",
    )


def clip_fraction(curves: Curves, spec: Mapping[str, Any], pulse: Pulse) -> Finding | None:
    """Clipped tokens have no gradient. 0.3 is far above the 0.02 or so of the reference logs."""
    clipped = smooth(curves, "policy/clipfrac_avg")
    start = None if clipped is None else lasting(clipped[1] > CLIPPED)
    if clipped is None or start is None:
        return None
    return Finding(
        "clip_fraction",
        "Too much is clipped",
        f"{clipped[1][-1]:.0%} of the tokens are clipped, more than {CLIPPED:.0%} since step {clipped[0][start]:,}.",
        int(clipped[0][start]),
        "policy/clipfrac_avg",
        "The steps are too large: a lower lr, fewer num_ppo_epochs or a larger minibatch_size.",
        "Schulman et al. 2017, section 3; Huang et al. 2024 (N+ details): 0.005 and 0.02 after two epochs",
    )


def length_drift(curves: Curves, spec: Mapping[str, Any], pulse: Pulse) -> Finding | None:
    """Reward models like length. Twice or half of what it was is a change of style, not of substance."""
    length = smooth(curves, "val/response_length")
    if length is None or len(length[1]) < BEGINNING:
        return None
    steps, values = length
    first = at_first(values)
    for flags, word in ((values > LENGTH_FACTOR * first, "longer"), (values * LENGTH_FACTOR < first, "shorter")):
        start = lasting(flags)
        if start is not None:
            return Finding(
                "length_drift",
                f"Answers grow {word}",
                f"A response has {values[-1]:.3g} tokens on average, {first:.3g} in the beginning; {word} by more "
                f"than {LENGTH_FACTOR:g} times since step {steps[start]:,}.",
                int(steps[start]),
                "val/response_length",
                "Compare samples of both lengths. Look at the reward model's accuracy by length before going on.",
                "Singhal et al. 2023 (length correlations in RLHF)",
            )
    return None


RULES: tuple[Rule, ...] = (
    held_out_falls,
    kl_runaway,
    negative_kl,
    entropy_collapse,
    first_ratio,
    value_error,
    clip_fraction,
    length_drift,
)
