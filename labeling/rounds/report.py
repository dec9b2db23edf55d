"""What a round has shown so far, as plain values: the round page, the demo's table and report.json read it."""

from typing import Any, TypedDict

from labeling.evaluation import report
from labeling.evaluation.agreement import agreement
from labeling.evaluation.bootstrap import Estimate
from labeling.evaluation.win_rates import Judgement, win_rate
from labeling.queue.models import WorkItem
from labeling.rounds.models import Round, Stage
from labeling.rounds.plan import POLICIES

PAIRS = [("sft", "base"), ("ppo", "sft"), ("ppo_ptx", "sft"), ("ppo_ptx", "ppo"), ("ppo_ptx", "base")]


class WinRate(TypedDict):
    policy: str
    other: str
    rate: float
    low: float
    high: float
    prompts: int


class Share(TypedDict):
    rate: float
    low: float
    high: float
    items: int


class RoundReport(TypedDict):
    seconds: dict[str, float]  # per stage, from its start to its end
    win_rates: list[WinRate]
    reward_model: dict[str, Any]
    agreement: dict[str, Share]  # per stage of people's ranking
    lm_loss: dict[str, float]  # per policy, nats per token of held-out pretraining text
    alignment_tax: dict[str, float]  # lm_loss above the base policy's
    kl: dict[str, float]  # per policy, nats per completion from the SFT policy
    open_items: int  # rankings of the new policy's samples that are still wanted


def of_round(round: Round) -> RoundReport:
    stages = {stage.name: stage for stage in round.stages.select_related("batch", "run")}
    done = {name: stage for name, stage in stages.items() if stage.state == Stage.State.DONE}
    measured = {policy: done[f"evaluate_{policy}"].result for policy in POLICIES if f"evaluate_{policy}" in done}
    losses = {policy: result["lm_loss"] for policy, result in measured.items() if "lm_loss" in result}
    return RoundReport(
        seconds={name: _seconds(stage) for name, stage in done.items()},
        win_rates=_win_rates(stages),
        reward_model=done["reward_model"].result if "reward_model" in done else {},
        agreement=_agreement(stages),
        lm_loss=losses,
        alignment_tax={policy: loss - losses["base"] for policy, loss in losses.items() if "base" in losses},
        kl={policy: result["kl"] for policy, result in measured.items() if "kl" in result},
        open_items=_open_items(stages.get("requeue")),
    )


def judged(stages: dict[str, Stage]) -> list[Judgement]:
    """The final judgement's rankings as places of the policies; empty before it is opened."""
    batch = stages["judge"].batch
    sampled = {policy: stages[f"sample_{policy}"].run for policy in POLICIES}
    if batch is None:
        return []
    return report.judgements(batch, {run.pk: policy for policy, run in sampled.items() if run})


def _win_rates(stages: dict[str, Stage]) -> list[WinRate]:
    judgements = judged(stages)
    if not judgements:
        return []
    found = [(policy, other, win_rate(judgements, policy, other)) for policy, other in PAIRS]
    return [
        WinRate(policy=policy, other=other, rate=won.rate, low=won.low, high=won.high, prompts=won.clusters)
        for policy, other, won in found
    ]


def _agreement(stages: dict[str, Stage]) -> dict[str, Share]:
    batches = {name: stages[name].batch for name in ("rank", "judge")}
    found = {name: agreement(report.overlaps(batch)) for name, batch in batches.items() if batch}
    return {name: _share(estimate) for name, estimate in found.items() if estimate}


def _share(estimate: Estimate) -> Share:
    return Share(rate=estimate.rate, low=estimate.low, high=estimate.high, items=estimate.clusters)


def _open_items(stage: Stage | None) -> int:
    if stage is None or stage.batch is None:
        return 0
    return WorkItem.objects.filter(batch=stage.batch, is_open=True).count()


def _seconds(stage: Stage) -> float:
    if stage.started_at is None or stage.finished_at is None:
        return 0.0
    return round((stage.finished_at - stage.started_at).total_seconds(), 1)
