"""`make screenshots`: the pages of docs/researcher-guide.md, of small projects made here. Not a part of the suite."""

import math
import random
import time
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from labeling.judging import advance as judging
from labeling.models import Cohort, Kind, User
from labeling.queue import dispatch
from labeling.rankings.cards import cards
from labeling.rankings.remarks import Remarks
from labeling.rankings.submit import submit
from labeling.registry import playground, serving
from labeling.reward_models import scoring
from tests.browser.photograph import (  # noqa: F401 (fixtures)
    QUESTIONS,
    Look,
    artifacts,
    photographer,
    scroll_to,
    take_in_prompts,
)
from tests.browser.test_figures import judged, lines  # noqa: F401 (fixtures)
from tests.browser.test_registry import answered
from tests.browser.test_runs import add, run_with
from tests.labeling.agreement.overlap import rank
from tests.labeling.figures.world import prompts
from tests.labeling.judging.conftest import end_sampling, make_policies, wish
from tests.labeling.judging.conftest import open_judgement as open_it
from tests.labeling.registry.conftest import make_history
from tests.labeling.reward_models.conftest import TEXTS
from tests.labeling.reward_models.conftest import finish as finish_scoring
from tests.people import make_labeler
from tests.work import make_batch, make_completions, make_sampling_run
from training.models import Checkpoint, Run
from training.runs.health import look

pytestmark = pytest.mark.browser


def ppo_rows(kl_coef: float, steps: int, seed: int, pull: float = 1.0) -> list[dict[str, Any]]:
    """Metrics by the names of training/recipes/ppo.py; `pull` lets KL run away."""
    rng, rows = random.Random(seed), []
    for step in range(1, steps + 1):
        done = step / 256
        kl = pull * 9 * done**1.2 * (0.02 / kl_coef) ** 0.5 * (1 + max(0.0, done - 0.45) * 4 * (pull > 1))
        score = -0.4 + 1.9 * (1 - math.exp(-3 * done))
        length, entropy = 46 + 14 * done, 62 - 21 * done
        rows.append({
            "step": step, "time": time.time() - 21.0 * (steps - step), "episode": 512.0 * step,
            "lr": 9e-6 * (1 - 0.9 * done),
            "objective/kl": kl + rng.gauss(0, 0.25), "objective/scores": score + rng.gauss(0, 0.06),
            "objective/entropy": entropy + rng.gauss(0, 1), "objective/kl_coef": kl_coef,
            "objective/non_score_reward": -kl_coef * kl, "objective/rlhf_reward": score - kl_coef * kl,
            "val/response_length": length + rng.gauss(0, 1.2), "policy/clipfrac_avg": 0.02 + abs(rng.gauss(0, 0.004)),
            "policy/approxkl_avg": 0.004 + abs(rng.gauss(0, 0.001)), "policy/grad_norm": 0.6 + abs(rng.gauss(0, 0.1)),
            "loss/policy_avg": -0.01 + rng.gauss(0, 0.004), "loss/value_avg": 0.5 * math.exp(-3 * done) + 0.06,
            "value/explained_variance": 0.7 * (1 - math.exp(-5 * done)), "policy/first_ratio_error": 1e-6,
        })  # fmt: skip
    return rows


def test_a_live_run_with_a_warning(photograph: Look) -> None:
    run = run_with(ppo_rows(0.01, 170, 3, pull=1.8), name="PPO, kl_coef 0.01", state=Run.State.RUNNING)
    Run.objects.filter(pk=run.pk).update(
        spec={"kl_coef": 0.01, "batch_size": 512, "total_episodes": 131_072}, step=170, total=256, unit="iteration",
        phase="training", eta_seconds=1800, started_at=timezone.now() - timedelta(hours=1), attempts=1,
    )  # fmt: skip
    shown = [
        {"step": 170, "prompt": QUESTIONS[0], "completion": "Rivers carry salt from rocks to the sea.", "score": 1.31},
        {"step": 170, "prompt": QUESTIONS[5], "completion": "Great! First: clean. Great! Second: cook.", "score": 1.74},
    ]
    add(run, shown, "samples.jsonl")
    run.refresh_from_db()
    look(run, is_running=True)
    address = reverse("run-detail", args=[run.pk])
    photograph(address, "run", height=1500)


def test_runs_over_each_other(photograph: Look) -> None:
    runs = []
    for at, kl_coef in enumerate((0.01, 0.02, 0.05)):
        rows = ppo_rows(kl_coef, 256, at)
        result = {"kl": round(rows[-1]["objective/kl"], 2), "score": round(rows[-1]["objective/scores"], 3)}
        runs.append(
            run_with(
                rows,
                name=f"PPO, kl_coef {kl_coef}",
                spec={"kl_coef": kl_coef, "lr": 9e-6},
                result=result,
                step=256,
                total=256,
            )
        )
    address = reverse("run-compare") + "?" + "&".join(f"run={run.pk}" for run in runs)
    photograph(address, "runs-compared", height=1400)


# ── Checkpoints ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_checkpoint_and_the_playground(photograph: Look, researcher: User) -> None:
    history = make_history()
    serving.promote(history.ppo, researcher, "It won 61 % against SFT, 57 to 65.", None)
    photograph(reverse("checkpoint-detail", args=[history.ppo.pk]), "checkpoint", height=1300)
    photograph(reverse("checkpoint-card", args=[history.ppo.pk]), "checkpoint-card", widths=1)
    one = playground.start(researcher, "What is the sea?", [history.sft, history.ppo], playground.Settings())
    answered(one)
    photograph(reverse("playground-try", args=[one.pk]), "playground")


# ── Judgements ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_judgement(photograph: Look, researcher: User) -> None:
    """Four held-out labelers judge three policies on sixty prompts, two of them each prompt."""
    take_in_prompts(test=60)
    judges = [make_labeler(name, Cohort.HELD_OUT) for name in ("hana", "hugo", "hedi", "henk")]
    names = ["SFT", "PPO", "PPO-ptx"]
    policies = make_policies(*names)
    photograph(reverse("judgement-open"), "judgement-open", height=1250)
    judgement = open_it(wish(policies, name="PPO against SFT, second round", prompts=60, judges=2), researcher)
    end_sampling(judgement)
    judging.advance(judgement.pk)
    dice = random.Random(5)
    better = {"policy says so": 0.0, "policy_2 says so": 0.55, "policy_3 says so": 0.75}
    idle = 0
    while idle < len(judges):
        for labeler in judges:
            lease = dispatch.claim(labeler, Kind.RANK)
            idle = 0 if lease else idle + 1
            if lease:
                seen = {card.number: better[card.text] + dice.gauss(0, 0.8) for card in cards(lease)}
                order = sorted(seen, key=lambda number: -seen[number])
                ratings = {number: min(7, max(1, round(4.3 + seen[number]))) for number in seen}
                flags = {number: ["hallucination"] for number in seen if dice.random() < 0.2 - 0.1 * seen[number]}
                submit(labeler, lease.pk, {one: at for at, one in enumerate(order, 1)}, Remarks(ratings, flags))
    judging.advance(judgement.pk)
    photograph(reverse("judgement-detail", args=[judgement.pk]), "judgement", height=1500)


# ── Figures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_papers_figures_and_the_monitor(
    photograph: Look,
    judged: None,  # noqa: F811
    lines: list[dict[str, Checkpoint]],  # noqa: F811
) -> None:
    photograph(reverse("figures"), "figures", height=1300)
    far = Run.objects.filter(recipe="evaluate", parents__checkpoint__in=[line["ppo_ptx"] for line in lines])
    for run in far:
        Run.objects.filter(pk=run.pk).update(result={**(run.result or {}), "kl": 9.0})
    photograph(reverse("overoptimization", args=[lines[0]["ppo"].run_id]), "over-optimisation", height=1300)


def test_a_reward_model(
    photograph: Look,
    lines: list[dict[str, Checkpoint]],  # noqa: F811
) -> None:
    """Two labelers rank forty validation prompts; the model has some of their taste, and likes length."""
    rng, proxy = random.Random(2), lines[0]["proxy"]
    batch, run = make_batch(Kind.RANK, Cohort.HELD_OUT), make_sampling_run("to rank")
    asked = prompts(40, "valid")
    dispatch.add_ranking_items(batch, [(one, make_completions(run, one, TEXTS)) for one in asked], need=2)
    for person in (make_labeler("hana", Cohort.HELD_OUT), make_labeler("hugo", Cohort.HELD_OUT)):
        for _ in asked:
            utility = [rng.gauss(mean, 0.5) for mean in (0.0, 0.9, 0.35, 1.0)]
            order = sorted(range(4), key=lambda at: -utility[at])
            rank(person, [order.index(at) + 1 for at in range(4)])
    finish_scoring(
        scoring.score(proxy), lambda row: (len(row["completion"]) / 16 + rng.gauss(0, 0.5), 0.1 + 0.5 * rng.random())
    )
    address = reverse("reward-model", args=[proxy.pk])
    photograph(address, "reward-model", height=1300)
    photograph(address, "reward-model-biases", widths=1, before=scroll_to("#bias-title"))
    photograph(reverse("contradictions", args=[proxy.pk]), "contradictions")
