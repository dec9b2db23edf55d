"""The researcher's pages: opening, its size, its course; labelers and strangers find nothing."""

import pytest
from django.test import Client
from django.urls import reverse

from labeling.guidelines.publish import current
from labeling.judging import advance, size
from labeling.models import Cohort, Judgement, Labeler, Purpose, User
from labeling.queue.models import Kind
from tests.labeling.judging.conftest import end_sampling, make_judgement, make_policies, make_test_prompts
from tests.people import make_labeler
from tests.work import make_batch, make_completions, make_prompts, make_sampling_run

pytestmark = pytest.mark.django_db


def fields(**changes: object) -> dict[str, object]:
    policies = make_policies("base", "sft", "ppo")
    plain = {
        "name": "which one",
        "policies": [policy.pk for policy in policies],
        "against": policies[1].pk,
        "split": "test",
        "prompts": 3,
        "judges": 1,
        "cohort": "held_out",
        "guideline": current(Purpose.EVALUATION).pk,
        "shown_from": 100,
        "seed": 5,
        "spec": '{"temperature": 0.7}',
    }
    return {**plain, **changes}


def test_a_judgement_is_opened_from_the_form(client: Client, researcher: User, judges: list[Labeler]) -> None:
    make_test_prompts(3)
    client.force_login(researcher)
    answer = client.post(reverse("judgement-open"), fields())
    made = Judgement.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == reverse("judgement-detail", args=[made.pk])
    assert list(made.policies.values_list("name", flat=True)) == ["sft", "base", "ppo"]
    run = made.drawings.get().run
    assert (run.spec["temperature"], run.spec["samples_per_prompt"], run.seed) == (0.7, 3, 5)
    assert client.get(answer["Location"]).status_code == 200
    assert "which one" in client.get(reverse("judgement-list")).content.decode()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [({"spec": "{"}, "not JSON"), ({"judges": 9}, "9 judges a prompt need"), ({"prompts": 70}, "3 fit that are not")],
)
def test_a_mistake_is_said_and_nothing_is_lost(
    changes: dict[str, object], sentence: str, client: Client, researcher: User, judges: list[Labeler]
) -> None:
    make_test_prompts(3)
    client.force_login(researcher)
    answer = client.post(reverse("judgement-open"), fields(**changes))
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert 'value="which one"' in answer.content.decode()
    assert Judgement.objects.count() == 0


def test_the_size_follows_what_is_typed(client: Client, researcher: User, judges: list[Labeler]) -> None:
    client.force_login(researcher)
    make_test_prompts(3)
    asked = {
        "prompts": "100",
        "judges": "2",
        "cohort": "held_out",
        "wish": "half_width",
        "points": "20",
        "split": "test",
    }
    shown = client.get(reverse("judgement-size"), asked).content.decode()
    assert "100 prompts × 2 judges = <strong>200 labels</strong>" in shown
    assert "about 10.0 h of labeling" in shown  # three minutes each, as nobody was on the clock
    assert "Assumed, because no earlier judgement" in shown
    assert "3 prompts fit" in shown
    assert "need as many labelers" in client.get(reverse("judgement-size"), {**asked, "judges": "3"}).content.decode()
    assert client.get(reverse("judgement-size"), {**asked, "prompts": "many"}).status_code == 200


def test_two_labelers_cannot_reach_a_narrow_interval(client: Client, researcher: User, judges: list[Labeler]) -> None:
    client.force_login(researcher)
    asked = {"prompts": "100", "judges": "1", "cohort": "held_out", "points": "5"}
    assert "no number of prompts is enough" in client.get(reverse("judgement-size"), asked).content.decode()


def test_earlier_judgements_tell_how_much_labelers_differ(researcher: User) -> None:
    """Three labelers judge all of 24 prompts, each with a verdict of their own: all variance is between labelers."""
    people = [make_labeler(name, Cohort.HELD_OUT) for name in ("hana", "hugo", "hedi")]
    runs = [make_sampling_run(name) for name in ("one", "two")]
    batch = make_batch(Kind.RANK, Cohort.HELD_OUT, Purpose.EVALUATION)
    from labeling.queue import dispatch
    from labeling.rankings.cards import cards
    from labeling.rankings.submit import submit

    groups = [(prompt, [make_completions(run, prompt, [run.name])[0] for run in runs]) for prompt in make_prompts(24)]
    dispatch.add_ranking_items(batch, groups, need=3)
    for person, best in zip(people, ("one", "two", "two"), strict=True):
        while lease := dispatch.claim(person, Kind.RANK):
            submit(person, lease.pk, {card.number: 1 + (card.text != best) for card in cards(lease)})
    found = size.past_components()
    assert found.judgements == 72
    assert found[:3] == (pytest.approx(0), pytest.approx(1 / 3), pytest.approx(0))  # of 1, 0, 0: variance 1/3


def test_what_can_be_done_is_done_by_its_buttons(client: Client, researcher: User, judges: list[Labeler]) -> None:
    judgement = make_judgement(researcher)
    client.force_login(researcher)
    for name, state in (("pause", "paused"), ("go-on", "running"), ("stop", "stopped")):
        client.post(reverse(f"judgement-{name}", args=[judgement.pk]))
        assert Judgement.objects.get().state == state
    answer = client.post(reverse("judgement-go-on", args=[judgement.pk]), follow=True)
    assert "It is stopped, so that cannot be done now." in answer.content.decode()


def test_the_course_polls_itself_and_reloads_the_page_when_it_has_ended(
    client: Client, researcher: User, judges: list[Labeler]
) -> None:
    judgement = make_judgement(researcher)
    client.force_login(researcher)
    address, htmx = reverse("judgement-detail", args=[judgement.pk]), {"HX-Request": "true"}
    part = client.get(address, headers=htmx)
    assert 'hx-trigger="every 5s"' in part.content.decode()
    assert "<html" not in part.content.decode()
    assert "HX-Refresh" not in part
    Judgement.objects.update(state="done")
    part = client.get(address, headers=htmx)
    assert part["HX-Refresh"] == "true"
    assert "hx-trigger" not in part.content.decode()


def test_more_can_be_asked_for(client: Client, researcher: User, judges: list[Labeler]) -> None:
    judgement = make_judgement(researcher)
    end_sampling(judgement)
    advance.advance(judgement.pk)
    client.force_login(researcher)
    address = reverse("judgement-more", args=[judgement.pk])
    answer = client.post(address, {"judges": "2"}, follow=True)
    assert "judged by 2 from now on" in answer.content.decode()
    assert "Say how many" in client.post(address, {}, follow=True).content.decode()
    assert "0 fit that are not in it yet" in client.post(address, {"prompts": "5"}, follow=True).content.decode()


def test_labelers_and_strangers_find_nothing(
    client: Client, researcher: User, judges: list[Labeler], stranger: User
) -> None:
    judgement = make_judgement(researcher)
    for user in (judges[0].user, stranger):
        client.force_login(user)
        for name in ("judgement-detail", "judgement-items", "judgement-csv"):
            assert client.get(reverse(name, args=[judgement.pk])).status_code == 404
        assert client.get(reverse("judgement-list")).status_code == 404
        assert client.get(reverse("api-judgement", args=[judgement.pk])).status_code == 404
        assert client.post(reverse("judgement-stop", args=[judgement.pk])).status_code == 404
