"""Opening a round in the browser: what the form shows, what it refuses and where, that it opens one round, once."""

import re
import threading
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from labeling.exports import freeze
from labeling.guidelines.publish import ensure_first
from labeling.models import Labeler, Round, Stage, User
from labeling.prompts import intake
from labeling.rounds import defaults, form_values, plan
from labeling.rounds.open_form import RoundForm
from labeling.rounds.opening import open_round
from labeling.rounds.settings import PARTS
from labeling.simulation.sizes import MINI, TOY
from training.models import Checkpoint, Run

pytestmark = pytest.mark.django_db
NEW = "/rounds/new/"


@pytest.fixture
def rosa(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


@pytest.fixture
def project() -> dict[str, int]:
    """Prompts, guidelines and texts: what a first round needs."""
    return make_project()


def make_project() -> dict[str, int]:
    for split, count in (("train", 8), ("valid", 3), ("test", 4)):
        rows = [{"prompt": f"{split} prompt {number}", "split": split} for number in range(count)]
        intake.take_in(rows, source="here")
    ensure_first()
    return {
        "texts": freeze.freeze_texts(["A text.", "Another."]).pk,
        "valid_texts": freeze.freeze_texts(["A third."]).pk,
    }


def fields(html: str) -> dict[str, Any]:
    """What a browser would send of the form as it stands: read off the page, not off the form."""
    from html import unescape

    form = html[html.index('id="round-form"') : html.index("</form>", html.index('id="round-form"'))]
    sent: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        attributes = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        name, kind = attributes.get("name"), attributes.get("type", "text")
        if not name or (kind in ("checkbox", "radio") and " checked" not in tag):
            continue
        value = unescape(attributes.get("value", "on" if kind == "checkbox" else ""))
        sent[name] = [*sent.get(name, []), value] if kind == "checkbox" else value
    for name, options in re.findall(r'<select name="([^"]+)".*?>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        sent[name] = chosen[1] if chosen else ""
    return sent


def first_form(client: Client, query: str = "") -> dict[str, Any]:
    return fields(client.get(NEW + query).content.decode())


# ── From an empty project ───────────────────────────────────────────────────────────────────────────────────────────


def test_an_empty_project_is_told_first_what_is_missing_and_where_to_get_it(rosa: Client) -> None:
    page = rosa.get(NEW).content.decode()
    assert "There are no prompts." in page
    for name in ("prompt-import", "text-import", "base-import"):
        assert f'href="{reverse(name)}"' in page
    assert "Nobody of the held-out cohort is at work" in page


def test_what_is_there_is_not_missing(rosa: Client, project: dict[str, int], labeler: Labeler) -> None:
    page = rosa.get(NEW).content.decode()
    assert "There are no prompts." not in page
    assert "There are no texts" not in page
    assert "There is no guideline" not in page
    assert "There is no base model" in page


def test_a_researcher_opens_a_first_round_from_the_form_as_it_comes(rosa: Client, project: dict[str, int]) -> None:
    """The toy preset: no more prompts than there are, the texts and guidelines that are here."""
    sent = first_form(rosa, "?preset=toy")
    response = rosa.post(NEW, sent)
    round_ = Round.objects.get()
    assert response.status_code == 302
    assert response["Location"] == reverse("round-detail", args=[round_.pk])
    assert round_.settings["prompts"]["demonstrate"] == 8  # of 150 wished
    assert round_.settings["texts"] == project["texts"]
    assert round_.settings["specs"]["pretrain"]["steps"] == 300
    assert round_.stages.count() == 20


# ── What the form refuses ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("changed", "field", "sentence"),
    [
        ({"k": "3"}, "id_k", "a labeler ranks 4 to 9 completions"),
        ({"name": ""}, "id_name", "A round has a name"),
        ({"prompts__rank": "some"}, "id_prompts__rank", "prompts to rank is &#x27;some&#x27;"),
        ({"specs__sft__lr": "fast"}, "id_specs__sft__lr", "must be a number"),
        ({"specs__ppo__minibatch_size": "7"}, "id_specs__ppo__", "is not divisible by minibatch_size 7"),
        ({"seed": "-1"}, "id_seed", "The seed is -1"),
    ],
)
def test_a_mistake_is_a_sentence_at_its_field_and_nothing_is_lost(
    rosa: Client, project: dict[str, int], changed: dict[str, str], field: str, sentence: str
) -> None:
    response = rosa.post(NEW, {**first_form(rosa, "?preset=toy"), **changed})
    page = response.content.decode()
    assert response.status_code == 422
    assert re.search(rf'id="{field}[^>]*aria-invalid="true"|aria-invalid="true"[^>]*id="{field}', page), field
    assert sentence in page
    for name, value in changed.items():
        assert fields(page)[name] == value
    assert not Round.objects.exists()


def test_too_few_prompts_are_said_before_anything_is_made(rosa: Client, project: dict[str, int]) -> None:
    sent = {**first_form(rosa, "?preset=toy"), "prompts__judge": "40"}
    page = rosa.post(NEW, sent).content.decode()
    assert "The round wants 40 prompts of the split test; there are 4." in page
    assert not Round.objects.exists()


def test_only_researchers_open_rounds(client: Client, labeler: Labeler, admin_user: User) -> None:
    for user in (labeler.user, admin_user):
        client.force_login(user)
        for name in ("round-new", "round-compare", "text-import", "base-import"):
            assert client.get(reverse(name)).status_code == 404
        assert client.post(NEW, {"name": "mine"}).status_code == 404


# ── Once ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_form_sent_twice_opens_one_round(rosa: Client, project: dict[str, int]) -> None:
    sent = first_form(rosa, "?preset=toy")
    first, second = rosa.post(NEW, sent), rosa.post(NEW, sent)
    assert Round.objects.count() == 1
    assert first["Location"] == second["Location"]


def test_another_form_with_the_same_settings_opens_another(rosa: Client, project: dict[str, int]) -> None:
    for _ in range(2):
        rosa.post(NEW, first_form(rosa, "?preset=toy"))
    assert Round.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_double_click_opens_one_round(researcher: User) -> None:
    """Eight at once, on real connections."""
    make_project()
    form = RoundForm(_data_of(defaults.settings_of(defaults.PRESETS["toy"], {"train": 8, "valid": 3, "test": 4})))
    assert form.is_valid()
    settings = {**form.settings(), **_rows()}
    barrier, found = threading.Barrier(8), []

    def click() -> None:
        barrier.wait()
        try:
            found.append(open_round(name="r", settings=settings, seed=1, user=researcher).pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=click) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == Round.objects.count() == 1
    assert Stage.objects.count() == 20


def _rows() -> dict[str, Any]:
    from labeling.models import Guideline
    from training.models import Dataset

    texts = Dataset.objects.filter(kind="texts").values_list("pk", flat=True)
    return {
        "guidelines": {one.purpose: one.pk for one in Guideline.objects.all()},
        "texts": texts[0],
        "valid_texts": texts[1],
    }


# ── Settings and fields ─────────────────────────────────────────────────────────────────────────────────────────────


def _data_of(settings: dict[str, Any]) -> dict[str, Any]:
    """What a browser sends of a form that begins with these settings."""
    initial = {"name": "r", "seed": 1, "token": "t", **form_values.initial(settings)}
    return {name: "" if value is None else value for name, value in initial.items() if value is not False}


EVERYTHING: dict[str, Any] = {
    "run": ["reward_model", "ppo_ptx", "judge"],
    "instead": {"sft": 3},
    "prompts": {
        "demonstrate": 0, "rank": 5, "rank_valid": 2, "judge": 3, "requeue": 0, "ppo": 6, "source": "here",
        "use_cases": ["chat", "open_qa"],
    },
    "texts": 1,
    "k": 5,
    "rankings_per_prompt": 2,
    "sample_from": [{"checkpoint": None, "samples": 6}, {"checkpoint": 4, "samples": 4}],
    "choose": {"by": "ensemble", "pool": 7, "reward_model": 9},
    "mix": {"calibration_share": 0.25, "gold_share": 0.1},
    "overlap": 0.12,
    "adjudicated": True,
    "policies": ["sft", "ppo_ptx", 4],
    "judges": 3,
    "hold": ["rank", "ppo_ptx"],
    "guidelines": {"training": 1, "evaluation": 2},
    "targets": {"labels": 100, "interval": 0.2},
    "budget": {"hours": 12.5},
    "token": "t",
    "specs": {
        "sample": {"temperature": 0.7},
        "score": {"batch_size": 64},
        "reward_model": {"lr": 1.25e-5, "heads": 4, "unit_std": True},
        "ppo_ptx": {"ptx_coef": 0.5, "missing_eos_penalty": None, "kl_controller": "adaptive"},
    },
}  # fmt: skip


def test_everything_that_can_be_set_comes_back_as_it_was() -> None:
    for pk, kind in ((3, "policy"), (4, "policy"), (9, "reward_model")):
        Checkpoint.objects.create(pk=pk, name=f"c{pk}", kind=kind, path=f"c{pk}")
    make_rows(texts=1, guidelines={"training": 1, "evaluation": 2})
    intake.take_in([{"prompt": "p"}], source="here")
    form = RoundForm(_data_of(EVERYTHING))
    assert form.is_valid(), form.errors
    assert form.settings() == EVERYTHING
    assert plan.problems(form.settings()) == []


def make_rows(*, texts: int, guidelines: dict[str, int]) -> None:
    from labeling.models import Guideline
    from training.models import Dataset

    Dataset.objects.create(pk=texts, kind="texts", sha256="0" * 64, path="datasets/texts-0.jsonl", rows=1)
    for purpose, pk in guidelines.items():
        Guideline.objects.create(pk=pk, purpose=purpose, version=9, title=purpose, body="…")


@pytest.mark.parametrize("name", defaults.PRESETS)
def test_a_preset_with_rows_is_a_round_that_can_be_opened(name: str) -> None:
    settings = defaults.settings_of(defaults.PRESETS[name], {"train": 10, "valid": 5, "test": 5})
    rows = {"texts": 1, "valid_texts": 2, "guidelines": {"training": 1, "evaluation": 2}}
    checked = plan.parse({**settings, **rows, "mix": None})
    assert len(plan.stages(checked)) == 20


def test_the_demonstrations_sizes_are_the_presets() -> None:
    for size, name in ((MINI, "miniature"), (TOY, "toy")):
        settings = defaults.settings_of(defaults.PRESETS[name], {"train": 10**6, "valid": 10**6, "test": 10**6})
        assert settings["specs"]["ppo_ptx"] == size.ppo_ptx
        assert settings["specs"]["pretrain"] == size.pretrain
        assert settings["prompts"]["rank"] == size.ranking_prompts


def test_the_courses_are_what_they_say() -> None:
    assert set(defaults.COURSES["loop"].run) == set(PARTS)
    assert defaults.COURSES["judge"].run == ("judge",)


# ── Judging what is there, cloning, the last round ──────────────────────────────────────────────────────────────────


def test_existing_policies_are_judged_from_the_form(rosa: Client, project: dict[str, int]) -> None:
    pks = [Checkpoint.objects.create(name=name, kind="policy", path=name).pk for name in ("one", "two")]
    sent = {**first_form(rosa, "?preset=toy"), "course": "judge", "policies": [str(pk) for pk in pks]}
    assert rosa.post(NEW, sent).status_code == 302
    names = set(Round.objects.get().stages.values_list("name", flat=True))
    assert names == {f"sample_c{pks[0]}", f"sample_c{pks[1]}", "judge"}


def test_a_round_is_cloned_and_the_last_one_is_remembered(rosa: Client, project: dict[str, int]) -> None:
    sent = {**first_form(rosa, "?preset=toy"), "name": "first", "seed": "7", "specs__sft__lr": "0.5", "k": "5"}
    rosa.post(NEW, sent)
    round_ = Round.objects.get()
    for query in ("", f"?from={round_.pk}"):
        cloned = first_form(rosa, query)
        assert (cloned["name"], cloned["seed"], cloned["k"]) == ("first (again)", "7", "5")
        assert cloned["specs__sft__lr"] == "0.5"
        assert cloned["token"] != sent["token"]
    rosa.post(NEW, first_form(rosa))
    old, new = (dict(one.settings) for one in Round.objects.order_by("pk"))
    assert {**old, "token": ""} == {**new, "token": ""}


def test_a_setting_that_was_changed_is_marked_with_its_default(rosa: Client, project: dict[str, int]) -> None:
    page = rosa.post(NEW, {**first_form(rosa, "?preset=paper"), "specs__sft__epochs": "5", "k": "1"}).content.decode()
    assert 'class="field changed"' in page
    assert "default 16" in page


def test_the_dry_run_writes_nothing(rosa: Client, project: dict[str, int]) -> None:
    before = (Round.objects.count(), Stage.objects.count(), Run.objects.count())
    sent = {**first_form(rosa, "?preset=toy"), "dry": "1"}
    part = rosa.post(NEW, sent, headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith("<section")
    assert "unknown: no run yet of Pretrain, SFT" in part
    whole = rosa.post(NEW, sent).content.decode()
    assert "<h1>Open a round</h1>" in whole
    assert (Round.objects.count(), Stage.objects.count(), Run.objects.count()) == before


def test_the_dry_run_says_every_problem(rosa: Client, project: dict[str, int]) -> None:
    sent = {**first_form(rosa, "?preset=toy"), "k": "3", "judges": "0", "dry": "1"}
    part = rosa.post(NEW, sent, headers={"HX-Request": "true"}).content.decode()
    assert "K is 3" in part
    assert "judges is 0" in part
