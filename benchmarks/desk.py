"""What researchers have done in the project of benchmarks.ten_rounds, beside its rounds.

Judgements of the newest policies, every reward model held against the labelers and some of its contradictions decided,
policies promoted, prompts tried, and the events of each round.
"""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import F
from django.utils import timezone

from benchmarks import labels
from benchmarks.one_round import JUDGES
from benchmarks.run_folders import ANSWER, QUESTION
from labeling.exports.models import Export
from labeling.judging.models import Drawing, JudgedPolicy
from labeling.models import Cohort, Completion, Judgement, Kind, Purpose, Round, RoundEvent, Split, Stage, Try, Verdict
from labeling.queue import dispatch
from labeling.registry import contents
from labeling.registry.models import Promotion
from labeling.reward_models import contradictions, scored, verdicts
from training import storage
from training.models import Checkpoint, Dataset, Run

if TYPE_CHECKING:
    from benchmarks.ten_rounds import Filling

POLICIES = 4  # in a judgement
VERDICTS = 25
What = RoundEvent.What


def fill(filling: Filling) -> None:
    """To be called when all rounds are there."""
    rng = random.Random(0)
    for round_ in Round.objects.order_by("pk"):
        _events(round_)
    policies = list(Checkpoint.objects.filter(kind=Checkpoint.Kind.POLICY, run__stage__name__in=("sft", "ppo_ptx")))
    policies = sorted(policies, key=lambda policy: -policy.pk)[:POLICIES]
    for name, state in (("First against last", Judgement.State.DONE), ("Under way", Judgement.State.RUNNING)):
        _judgement(filling, rng, name, state, policies)
    for model in Checkpoint.objects.filter(run__stage__name="reward_model").order_by("pk"):
        _score(filling, rng, model)
    _verdicts(filling, model)
    _promotions(filling)
    for number in range(2):
        _try(filling, number, policies[:2])
    _failed(filling)
    contents.read_missing()


def _events(round_: Round) -> None:
    """As the doors would have written them; half of the rounds stood still for a while."""
    who = round_.created_by
    told: list[tuple[Any, What, str, Any]] = [(round_.created_at, What.OPENED, "", who)]
    for stage in round_.stages.exclude(state=Stage.State.PENDING):
        told.append((stage.started_at, What.STARTED, stage.name, None))
        if stage.finished_at:
            told.append((stage.finished_at, What.FINISHED, stage.name, None))
    if round_.pk % 2:
        told += [(told[-1][0], what, "", who) for what in (What.PAUSED, What.RESUMED)]
    if round_.finished_at:
        told.append((round_.finished_at, What.DONE, "", None))
    RoundEvent.objects.bulk_create(
        RoundEvent(round=round_, at=at, what=what, stage=stage, who=by) for at, what, stage, by in told
    )


def _judgement(
    filling: Filling, rng: random.Random, name: str, state: Judgement.State, policies: list[Checkpoint]
) -> None:
    """All test prompts, an answer of each policy; of one under way a third is not judged yet."""
    guideline, prompts = filling.guidelines[Purpose.EVALUATION], filling.prompts[Split.TEST]
    is_done, now = state == Judgement.State.DONE, timezone.now()
    batch = dispatch.open_batch(
        name=f"{name}: judgement", kind=Kind.RANK, purpose=Purpose.EVALUATION, cohort=Cohort.HELD_OUT,
        guideline=guideline,
    )  # fmt: skip
    judgement = Judgement.objects.create(
        name=name, state=state, split=Split.TEST, judges=JUDGES, cohort=Cohort.HELD_OUT, guideline=guideline, spec={},
        shown_from=50, batch=batch, created_by=filling.researcher, finished_at=now if is_done else None,
    )  # fmt: skip
    JudgedPolicy.objects.bulk_create(
        JudgedPolicy(judgement=judgement, checkpoint=policy, name=policy.name, position=position)
        for position, policy in enumerate(policies)
    )
    roles = {f"policy_{at + 1}" if at else "policy": policy for at, policy in enumerate(policies)}
    run = filling.run("sample", f"{name}: samples", 1, {}, {"prompts": _one("prompts")}, roles)
    Drawing.objects.create(judgement=judgement, run=run, prompts=len(prompts), taken_in_at=now)
    made = Completion.objects.bulk_create(
        (
            Completion(
                prompt=prompt, run=run, checkpoint=policy, sample=sample, finished=True, text=f"{sample}. {4 * ANSWER}"
            )
            for prompt in prompts
            for sample, policy in enumerate(policies)
        ),
        batch_size=5000,
    )
    each = len(policies)
    groups: labels.Groups = [(prompt, made[at * each : (at + 1) * each]) for at, prompt in enumerate(prompts)]
    people = labels.People(filling.people[Cohort.HELD_OUT], rng, now)
    labels.rank(batch, groups, JUDGES, people, open_ones=0 if is_done else len(groups) // 3)


def _failed(filling: Filling) -> None:
    run = filling.run("sft", "One that failed", 1, {}, {"demonstrations": _one("demonstrations")}, {})
    Run.objects.filter(pk=run.pk).update(state=Run.State.FAILED, error="The loss is not a number.", result=None)


def _one(kind: str) -> Dataset:
    return Dataset.objects.filter(kind=kind).order_by("-pk")[:1].get()


def _score(filling: Filling, rng: random.Random, model: Checkpoint) -> None:
    """A run that has scored whatever labelers ranked of held-out prompts."""
    ranked = Completion.objects.filter(places__ranking__in=scored.held_out_rankings()).order_by("pk").distinct()
    rows = [
        {
            "prompt_id": str(one.prompt_id), "prompt": QUESTION, "sample": one.sample, "completion": one.text,
            "finished": True, "token_ids": [], "logprobs": [], "use_case": one.use_case, "completion_id": one.pk,
        }
        for one in ranked.annotate(use_case=F("prompt__use_case"))
    ]  # fmt: skip
    kept = storage.keep_rows("completions", rows)
    dataset, _ = Dataset.objects.get_or_create(
        kind="completions", sha256=kept.sha256, defaults={"path": kept.path, "rows": kept.rows}
    )
    Export.objects.create(dataset=dataset, filters={"rankings_of_held_out_prompts": True, "checkpoint": model.pk})
    run = filling.run(
        "score", f"Rankings scored by {model}"[:100], 1, {}, {"completions": dataset}, {"reward_model": model}
    )
    said = (
        {**row, "head_rewards": [value], "reward": value, "spread": 0.0} for row in rows for value in [rng.gauss(0, 1)]
    )
    _samples(run, said)


def _verdicts(filling: Filling, model: Checkpoint) -> None:
    """What one researcher said of the contradictions that come first in the list."""
    scores = scored.read(model)
    assert scores is not None, "it was scored just now"
    words = [word for word in Verdict.Word.values if word != Verdict.Word.OPEN]
    for number, one in enumerate(contradictions.contradictions(scores.scored)[:VERDICTS]):
        verdicts.say(filling.researcher, model, one, words[number % len(words)], base=0)


def _promotions(filling: Filling) -> None:
    """Each round's policy served until the next one's did."""
    policies = list(Checkpoint.objects.filter(run__stage__name="ppo_ptx").order_by("pk"))
    start = timezone.now() - timedelta(days=7 * len(policies))
    for number, policy in enumerate(policies):
        is_last, ends = number == len(policies) - 1, start + timedelta(days=7 * (number + 1))
        Promotion.objects.create(
            checkpoint=policy, by=filling.researcher, at=start + timedelta(days=7 * number), why="Judged best.",
            ended_by=None if is_last else filling.researcher, ended_at=None if is_last else ends,
        )  # fmt: skip


def _try(filling: Filling, number: int, policies: list[Checkpoint]) -> None:
    roles = dict(zip(("policy", "policy_2"), policies, strict=False))
    run = filling.run("sample", f"Playground: {QUESTION}", number, {}, {"prompts": _one("prompts")}, roles)
    Run.objects.filter(pk=run.pk).update(queue=Run.Queue.PLAYGROUND)
    row = {"prompt_id": "p", "prompt": QUESTION, "finished": True, "token_ids": [], "logprobs": [], "use_case": "other"}
    _samples(run, ({**row, "policy": role, "sample": at, "completion": ANSWER} for at, role in enumerate(roles)))
    Try.objects.create(by=filling.researcher, run=run, prompt=QUESTION, blind=number % 2 == 1)


def _samples(run: Run, rows: Any) -> None:
    path = storage.run_folder(run.pk) / "samples.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
