"""The page of a reward model and the work list: what they say, who may, and what a word leaves behind."""

import csv
import io
import json
import re
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from labeling.errors import BadInput, Conflict
from labeling.models import Batch, Labeler, Role, User, Verdict
from labeling.reward_models import contradictions, scored, scoring, verdicts
from tests.labeling.adjudication.test_decide import all_at_once
from tests.labeling.reward_models.conftest import finish
from tests.people import make_user
from training import storage
from training.models import Checkpoint, Run

GROUP = {"prompts": 6, "rankings": 6, "comparisons": 36, "accuracy_low": 0.5, "accuracy_high": 0.8, "log_loss": 0.61}
VALIDATION = {
    "groups": [
        {"group": "all", "value": "", "accuracy": 0.6543, **GROUP},
        {"group": "cohort", "value": "held_out", "accuracy": 0.66, **GROUP},
    ],
    "calibration": {
        "expected_calibration_error": 0.04,
        "bins": [{"low": 0.5, "high": 0.55, "predicted": 0.53, "observed": 0.51, "count": 36}],
    },
}


@pytest.fixture
def office(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


def page(client: Client, name: str, *args: object, **query: str) -> str:
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200, response.content[:500]
    return response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", ["reward-model", "reward-model-csv", "contradictions", "contradictions-csv", "api-reward-model"]
)
def test_researchers_alone_see_it(
    client: Client, office: Client, proxy: Checkpoint, admin_user: User, labeler: Labeler, name: str
) -> None:
    assert office.get(reverse(name, args=[proxy.pk])).status_code == 200
    policy = Checkpoint.objects.get(name="sft")
    assert office.get(reverse(name, args=[policy.pk])).status_code == 404
    for user in (admin_user, labeler.user):
        client.force_login(user)
        assert client.get(reverse(name, args=[proxy.pk])).status_code == 404


@pytest.mark.django_db
def test_without_a_scoring_the_page_shows_what_the_run_measured(office: Client, proxy: Checkpoint) -> None:
    assert "No figures yet" in page(office, "reward-model", proxy.pk)
    path = storage.run_folder(proxy.run_id or "") / "validation.json"
    path.write_text(json.dumps(VALIDATION))
    text = page(office, "reward-model", proxy.pk)
    assert "65.4\u00a0%" in text and "Held out" in text.replace("-", " ")
    assert "Score the validation rankings" in text
    assert "not scored yet" in page(office, "contradictions", proxy.pk)
    path.write_text("{torn")
    assert "No figures yet" in page(office, "reward-model", proxy.pk)


@pytest.mark.django_db
def test_the_button_queues_and_the_page_polls_until_the_figures_are_there(
    office: Client, proxy: Checkpoint, ranked: Batch
) -> None:
    response = office.post(reverse("reward-model-score", args=[proxy.pk]))
    assert response.status_code == 302
    text = page(office, "reward-model", proxy.pk)
    assert 'hx-trigger="every 3s"' in text and "Score again" not in text
    assert office.post(reverse("reward-model-score", args=[proxy.pk])).status_code == 409
    part = office.get(reverse("reward-model", args=[proxy.pk]), headers={"HX-Request": "true"})
    assert 'hx-trigger="every 3s"' in part.content.decode()
    finish(Run.objects.get(recipe="score"))
    part = office.get(reverse("reward-model", args=[proxy.pk]), headers={"HX-Request": "true"})
    assert part["HX-Refresh"] == "true"
    text = page(office, "reward-model", proxy.pk)
    assert "hx-trigger" not in text.split('id="scoring"')[1].split("</div>")[0]
    assert "Score again" in text and "16.7\u00a0%" in text  # right on one of six rankings


@pytest.mark.django_db
def test_a_scoring_that_failed_is_said_and_may_be_repeated(office: Client, proxy: Checkpoint, ranked: Batch) -> None:
    run = scoring.score(proxy)
    Run.objects.filter(pk=run.pk).update(state=Run.State.FAILED, error="The disk is full.")
    assert "The disk is full." in page(office, "reward-model", proxy.pk)
    assert office.post(reverse("reward-model-score", args=[proxy.pk])).status_code == 302


@pytest.mark.django_db
def test_a_model_that_likes_length_is_shown_to(office: Client, proxy: Checkpoint, scored_run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(page(office, "reward-model-csv", proxy.pk))))
    found = {(row["figure"], row["by"], row["of"]): row for row in rows}
    assert float(found["preference_model", "feature", "longer"]["value"]) == 1.0
    assert float(found["preference_people", "feature", "longer"]["value"]) == pytest.approx(1 / 6)
    assert float(found["accuracy_shorter_preferred", "", ""]["value"]) == 0.0
    assert float(found["accuracy", "all", ""]["value"]) == pytest.approx(1 / 6)
    assert found["agreement", "all", ""]["note"] == "no two labelers ranked one item"
    assert json.loads(page(office, "api-reward-model", proxy.pk))["quality"]["preferences"][0]["key"] == "longer"


@pytest.mark.django_db
def test_the_work_list_shows_both_texts_and_takes_a_word(
    office: Client, proxy: Checkpoint, scored_run: Run, researcher: User, held_out_labeler: Labeler
) -> None:
    text = page(office, "contradictions", proxy.pk)
    assert text.count("<article") == 5  # the sixth labeler's order is the model's
    assert "It is short." in text and "of two things, the longest" in text
    assert held_out_labeler.pseudonym in text and "two are needed to adjudicate" in text
    first = int(re.findall(r'id="ranking-(\d+)"', text)[0])
    address = reverse("verdict-say", args=[proxy.pk, first])
    response = office.post(address, {"word": "label", "base": "0", "query": "use_case=chat"})
    assert (response.status_code, response["Location"]) == (
        302,
        reverse("contradictions", args=[proxy.pk]) + "?use_case=chat",
    )
    assert page(office, "contradictions", proxy.pk).count("<article") == 4
    said = page(office, "contradictions", proxy.pk, said="label")
    assert said.count("<article") == 1 and f"The label is wrong: {researcher}" in said
    assert page(office, "contradictions", proxy.pk, said="all").count("<article") == 5
    assert office.post(address, {"word": "unclear", "base": "0"}).status_code == 409
    assert office.post(address, {"word": "open", "base": "1"}).status_code == 302
    assert page(office, "contradictions", proxy.pk).count("<article") == 5
    assert list(Verdict.objects.values_list("revision", "word").order_by("revision")) == [(1, "label"), (2, "open")]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"use_case": "chat"}, 3),
        ({"cohort": "training"}, 0),
        ({"labeler": "nobody"}, 0),
        ({"least": "0.95"}, 5),
        ({"said": "model"}, 0),
    ],
)
def test_the_work_list_is_narrowed(
    office: Client, proxy: Checkpoint, scored_run: Run, query: dict[str, Any], shown: int
) -> None:
    assert page(office, "contradictions", proxy.pk, **query).count("<article") == shown
    assert len(page(office, "contradictions-csv", proxy.pk, **query).splitlines()) == 1 + shown


@pytest.mark.django_db
def test_what_cannot_be_asked_or_said_is_told(office: Client, proxy: Checkpoint, scored_run: Run) -> None:
    assert office.get(reverse("contradictions", args=[proxy.pk]), {"use_case": "poetry"}).status_code == 422
    scores = scored.read(proxy)
    assert scores
    [first, *_] = contradictions.contradictions(scores.scored)
    address = reverse("verdict-say", args=[proxy.pk, first.ranking])
    assert office.post(address, {"word": "label", "base": "x"}).status_code == 422
    assert office.post(address, {"word": "maybe", "base": "0"}).status_code == 422
    assert (
        office.post(reverse("verdict-say", args=[proxy.pk, 999_999]), {"word": "label", "base": "0"}).status_code == 409
    )
    assert office.post(address, {"word": "open", "base": "0"}).status_code == 409
    assert office.get(address).status_code == 405
    assert not Verdict.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_words_at_the_same_moment_one_is_stored(proxy: Checkpoint, scored_run: Run) -> None:
    people = [make_user(f"person-{number}", Role.RESEARCHER) for number in range(4)]
    scores = scored.read(proxy)
    assert scores
    one = contradictions.contradictions(scores.scored)[0]
    for base in range(3):
        answers = all_at_once([partial(verdicts.say, user, proxy, one, "model", base=base) for user in people])
        assert sum(isinstance(answer, Verdict) for answer in answers) == 1
        assert sum(isinstance(answer, Conflict) for answer in answers) == 3
    with pytest.raises(BadInput, match="A verdict is one of"):
        verdicts.say(people[0], proxy, one, "no", base=3)
