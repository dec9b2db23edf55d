"""The card says what the rows say, and a hub can read it."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from django.test import Client
from django.urls import reverse
from huggingface_hub import ModelCard

from labeling.errors import Conflict
from labeling.exports import exclude
from labeling.models import CardText, User
from labeling.privacy import erase
from labeling.registry import card, card_facts, card_text
from labeling.registry.hyperparameters import Difference, differing
from tests.labeling.queue.test_races import all_at_once
from tests.labeling.registry.conftest import History, made, run_of
from training.models import Checkpoint

pytestmark = pytest.mark.django_db


def readme(checkpoint: Checkpoint) -> str:
    return card.readme(card_facts.of(checkpoint))


def test_the_front_matter_is_a_hubs(history: History) -> None:
    text = readme(history.ppo)
    found = ModelCard(text).data.to_dict()
    assert found["library_name"] == "transformers"
    assert found["pipeline_tag"] == "text-generation"
    assert "license" not in found  # nobody has chosen one
    (measured,) = found["model-index"][0]["results"]
    results = {row["name"]: row["value"] for row in measured["metrics"]}
    assert results == {"Loss on held-out text": 2.5, "hellaswag: acc": 0.5}
    assert yaml.safe_load(text.split("---")[1])["pipeline_tag"] == "text-generation"
    assert ModelCard(readme(history.reward_model)).data.to_dict()["pipeline_tag"] == "text-classification"


def test_what_it_was_made_from_and_what_was_measured(history: History) -> None:
    text = readme(history.reward_model)
    assert f"| Rankings | 4 | 4 by 2 training labelers | – | `{history.rankings.sha256[:12]}` |" in text
    assert "| Validation accuracy | 0.750 | 0.500 – 0.875 |" in text
    assert "4 rankings" in text
    assert "2 demonstrations" in text
    assert "| SFT | `epochs` | `2` | `16` |" in text
    assert "threads" not in text
    # Both labelers gave the same order of all pairs of both items.
    assert "1.000 (95 % interval 1.000 – 1.000, 2 items with several labelers)" in text
    assert history.first.pseudonym not in text
    assert "ppo" not in text.split("## Citation")[0].lower().replace("podium", "")  # what was made of it is no part


def test_the_interval_of_a_benchmark_is_of_its_standard_error(history: History) -> None:
    assert "| hellaswag: acc | 0.500 | 0.304 – 0.696 |" in readme(history.ppo)  # 0.5 ± 1.96 · 0.1


def test_withdrawn_erased_and_excluded_labels_are_limits(history: History, admin_user: User, researcher: User) -> None:
    erase.carry_out(history.first, admin_user, choice="withdraw", why="Asked.", typed=history.first.pseudonym)
    exclude.exclude(history.second, "Always the same places.", researcher)
    limits = readme(history.reward_model).split("## Known limits")[1]
    assert "3 rows of its datasets are of labelers who have withdrawn" in limits  # 2 rankings, 1 demonstration
    assert "3 rows are of labelers whose accounts were erased" in limits
    assert "left out" not in limits  # its datasets were frozen before


def test_a_model_from_the_hub_is_named_with_its_commit(history: History) -> None:
    from tests.labeling.registry import conftest

    conftest.SPECS["import_model"] = {"model": "EleutherAI/pythia-160m", "revision": ""}
    base = made(run_of("import_model", "pythia"), commit="50f5173d932e", model="EleutherAI/pythia-160m")
    sft = made(run_of("sft", "sft of it", {"demonstrations": history.demonstrations}, {"policy": base}))
    text = readme(sft)
    assert ModelCard(text).data.base_model == "EleutherAI/pythia-160m"
    assert "50f5173d932e" in text


def test_a_name_is_no_markup() -> None:
    row = Checkpoint.objects.create(name="a | *b* <script> # c\n\n# d", kind="policy", path="x")
    text = readme(row)
    assert "# a \\| \\*b\\* \\<script\\> \\# c \\# d\n" in text


@pytest.mark.parametrize(
    ("recipe", "spec", "names"),
    [
        ("ppo", {"kl_coef": 0.02, "lr": 5e-6, "threads": 4}, []),
        ("ppo", {"kl_coef": 0.05, "nonsense": 1}, [Difference("kl_coef", 0.05, 0.02)]),
        ("sft", {"epochs": 16, "lr": 1e-5}, [Difference("lr", 1e-5, 9.65e-6)]),
        ("gone", {"x": 1}, []),
    ],
)
def test_what_differs_from_the_paper(recipe: str, spec: dict[str, Any], names: list[Difference]) -> None:
    assert differing(recipe, spec) == names


def test_the_text_is_kept_by_revision(rosa: Client, history: History, admin_user: User) -> None:
    address = reverse("checkpoint-card", args=[history.sft.pk])
    assert "Nobody has written yet" in rosa.get(address).content.decode()
    assert rosa.post(address, {"text": "For *research* alone.", "base": 0}).status_code == 302
    page = rosa.get(address).content.decode()
    assert "For <em>research</em> alone." in page
    assert "Rosa" in page
    late = rosa.post(address, {"text": "Mine.", "base": 0})
    assert late.status_code == 409
    assert "Mine." in late.content.decode()
    assert "For *research* alone." in rosa.get(reverse("checkpoint-readme", args=[history.sft.pk])).content.decode()
    assert rosa.post(address, {"text": "For *research* alone.", "base": 1}).status_code == 302
    assert CardText.objects.count() == 1  # the same text is no new revision


@pytest.mark.django_db(transaction=True)
def test_two_who_save_at_once(researcher: User) -> None:
    row = Checkpoint.objects.create(name="a", kind="policy", path="x")
    save: Callable[[str], Any] = lambda text: card_text.save(row, researcher, text, 0)  # noqa: E731
    outcomes = all_at_once([lambda: save("one"), lambda: save("two"), lambda: save("three")])
    assert sum(isinstance(one, CardText) for one in outcomes) == 1
    assert sum(isinstance(one, Conflict) for one in outcomes) == 2
