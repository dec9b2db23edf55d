"""A try: refused with a sentence, queued apart from training, answered by the real recipe, blind until it is asked."""

import json
import shutil
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labeling.errors import BadInput
from labeling.models import Try, User
from labeling.registry import playground
from labeling.registry.playground import Settings
from tests.labeling.registry.conftest import finish, made, run_of
from tests.people import make_user
from training import storage
from training.models import Checkpoint, Dataset, Run
from training.runs import launch, watch

pytestmark = pytest.mark.django_db


@pytest.fixture
def policies(db: None) -> list[Checkpoint]:
    return [made(run_of("sft", f"policy {number}")) for number in "12"]


def answered(one: Try, *rows: tuple[str, str]) -> None:
    """As the recipe leaves the run: the policy's name and the text of each answer."""
    folder = storage.run_folder(one.run_id)
    folder.mkdir(parents=True)
    lines = [
        json.dumps({"policy": policy, "completion": text, "finished": True, "sample": at}, ensure_ascii=False)
        for at, (policy, text) in enumerate(rows)
    ]
    (folder / "samples.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    finish(one.run)


def form(policies: list[Checkpoint], **changes: Any) -> dict[str, Any]:
    second = {"second": policies[1].pk} if len(policies) > 1 else {}
    settings = {"n": 2, "temperature": 0.7, "top_p": 0.9, "response_length": 20, "seed": 5}
    return {"text": "What is the sea?", "first": policies[0].pk, **second, **settings, **changes}


def test_it_is_a_sample_run_in_a_queue_of_its_own(policies: list[Checkpoint], researcher: User) -> None:
    one = playground.start(researcher, " Hi ", policies, Settings(n=3, temperature=0, top_p=0.5, seed=9))
    run = one.run
    assert (run.recipe, run.queue, run.seed) == ("sample", "playground", 9)
    assert run.spec["samples_by_policy"] == {"policy": 3, "policy_2": 3}
    assert run.spec["samples_per_prompt"] == 6
    assert (run.spec["temperature"], run.spec["top_p"]) == (0, 0.5)
    rows = storage.absolute(run.inputs.get().dataset.path).read_text().splitlines()
    assert [json.loads(row)["prompt"] for row in rows] == ["Hi"]
    playground.start(researcher, "Hi", policies[:1], Settings())
    assert Dataset.objects.count() == 1  # the same prompt is the same file


def test_its_bell_rings_in_that_queue(
    policies: list[Checkpoint], researcher: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: dict[str, str] = {}
    monkeypatch.setattr(watch, "ring", lambda task, run, queue: rung.update({run: queue}))
    one = playground.start(researcher, "Hi", policies, Settings())
    other = run_of("evaluate", "e", {}, {"policy": policies[0]})
    watch.ring_queued(at_once=True)
    assert rung[str(one.run_id)] == "playground"
    assert rung[str(other.pk)] == "training"


@pytest.mark.parametrize(
    ("text", "which", "changes", "sentence"),
    [
        (" \n ", [0], {}, "The prompt is empty."),
        ("x" * 20_001, [0], {}, "The prompt has 20,001 characters; at most 20,000 are taken."),
        ("Hi", [], {}, "Choose one policy"),
        ("Hi", [0, 0], {}, "the same policy twice"),
        ("Hi", [0], {"n": 9}, "1 to 8"),
        ("Hi", [0], {"top_p": 0.0}, "top_p is 0.0; it must be more than 0"),
        ("Hi", [2], {}, "a reward model"),
        ("Hi", [3], {}, "not on this machine"),
    ],
)
def test_what_cannot_be_tried(
    policies: list[Checkpoint],
    researcher: User,
    text: str,
    which: list[int],
    changes: dict[str, Any],
    sentence: str,
) -> None:
    reward_model = made(run_of("reward_model", "rm"), "reward_model")
    elsewhere = Checkpoint.objects.create(name="hub", kind="policy", path="gpt2")
    rows = [*policies, reward_model, elsewhere]
    with pytest.raises(BadInput, match=sentence):
        playground.start(researcher, text, [rows[at] for at in which], Settings(**changes))
    assert not Try.objects.exists()
    assert not Run.objects.filter(queue="playground").exists()


def test_two_policies_answer_by_the_real_recipe(researcher: User) -> None:
    """The web process asks, a worker's process answers: from a typed prompt to both policies' texts."""
    spec = {
        "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32,
        "max_position_embeddings": 32, "block_size": 8, "steps": 1, "batch_size": 1, "threads": 1,
    }  # fmt: skip
    kept = storage.keep_rows("texts", [{"text": "The fox eats mice."}])
    texts = Dataset.objects.create(kind="texts", sha256=kept.sha256, path=kept.path, rows=1)
    inputs = {"texts": texts, "valid_texts": texts}
    base = launch.queue_run(recipe="pretrain", name="p", spec=spec, seed=1, inputs=inputs, parents={})
    launch.execute(base.pk)
    first = Checkpoint.objects.get(run=base)
    shutil.copytree(storage.absolute(first.path), storage.root() / "models" / "copy")
    second = Checkpoint.objects.create(name="copy", kind="policy", path="models/copy")
    one = playground.start(researcher, "The fox", [first, second], Settings(n=2, response_length=4, temperature=0))
    launch.execute(one.run_id)
    one.run.refresh_from_db()
    assert (one.run.state, one.run.error) == (Run.State.DONE, "")
    left, right = playground.sides(one)
    assert (left.name, right.name) == ("p", "copy")
    assert len(left.answers) == len(right.answers) == 2
    assert [answer.text for answer in left.answers] == [answer.text for answer in right.answers]  # greedy, same weights
    assert [answer.sample for answer in left.answers + right.answers] == [0, 1, 2, 3]

    too_long = playground.start(researcher, "fox " * 40, [first], Settings(response_length=4))
    launch.execute(too_long.run_id)
    too_long.run.refresh_from_db()
    assert too_long.run.state == Run.State.FAILED
    assert "the model reads 32 at most" in too_long.run.error


def test_names_stay_hidden_until_asked_for(rosa: Client, policies: list[Checkpoint]) -> None:
    assert rosa.post(reverse("playground"), form(policies, blind="on")).status_code == 302
    one = Try.objects.get()
    answered(one, ("policy", "from one"), ("policy_2", "from two"))
    for swapped in (False, True):
        Try.objects.update(swapped=swapped)
        for address in (reverse("playground-try", args=[one.pk]), reverse("playground")):
            main = rosa.get(address).content.decode().split("Your tries")[-1]
            assert "policy 1" not in main
            assert str(one.run_id) not in main
        page = rosa.get(reverse("playground-try", args=[one.pk])).content.decode()
        assert (page.index("from one") > page.index("from two")) == swapped
    rosa.post(reverse("playground-reveal", args=[one.pk]))
    page = rosa.get(reverse("playground-try", args=[one.pk])).content.decode()
    assert page.index("policy 2") < page.index("from two") < page.index("policy 1") < page.index("from one")


def test_one_policy_alone_is_never_blind(policies: list[Checkpoint], researcher: User) -> None:
    one = playground.start(researcher, "Hi", policies[:1], Settings(), blind=True)
    assert not one.blind


def test_a_conversation_goes_on_from_an_answer(rosa: Client, policies: list[Checkpoint]) -> None:
    rosa.post(reverse("playground"), form(policies[:1]))
    one = Try.objects.get()
    answered(one, ("policy", "It is\u2028water."), ("policy", "Blue."))
    address = f"{reverse('playground')}?after={one.pk}&answer=0"
    assert "It is\u2028water." in rosa.get(address).content.decode()
    rosa.post(reverse("playground"), form(policies[:1], text="Why?", after=one.pk, answer="0"))
    second = Try.objects.get(turns__isnull=False)
    assert second.prompt == "User: What is the sea?\n\nAssistant: It is\u2028water.\n\nUser: Why?"
    assert [turn["role"] for turn in second.turns] == ["user", "assistant", "user"]
    gone = rosa.post(reverse("playground"), form(policies[:1], text="Why?", after=one.pk, answer="7"))
    assert gone.status_code == 422
    assert "not there any more" in gone.content.decode()


def test_the_page_polls_while_it_waits_and_says_when_nobody_is_there(rosa: Client, policies: list[Checkpoint]) -> None:
    rosa.post(reverse("playground"), form(policies))
    one = Try.objects.get()
    address = reverse("playground-try", args=[one.pk])
    part = rosa.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "hx-get" in part
    assert "Nobody is there" not in part
    Run.objects.filter(pk=one.run_id).update(created_at=timezone.now() - timedelta(seconds=30))
    assert "Nobody is there to answer: start a worker" in rosa.get(address).content.decode()
    rosa.post(reverse("playground"), form(policies, text="Another"))
    Run.objects.filter(queue="playground").exclude(pk=one.run_id).update(state=Run.State.RUNNING)
    assert "Nobody is there" not in rosa.get(address).content.decode()  # it answers somebody else's
    answered(one, ("policy", "Water."))
    part = rosa.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "hx-get" not in part
    assert "Water." in part


def test_what_is_wrong_is_said_beside_what_was_typed(rosa: Client, policies: list[Checkpoint]) -> None:
    for changes, sentence in (
        ({"text": ""}, "The prompt is empty."),
        ({"second": policies[0].pk}, "the same policy twice"),
        ({"temperature": "hot"}, "Enter a number."),
        ({"first": ""}, "This field is required."),
    ):
        page = rosa.post(reverse("playground"), form(policies, **changes))
        assert page.status_code == 422
        assert sentence in page.content.decode()
    Checkpoint.objects.filter(pk=policies[0].pk).update(weights_deleted_at=timezone.now())
    page = rosa.post(reverse("playground"), form(policies))
    assert "“policy 1” were deleted" in page.content.decode()
    assert "What is the sea?" in page.content.decode()


def test_a_try_is_its_researchers_own(client: Client, policies: list[Checkpoint], researcher: User) -> None:
    one = playground.start(researcher, "A secret", policies, Settings())
    other = make_user("ray", *researcher.roles)
    client.force_login(other)
    assert client.get(reverse("playground-try", args=[one.pk])).status_code == 404
    assert "A secret" not in client.get(reverse("playground")).content.decode()
    assert client.get(reverse("playground") + f"?again={uuid4()}").status_code == 404
    assert client.get(reverse("playground") + "?again=nonsense").status_code == 200


def test_without_any_policy_the_page_says_so(rosa: Client) -> None:
    assert "There is no policy on this machine" in rosa.get(reverse("playground")).content.decode()
    assert "No weights yet" in rosa.get(reverse("checkpoint-list")).content.decode()


def test_again_fills_the_form_with_the_next_seed(rosa: Client, policies: list[Checkpoint]) -> None:
    rosa.post(reverse("playground"), form(policies))
    page = rosa.get(reverse("playground") + f"?again={Try.objects.get().pk}").content.decode()
    assert "What is the sea?</textarea>" in page
    assert 'value="6"' in page
