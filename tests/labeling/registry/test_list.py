"""The list: what each checkpoint is, what was measured of it, and what people said of it."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from labeling.models import Cohort, Completion, Kind, Purpose, Round, Stage, User
from labeling.queue import dispatch
from labeling.registry import measures
from tests.labeling.agreement.overlap import rank
from tests.labeling.registry.conftest import History, finish, made, run_of
from tests.people import make_labeler
from tests.work import make_batch, make_prompts
from training.models import Checkpoint

pytestmark = pytest.mark.django_db


def shown(client: Client, query: str = "") -> str:
    return client.get(reverse("checkpoint-list") + query).content.decode()


def test_filters_and_search(rosa: Client, history: History) -> None:
    whole = shown(rosa)
    assert "Validation accuracy" in whole
    assert "0.750" in whole
    assert "1000" not in whole
    assert "1,002" in whole or "1002" in whole or "1002 bytes" in whole
    only = shown(rosa, "?kind=reward_model")
    assert reverse("checkpoint-detail", args=[history.reward_model.pk]) in only
    assert reverse("checkpoint-detail", args=[history.ppo.pk]) not in only
    assert reverse("checkpoint-detail", args=[history.ppo.pk]) in shown(rosa, "?q=PPO")
    assert "No checkpoint is like that" in shown(rosa, "?q=nothing+of+the+kind")
    assert rosa.get(reverse("checkpoint-list") + "?q=%00&kind=nonsense&page=x").status_code == 200


def test_a_long_list_takes_no_more_queries(rosa: Client, history: History) -> None:
    with CaptureQueriesContext(connection) as few:
        shown(rosa)
    for number in range(10):
        made(run_of("sft", f"another {number}"))
    with CaptureQueriesContext(connection) as many:
        shown(rosa)
    assert len(many) <= len(few)


def judge(history: History, researcher: User, orders: list[list[int]]) -> Stage:
    """A held-out labeler orders one answer each of PPO, SFT, the base and another policy, for each prompt."""
    prompts = make_prompts(len(orders), start=50)
    batch = make_batch(Kind.RANK, Cohort.HELD_OUT, Purpose.EVALUATION)
    samples: dict[str, list[Any]] = {}
    other = made(run_of("sft", "other"))
    for name, policy in (("ppo", history.ppo), ("sft", history.sft), ("base", history.base), ("other", other)):
        run = finish(run_of("sample", f"judged {name}", {}, {"policy": policy}))
        rows = [
            Completion(prompt=prompt, run=run, checkpoint=policy, sample=0, text=f"{name} {at}", finished=True)
            for at, prompt in enumerate(prompts)
        ]
        samples[name] = Completion.objects.bulk_create(rows)
    answers = zip(*samples.values(), strict=True)
    dispatch.add_ranking_items(batch, list(zip(prompts, map(list, answers), strict=True)))
    round_ = Round.objects.create(name="r", settings={}, created_by=researcher)
    stage = Stage.objects.create(round=round_, name="judge", position=1, batch=batch, state="running")
    judge_ = make_labeler("judy", Cohort.HELD_OUT)
    for order in orders:
        rank(judge_, order)
    return stage


def test_win_rates_come_once_the_judgement_is_done(history: History, researcher: User) -> None:
    stage = judge(history, researcher, [[1, 2, 3, 4], [1, 2, 3, 3], [1, 1, 2, 3], [2, 1, 4, 3]])

    def of(row: Checkpoint) -> dict[str, float]:
        return {one.name: one.value for one in measures.of([row])[row.pk] if one.name.startswith("Preferred")}

    assert of(history.ppo) == {}  # a win rate that is watched while it is made would sway
    Stage.objects.filter(pk=stage.pk).update(state="done")
    # Of PPO and SFT: two wins, one tie (a half each) and one loss of four.
    assert of(history.ppo) == {"Preferred to sft": 0.625, "Preferred to base": 1.0, "Preferred to other": 1.0}
    assert of(history.sft)["Preferred to ppo"] == 0.375
    assert of(history.base)["Preferred to other"] == (1 + 0.5 + 1 + 0) / 4
    assert of(history.reward_model) == {}
