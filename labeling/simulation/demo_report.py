"""The demonstration's result: one object for report.json, and tables for the terminal.

Preference alone cannot tell a win of style from one of skill. The miniature world knows what is right, so the share
of exact answers, which no labeler and no reward model ever sees, stands beside the win rates.
"""

import platform
import statistics
from typing import Any

from rich.console import Console, Group
from rich.table import Table

from labeling.evaluation.bootstrap import cluster_mean
from labeling.rounds import recipes, report
from labeling.rounds.models import Round
from labeling.rounds.plan import POLICIES
from labeling.simulation.sizes import Size
from labeling.simulation.world import judge

SHOWN = {"base": "base", "sft": "SFT", "ppo": "PPO", "ppo_ptx": "PPO-ptx"}


def of_demo(round: Round, size: Size) -> dict[str, Any]:
    """Everything that the round measured, and what the world knows about it. For a round that is done."""
    assert round.finished_at is not None
    found = report.of_round(round)
    gate = round.stages.get(name="gate")
    return {
        "size": size.name,
        "seed": round.seed,
        "total_seconds": _round((round.finished_at - round.created_at).total_seconds(), 1),
        "reward_model_accuracy": found["reward_model"].get("valid_accuracy"),
        **_rounded(found),
        "skill": {policy: _skill(round, policy) for policy in POLICIES},
        "gate": {"passed": not gate.note, "note": gate.note, **gate.result},
        "machine": {"processor": platform.machine(), "system": platform.system(), "python": platform.python_version()},
    }


def tables(found: dict[str, Any]) -> Group:
    """The report as tables for a terminal of 100 columns."""
    return Group(_policies(found), "", _win_rates(found), "", _labels(found), "", _seconds(found))


def show(found: dict[str, Any], console: Console) -> None:
    console.print()
    console.print(tables(found))


def _skill(round: Round, policy: str) -> dict[str, float | int]:
    """Of the completions of test prompts that were judged: exact answers with a 95 % interval, and the gold utility."""
    verdicts = [judge(row.prompt.text, row.text) for row in recipes.samples(round, f"sample_{policy}")]
    exact = cluster_mean([float(verdict.exact) for verdict in verdicts], [1.0] * len(verdicts))
    return {
        "exact": _round(exact.rate),
        "exact_low": _round(exact.low),
        "exact_high": _round(exact.high),
        "follow": _round(statistics.fmean(verdict.follow for verdict in verdicts)),
        "gold_utility": _round(statistics.fmean(verdict.total for verdict in verdicts)),
        "completions": len(verdicts),
    }


def _policies(found: dict[str, Any]) -> Table:
    table = Table(title="The four policies on sealed test prompts", title_justify="left", title_style="bold")
    for position, name in enumerate(("Policy", "Exact answers", "Gold", "LM loss", "Alignment tax", "KL to SFT")):
        table.add_column(name, justify="right" if position else "left", no_wrap=True)
    table.caption = (
        "Exact answers: share, 95 % interval. Loss, tax and KL in nats; per token, per token, per completion."
    )
    table.caption_justify = "left"
    for policy in POLICIES:
        skill = found["skill"][policy]
        tax = found["alignment_tax"].get(policy)
        kl = found["kl"].get(policy)
        table.add_row(
            SHOWN[policy],
            f"{skill['exact']:.3f} [{skill['exact_low']:.3f}, {skill['exact_high']:.3f}]",
            f"{skill['gold_utility']:.2f}",
            f"{found['lm_loss'][policy]:.3f}",
            "" if tax is None or policy == "base" else f"{tax:+.3f}",
            "" if kl is None else f"{kl:.2f}",
        )
    return table


def _win_rates(found: dict[str, Any]) -> Table:
    title = "How often held-out labelers preferred the first, blind"
    table = Table(title=title, title_justify="left", title_style="bold")
    for position, name in enumerate(("Policies", "Win rate", "95 % interval", "Prompts", "")):
        table.add_column(name, justify="right" if position in (1, 2, 3) else "left", no_wrap=True)
    for row in found["win_rates"]:
        verdict = "preferred" if row["low"] > 0.5 else "not preferred" if row["high"] < 0.5 else "undecided"
        table.add_row(
            f"{SHOWN[row['policy']]} against {SHOWN[row['other']]}",
            f"{row['rate']:.3f}",
            f"[{row['low']:.3f}, {row['high']:.3f}]",
            str(row["prompts"]),
            verdict,
        )
    return table


def _labels(found: dict[str, Any]) -> Table:
    table = Table(title="Labels and the reward model", title_justify="left", title_style="bold", show_header=False)
    model = found["reward_model"]
    agreement = found["agreement"].get("rank")
    rows = [
        ("Comparisons for the reward model", f"{model['comparisons']}"),
        ("Its accuracy on held-out rankings", f"{model['valid_accuracy']:.3f}"),
        ("Its best of K against a random one", _interval(model, "best_of_n_win_rate")),
        ("Gate before PPO", "passed" if found["gate"]["passed"] else "held; it was let go on all the same"),
        ("Open ranking items made from PPO-ptx", f"{found['open_items']}"),
    ]
    if agreement:
        shown = f"{agreement['rate']:.3f} [{agreement['low']:.3f}, {agreement['high']:.3f}]"
        rows.insert(1, ("Two labelers order a pair alike", shown))
    for name, value in rows:
        table.add_row(name, value)
    return table


def _seconds(found: dict[str, Any]) -> Table:
    table = Table(title="Seconds per stage", title_justify="left", title_style="bold")
    table.add_column("Stage")
    table.add_column("Seconds", justify="right")
    for name, seconds in found["seconds"].items():
        table.add_row(name, f"{seconds:.1f}")
    table.add_section()
    table.add_row("whole round", f"{found['total_seconds']:.1f}")
    return table


def _interval(values: dict[str, Any], name: str) -> str:
    return f"{values[name]:.3f} [{values[f'{name}_low']:.3f}, {values[f'{name}_high']:.3f}]"


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return _round(value) if isinstance(value, float) else value


def _round(value: float, digits: int = 4) -> float:
    return round(value, digits)
