"""The page of figures: what it says of judged policies, where each figure leads, and what it says without any."""

import csv
import io
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from labeling.evaluation import report as evaluation
from labeling.evaluation.win_rates import win_rate
from labeling.figures import judged, report
from labeling.figures.report import Choice
from labeling.models import Batch, Cohort, Completion, Labeler, User
from labeling.rankings.remarks import Remarks
from tests.labeling.figures.world import judge, judgement, make_line, prompts, sampled
from tests.people import make_labeler
from training.models import Checkpoint, Dataset, Run, RunInput, RunParent

pytestmark = pytest.mark.django_db
PAGES = ["figures", "figures-csv", "api-figures", "reward-model-list"]
# Places of base, SFT, PPO, PPO-ptx on six prompts: PPO-ptx against SFT wins 4, ties 1, loses 1.
ORDERS = [[4, 3, 2, 1], [4, 2, 3, 1], [3, 2, 1, 1], [4, 2, 2, 2], [4, 1, 3, 2], [3, 4, 2, 1]]


@pytest.fixture
def office(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


@pytest.fixture
def line(db: None) -> dict[str, Checkpoint]:
    return make_line()


@pytest.fixture
def batch(line: dict[str, Checkpoint], held_out_labeler: Labeler) -> Batch:
    """Six prompts judged by one held-out labeler, who flags and rates each prompt's first completion, the base's."""
    found = judgement([line[name] for name in ("base", "sft", "ppo", "ppo_ptx")], prompts(6))
    judge(held_out_labeler, ORDERS, Remarks(ratings={1: 2}, flags={1: ["hallucination"]}))
    return found


def page(client: Client, name: str = "figures", *args: object, **query: str) -> str:
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200, response.content[:500]
    return response.content.decode()


@pytest.mark.parametrize("name", PAGES)
def test_researchers_alone_see_it(
    client: Client, researcher: User, admin_user: User, labeler: Labeler, name: str
) -> None:
    assert client.get(reverse(name)).status_code in (302, 401, 403)
    for user in (admin_user, labeler.user):
        client.force_login(user)
        assert client.get(reverse(name)).status_code == 404
    client.force_login(researcher)
    assert client.get(reverse(name)).status_code == 200


def test_without_anything_it_says_which_stage_fills_it(office: Client) -> None:
    text = page(office)
    assert "Nothing is judged yet" in text and "stage “judge”" in text
    assert "No two policies of one line are measured yet" in text


def test_preference_is_counted_and_stands_beside_the_papers(office: Client, batch: Batch) -> None:
    text = page(office)
    assert "75.0\u00a0%" in text  # PPO-ptx against SFT: 4 wins and a tie of 6
    assert "10k" in text  # 100 × 100 parameters
    assert "73.4\u00a0%" in text and "the paper’s (§4.1), for reference" in text
    assert "NaN" not in text


def test_it_is_what_the_rounds_report_counts(batch: Batch, line: dict[str, Checkpoint]) -> None:
    runs = {one.run_id: str(one.checkpoint_id) for one in Completion.objects.all()}
    rows = evaluation.judgements(batch, runs)
    expected = win_rate(rows, str(line["ppo"].pk), str(line["sft"].pk))
    [found] = [one for one in report.of(Choice())["preference"] if one["checkpoint"] == line["ppo"].pk]
    assert (found["value"], found["prompts"]) == (expected.rate, expected.clusters)


def test_prompts_that_all_policies_answer_alike_are_ties(
    line: dict[str, Checkpoint], held_out_labeler: Labeler
) -> None:
    asked = prompts(7)
    judgement([line["sft"], line["ppo"]], asked[:6])
    for at, policy in enumerate((line["sft"], line["ppo"])):
        run = Run.objects.get(recipe="sample", parents__checkpoint=policy)
        Completion.objects.create(
            prompt=asked[6], run=run, checkpoint=policy, sample=0, text="The same." + " " * at, finished=True
        )
    judge(held_out_labeler, [[2, 1]] * 6)
    [found] = report.of(Choice())["preference"]
    assert found["value"] == pytest.approx(6.5 / 7) and found["prompts"] == 7


def test_a_batch_that_is_still_judged_does_not_count(
    office: Client, line: dict[str, Checkpoint], held_out_labeler: Labeler
) -> None:
    judgement([line["sft"], line["ppo"]], prompts(3))
    judge(held_out_labeler, [[2, 1]] * 2)
    found = judged.read()
    assert (found.judged, found.waiting) == ([], 1)
    assert "1 batch is still being judged" in page(office)


def test_cohorts_and_prompts_are_split(office: Client, batch: Batch, line: dict[str, Checkpoint]) -> None:
    training = make_labeler("tara")
    judgement([line["sft"], line["ppo_ptx"]], prompts(2, start="more "), cohort=Cohort.TRAINING)
    judge(training, [[1, 2]] * 2)
    lines = report.of(Choice())["cohorts"]
    of_ptx = {(one["cohort"], one["value_of"]): one for one in lines if one["kind"] == "ppo_ptx"}
    assert of_ptx["training", "chat"]["value"] == 0.0
    assert of_ptx["held_out", "chat"]["prompts"] == 3
    assert "fewer than 5 prompts" in of_ptx["held_out", "chat"]["why"]
    assert "Training" in page(office) and "Open QA" in page(office)


def test_flags_and_ratings_are_the_policys(batch: Batch, line: dict[str, Checkpoint]) -> None:
    found = report.of(Choice())
    [rating] = found["ratings"]
    assert (rating["kind"], rating["value"], rating["answers"]) == ("base", 2.0, 6)
    hallucination = next(one for one in found["flags"] if one["flag"] == "hallucination")
    assert {one["kind"]: one["value"] for one in hallucination["lines"]} == {
        "base": 1.0, "sft": 0.0, "ppo": 0.0, "ppo_ptx": 0.0,
    }  # fmt: skip
    assert [mark["value"] for mark in hallucination["paper"]] == [0.21, 0.41]


def test_the_tax_is_read_off_evaluations(office: Client, line: dict[str, Checkpoint]) -> None:
    texts = Dataset.objects.create(kind="texts", sha256="a" * 64, path="datasets/texts-a.jsonl", rows=2)
    for name, loss in (("base", 2.0), ("ppo", 2.6), ("ppo_ptx", 2.1)):
        run = Run.objects.create(
            recipe="evaluate", name=f"of {name}", spec={}, seed=1, state=Run.State.DONE, result={"lm_loss": loss}
        )
        RunInput.objects.create(run=run, name="texts", dataset=texts)
        RunParent.objects.create(run=run, role="policy", checkpoint=line[name])
    text = page(office)
    assert "+0.6" in text and "+0.1" in text
    assert "the run reports no standard error of it" in text


def test_every_point_leads_to_its_judgements(office: Client, batch: Batch, line: dict[str, Checkpoint]) -> None:
    links = set(re.findall(rf'href="({reverse("figure-items")}[^"]*)"', page(office)))
    assert len(links) > 10
    of_each_kind = {tuple(sorted(re.findall(r"(\w+)=", link))): link for link in sorted(links)}
    assert len(of_each_kind) == 3
    for link in of_each_kind.values():
        assert office.get(link.replace("&amp;", "&")).status_code == 200, link
    text = page(office, "figure-items", policy=str(line["ppo_ptx"].pk))
    assert "6 judgements" in text
    verdicts = re.findall(r"<strong>this policy</strong>|the other|a tie", text.split("<tbody>")[1])
    assert verdicts == ["the other", "a tie", *["<strong>this policy</strong>"] * 4]
    flagged = page(office, "figure-items", policy=str(line["base"].pk), flag="hallucination")
    assert "6 judgements" in flagged


def test_the_csv_has_every_figure_and_no_formula(office: Client, batch: Batch, line: dict[str, Checkpoint]) -> None:
    Checkpoint.objects.filter(pk=line["ppo"].pk).update(name="=evil()")
    rows = list(csv.DictReader(io.StringIO(page(office, "figures-csv"))))
    assert {row["figure"] for row in rows} == {
        "preference", "preference_by_cohort", "flag", "rating", "paper_preference",
    }  # fmt: skip
    assert {row["policy"] for row in rows if row["kind"] == "ppo"} == {"'=evil()"}
    found = next(row for row in rows if row["figure"] == "preference" and row["kind"] == "ppo_ptx")
    assert (found["value"], found["parameters"], found["prompts"]) == ("0.75", "10000", "6")


@pytest.mark.parametrize("query", [{"baseline": "nobody"}, {"baseline": "999999"}, {"by": "weather"}])
def test_what_cannot_be_asked_is_said(office: Client, query: dict[str, Any]) -> None:
    assert office.get(reverse("figures"), query).status_code == 422


@pytest.mark.parametrize("policy", ["", "x", "999999", "9" * 40])
def test_items_of_nobody_are_said(office: Client, policy: str) -> None:
    assert office.get(reverse("figure-items"), {"policy": policy}).status_code == 422


def test_a_checkpoint_may_be_the_baseline(office: Client, batch: Batch, line: dict[str, Checkpoint]) -> None:
    found = report.of(Choice(baseline=str(line["base"].pk)))
    assert {one["baseline"] for one in found["preference"]} == {line["base"].pk}
    assert {mark["label"] for mark in found["paper"]["preference"]} >= {"175B InstructGPT against the 175B GPT-3"}


def test_a_policy_whose_weights_are_elsewhere_has_no_size(office: Client, batch: Batch) -> None:
    Checkpoint.objects.update(path=models_elsewhere())
    assert "unknown" in page(office)


def models_elsewhere() -> Any:
    from django.db.models import F, Value
    from django.db.models.functions import Concat

    return Concat(Value("gone/"), F("path"))


def test_sampling_again_changes_nothing(batch: Batch, line: dict[str, Checkpoint]) -> None:
    before = report.of(Choice())["preference"]
    sampled(line["ppo"], prompts(6))
    assert report.of(Choice())["preference"] == before
