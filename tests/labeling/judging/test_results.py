"""What a judgement shows: figures that follow by hand from its rankings, on the page, as CSV and by the API."""

import csv
from io import StringIO

import pytest
from django.test import Client
from django.urls import reverse

from labeling.judging import advance
from labeling.judging.results import results
from labeling.judging.source import of_judgement
from labeling.models import Completion, Judgement, Kind, Labeler, Ranking, Stage, User
from labeling.queue import dispatch
from labeling.rankings.cards import cards
from labeling.rankings.remarks import Remarks
from labeling.rankings.submit import submit
from tests.labeling.judging.conftest import end_sampling, make_judgement

pytestmark = pytest.mark.django_db
SFT = "policy_2 says so"  # "base" is the first policy


def judge(labeler: Labeler, *verdicts: str, remarks: bool = False) -> None:
    """The next items, one verdict each: does sft win, tie or lose?"""
    for verdict in verdicts:
        lease = dispatch.claim(labeler, Kind.RANK)
        assert lease is not None
        number = {card.text: card.number for card in cards(lease)}
        places = {"win": (1, 2), "tie": (1, 1), "loss": (2, 1)}[verdict]
        sft, base = number[SFT], number["policy says so"]
        said = Remarks(ratings={sft: 6, base: 3}, flags={base: ["fails-task"]}) if remarks else Remarks()
        submit(labeler, lease.pk, {sft: places[0], base: places[1]}, said)


def judged(researcher: User, judges: list[Labeler], *, prompts: int = 8, alike: int = 0) -> Judgement:
    judgement = make_judgement(researcher, prompts=prompts)
    end_sampling(judgement, alike=alike)
    advance.advance(judgement.pk)
    judge(judges[0], "win", "win", "tie", remarks=True)
    judge(judges[1], "win", "loss", "win", remarks=True)
    for verdict in ["win", "loss"][: prompts - alike - 6]:
        judge(judges[0], verdict)
    advance.advance(judgement.pk)
    return Judgement.objects.get(pk=judgement.pk)


def test_the_figures_follow_from_the_rankings(researcher: User, judges: list[Labeler]) -> None:
    """5 wins, 1 tie, 2 losses: 5.5 of 8. Ratings 6 and 3, flags on all of base's that were remarked on."""
    judgement = judged(researcher, judges)
    assert judgement.state == "done"
    found = results(of_judgement(judgement))
    assert (found["rankings"], found["prompts"], found["labelers"], found["alike"]) == (8, 8, 2, 0)
    pair = next(pair for pair in found["pairs"] if pair["policy"] == "sft")
    assert pair["win"]["value"] == pytest.approx(5.5 / 8)
    assert pair["win"]["low"] < 5.5 / 8 < pair["win"]["high"]
    turned = next(pair for pair in found["pairs"] if pair["policy"] == "base")
    assert turned["win"]["value"] == pytest.approx(2.5 / 8)
    assert turned["win"]["low"] == pytest.approx(1 - pair["win"]["high"])
    assert (pair["rating"]["value"], pair["rating"]["labels"]) == (3, 6)
    assert pair["flags"]["fails-task"]["value"] == pytest.approx(-6 / 8)
    by = {policy["policy"]: policy for policy in found["policies"]}
    assert (by["sft"]["rating"]["value"], by["base"]["rating"]["value"]) == (6, 3)
    assert by["base"]["flags"]["fails-task"]["value"] == pytest.approx(6 / 8)
    alone = {part["value"]: part["wins"]["sft"]["value"] for part in found["by_labeler"]}
    assert alone[judges[1].pseudonym] == pytest.approx(2 / 3)
    assert found["use_cases"][0]["is_small"]


def test_prompts_on_which_all_said_the_same_are_ties(researcher: User, judges: list[Labeler]) -> None:
    """4 wins, 1 tie and 1 loss of six judged, and two alike: (4 + .5 + 2 · .5) / 8."""
    judgement = judged(researcher, judges, alike=2)
    found = results(of_judgement(judgement))
    assert (found["alike"], found["rankings"], found["prompts"]) == (2, 6, 8)
    pair = next(pair for pair in found["pairs"] if pair["policy"] == "sft")
    assert pair["win"]["value"] == pytest.approx(5.5 / 8)
    assert (pair["win"]["labelers"], pair["win"]["labels"]) == (2, 6)


def test_nothing_is_shown_before_enough_is_judged(researcher: User, judges: list[Labeler], client: Client) -> None:
    judgement = make_judgement(researcher, prompts=4, shown_from=50)
    client.force_login(researcher)
    page, api = reverse("judgement-detail", args=[judgement.pk]), reverse("api-judgement", args=[judgement.pk])
    assert "being sampled" in client.get(page).content.decode()
    end_sampling(judgement)
    advance.advance(judgement.pk)
    judge(judges[0], "win")
    shown = client.get(page).content.decode()
    assert "1 of 4 labels are there; results are shown from 2 on (50 %" in shown
    assert "Every pair" not in shown
    assert client.get(api).json()["results"] is None
    assert client.get(reverse("judgement-csv", args=[judgement.pk])).status_code == 409
    assert client.get(reverse("judgement-items", args=[judgement.pk])).status_code == 409
    judge(judges[0], "win")
    assert "A look before the end" in client.get(page).content.decode()


def test_page_csv_and_api_say_the_same(researcher: User, judges: list[Labeler], client: Client) -> None:
    judgement = judged(researcher, judges)
    client.force_login(researcher)
    page = client.get(reverse("judgement-detail", args=[judgement.pk])).content.decode()
    for words in ("68.8", "Every pair", "Bradley-Terry", "Fails the task", "intervals for differences"):
        assert words in page, words
    api = client.get(reverse("api-judgement", args=[judgement.pk])).json()
    assert api["results"]["pairs"][1]["win"]["value"] == 5.5 / 8
    text = client.get(reverse("judgement-csv", args=[judgement.pk])).content.decode()
    rows = {(row["figure"], row["policy"], row["other"], row["by"]): row for row in csv.DictReader(StringIO(text))}
    assert float(rows["win", "sft", "base", ""]["value"]) == 5.5 / 8
    assert client.get(reverse("judgement-detail", args=[judgement.pk]), {"against": "nobody"}).status_code == 422


def test_a_figure_leads_to_the_rankings_behind_it(researcher: User, judges: list[Labeler], client: Client) -> None:
    judgement = judged(researcher, judges, alike=2)
    client.force_login(researcher)
    address = reverse("judgement-items", args=[judgement.pk])

    def count(**choice: str) -> int:
        return int(client.get(address, choice).context["page"].paginator.count)

    assert count() == 8
    assert count(policy="sft", other="base", won="yes") == 4
    assert count(policy="sft", other="base", won="tie") == 3
    assert count(policy="base", flag="fails-task") == 6
    assert count(policy="sft", flag="fails-task") == 0
    assert count(labeler=judges[1].pseudonym) == 3
    assert count(use_case="chat") == 0
    assert client.get(address, {"policy": "nobody"}).status_code == 422


def test_a_round_shows_its_own_judgement_by_the_same_page(
    researcher: User, judges: list[Labeler], client: Client
) -> None:
    """The round's stages point at the batch and at the runs of its four policies."""
    from labeling.models import Cohort, Purpose, Round
    from tests.work import make_batch, make_completions, make_prompts, make_sampling_run

    names = ("base", "sft", "ppo", "ppo_ptx")
    runs = {name: make_sampling_run(name) for name in names}
    batch = make_batch(Kind.RANK, Cohort.HELD_OUT, Purpose.EVALUATION)
    groups = [
        (prompt, [make_completions(runs[name], prompt, [f"{name} of {prompt}"])[0] for name in names])
        for prompt in make_prompts(6)
    ]
    dispatch.add_ranking_items(batch, groups)
    round_ = Round.objects.create(name="r", settings={}, created_by=researcher)
    for position, name in enumerate(names):
        Stage.objects.create(round=round_, name=f"sample_{name}", position=position, run=runs[name])
    stage = Stage.objects.create(round=round_, name="judge", position=9, batch=batch, state="running")
    while lease := dispatch.claim(judges[0], Kind.RANK):  # all prefer ppo_ptx and tie the rest
        submit(judges[0], lease.pk, {card.number: 1 + (not card.text.startswith("ppo_ptx")) for card in cards(lease)})
    assert (Ranking.objects.count(), Completion.objects.count()) == (6, 24)
    client.force_login(researcher)
    address = reverse("round-judgement", args=[round_.pk])
    assert "when its last label is there" in client.get(address).content.decode()
    stage.state = "done"
    stage.save()
    page = client.get(address)
    assert page.context["results"]["against"] == "base"
    wins = {
        pair["policy"]: pair["win"]["value"] for pair in page.context["results"]["pairs"] if pair["other"] == "base"
    }
    assert wins == {"sft": 0.5, "ppo": 0.5, "ppo_ptx": 1.0}
    undefeated = next(one for one in page.context["results"]["policies"] if one["policy"] == "ppo_ptx")
    assert undefeated["strength"]["value"] is None
    assert "never beaten" in undefeated["strength"]["why"]
    assert client.get(reverse("round-judgement-items", args=[round_.pk])).status_code == 200
    assert client.get(reverse("round-judgement-csv", args=[round_.pk])).status_code == 200
    assert client.get(reverse("api-round-judgement", args=[round_.pk])).json()["results"]["rankings"] == 6
