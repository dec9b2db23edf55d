"""Pages of screening: who may see and do what, and what each page says."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from labeling.labelers.enroll import give_role
from labeling.models import Labeler, Response, Role, ScreeningItem, ScreeningSet, Sitting, User
from labeling.screening import prepare, selection, sit
from labeling.screening.grade import grade
from tests.labeling.screening.people import ANSWERS, REFERENCES, answer_all, make_candidate, make_set

pytestmark = pytest.mark.django_db


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(client: Client, name: str, *arguments: Any) -> str:
    return client.get(reverse(name, args=arguments)).content.decode()


@pytest.fixture
def rosa(researcher: User) -> Client:
    return as_user(researcher)


@pytest.fixture
def ada(admin_user: User) -> Client:
    return as_user(admin_user)


@pytest.fixture
def candidate(db: None) -> Labeler:
    return make_candidate("carla")


@pytest.fixture
def carla(candidate: Labeler) -> Client:
    return as_user(candidate.user)


# ── The researcher ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_researcher_makes_answers_and_opens_a_set(rosa: Client) -> None:
    cutoffs = {"flag_cutoff": "80", "ranking_cutoff": "75", "grade_cutoff": "5.5"}
    rosa.post(reverse("screening-make"), {"name": "Spring", **cutoffs})
    made = ScreeningSet.objects.get()
    assert (made.flag_cutoff, str(made.grade_cutoff)) == (80, "5.50")
    add = lambda kind, **fields: rosa.post(reverse("screening-add", args=[made.pk, kind]), fields)  # noqa: E731
    assert add("flags", text="I will find you.", parts="Contains a threat\r\n\r\nSexual content").status_code == 302
    assert add("rank", text="How do I sleep?", parts="one\r\nand more\r\n---\r\ntwo").status_code == 302
    assert add("write", text="Is my neighbour evil?").status_code == 302
    assert add("report", text="What can you tell?").status_code == 302
    assert [(item.kind, item.parts) for item in ScreeningItem.objects.all()] == [
        ("flags", ["Contains a threat", "Sexual content"]),
        ("rank", ["one\nand more", "two"]),
        ("write", []),
        ("report", []),
    ]
    too_soon = rosa.post(reverse("screening-open", args=[made.pk]))
    assert (too_soon.status_code, "2 items wait" in too_soon.content.decode()) == (409, True)
    half = rosa.post(reverse("screening-answer", args=[made.pk, 1]), {"flag-0": "yes"})
    assert (half.status_code, "1 flag is still missing" in half.content.decode()) == (422, True)
    first = rosa.post(reverse("screening-answer", args=[made.pk, 1]), {"flag-0": "yes", "flag-1": "no"})
    assert first.headers["Location"] == reverse("screening-answer", args=[made.pk, 2])
    last = rosa.post(reverse("screening-answer", args=[made.pk, 2]), {"place-0": "1", "place-1": "1"})
    assert last.headers["Location"] == reverse("screening-set", args=[made.pk])
    rosa.post(reverse("screening-open", args=[made.pk]))
    made.refresh_from_db()
    assert made.is_open
    assert "Close it" in page(rosa, "screening-set", made.pk)
    assert "final" in page(rosa, "screening-answer", made.pk, 1)
    assert rosa.get(reverse("screening-answer", args=[made.pk, 3])).status_code == 404


def test_an_import_is_all_or_nothing(rosa: Client, researcher: User) -> None:
    made = prepare.make(researcher, "Spring")
    address = reverse("screening-import", args=[made.pk])
    good = json.dumps({"kind": "write", "prompt": "A prompt"})
    bad = rosa.post(address, {"lines": f"{good}\n{{"})
    assert (bad.status_code, "Line 2: This is not JSON; nothing was taken." in bad.content.decode()) == (422, True)
    assert not ScreeningItem.objects.exists()
    assert rosa.post(address, {}).status_code == 422
    file = SimpleUploadedFile("set.jsonl", f"{good}\n{good}\n".encode())
    assert rosa.post(address, {"file": file}).status_code == 302
    assert ScreeningItem.objects.count() == 2


@pytest.mark.parametrize(
    ("kind", "fields", "sentence"),
    [
        ("rank", {"text": "A prompt", "parts": "only one"}, "There are 2 to 9 completions, not 1."),
        ("rank", {"text": "A prompt", "parts": ""}, "This field is required"),
        ("write", {"text": ""}, "This field is required"),
        ("write", {"text": "x" * 20_001}, "20,001 characters"),
    ],
)
def test_a_bad_item_comes_back(
    rosa: Client, researcher: User, kind: str, fields: dict[str, str], sentence: str
) -> None:
    made = prepare.make(researcher, "Spring")
    answer = rosa.post(reverse("screening-add", args=[made.pk, kind]), fields)
    assert (answer.status_code, sentence in answer.content.decode()) == (422, True)
    assert not ScreeningItem.objects.exists()
    assert rosa.post(reverse("screening-add", args=[made.pk, "sing"]), fields).status_code == 404


def test_removing_and_putting_back(rosa: Client, researcher: User) -> None:
    made = make_set(researcher, opened=False)
    item = made.items.first()
    assert item is not None
    assert "Put it back" in rosa.post(reverse("screening-remove", args=[item.pk]), follow=True).content.decode()
    rosa.post(reverse("screening-put-back", args=[item.pk]))
    assert prepare.asked(made).count() == 6


# ── The candidate ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_start_page_is_the_screening(carla: Client, researcher: User) -> None:
    assert "It is not ready yet" in page(carla, "home")
    make_set(researcher)
    assert "Begin" in page(carla, "home")
    begun = carla.post(reverse("candidate-begin"))
    assert begun.headers["Location"] == reverse("candidate-step", args=[1])
    shown = page(carla, "home")
    assert "0 of 6 steps done" in shown and "Go on" in shown
    assert reverse("queue-next", args=["rank"]) not in shown


def test_a_candidate_goes_through_and_sends_in(carla: Client, researcher: User) -> None:
    make_set(researcher)
    carla.post(reverse("candidate-begin"))
    for number, said in enumerate(ANSWERS, start=1):
        step = reverse("candidate-step", args=[number])
        assert f"Step {number} of 6" in carla.get(step).content.decode()
        following = carla.post(step, said).headers["Location"]
        assert following == ("/" if number == 6 else reverse("candidate-step", args=[number + 1]))
    assert "6 of 6 steps done" in page(carla, "home")
    assert "Thank you, it is sent in" in carla.post(reverse("candidate-send-in"), follow=True).content.decode()
    late = carla.post(reverse("candidate-step", args=[4]), {"text": "Other words"})
    assert (late.status_code, "cannot be changed any more" in late.content.decode()) == (409, True)
    assert carla.post(reverse("candidate-send-in")).status_code == 409
    assert not Response.objects.filter(value="Other words").exists()


def test_too_soon_says_what_is_left(carla: Client, researcher: User) -> None:
    make_set(researcher)
    carla.post(reverse("candidate-begin"))
    carla.post(reverse("candidate-step", args=[1]), {"flag-0": "yes"})
    answer = carla.post(reverse("candidate-send-in"))
    assert (answer.status_code, "6 steps are not finished yet" in answer.content.decode()) == (422, True)
    assert "begun" in page(carla, "home")
    assert 'value="yes" checked' in page(carla, "candidate-step", 1)


def test_a_page_saves_by_itself(carla: Client, researcher: User) -> None:
    make_set(researcher)
    carla.post(reverse("candidate-begin"))
    address = reverse("candidate-draft", args=[4])
    saved = carla.post(f"{address}?base=0", {"text": "Half"})
    assert (saved.status_code, saved.json()["revision"]) == (200, 1)
    overtaken = carla.post(f"{address}?base=0", {"text": "Other"})
    assert (overtaken.status_code, overtaken.json()["fields"]) == (409, [["text", "Half"]])
    for base in ("", "x", "-1", "9" * 10):
        assert (
            carla.post(f"{address}?base={base}", {"text": "a"}, headers={"Accept": "application/json"}).status_code
            == 422
        )
    assert ">\nHalf</textarea>" in page(carla, "candidate-step", 4)
    long = carla.post(reverse("candidate-step", args=[4]), {"text": "x" * 20_001})
    assert (long.status_code, "20,001" in long.content.decode(), "x" * 20_001 in long.content.decode()) == (
        422, True, True,
    )  # fmt: skip


def test_after_the_closing_words_are_kept(carla: Client, candidate: Labeler, researcher: User) -> None:
    made = make_set(researcher)
    answer_all(candidate, send=False)
    prepare.close(made)
    late = carla.post(reverse("candidate-step", args=[4]), {"text": "Late words."})
    shown = late.content.decode()
    assert (late.status_code, "This screening was closed on" in shown, "Late words." in shown) == (409, True, True)
    assert Response.objects.filter(value="Late words.").exists()
    sent = carla.post(reverse("candidate-send-in"))
    assert (sent.status_code, "This screening was closed on" in sent.content.decode()) == (409, True)
    assert "Send it in" not in page(carla, "home")


def test_a_candidate_sees_their_own_answers_alone(carla: Client, researcher: User) -> None:
    make_set(researcher)
    answer_all(make_candidate("other"))
    assert carla.get(reverse("candidate-step", args=[4])).status_code == 404  # not begun
    carla.post(reverse("candidate-begin"))
    assert ANSWERS[3]["text"] not in page(carla, "candidate-step", 4)
    assert carla.get(reverse("candidate-step", args=[7])).status_code == 404
    assert carla.get(reverse("candidate-step", args=[0])).status_code == 404


def test_who_is_declined_is_thanked(carla: Client, candidate: Labeler, researcher: User, admin_user: User) -> None:
    make_set(researcher)
    selection.decide(answer_all(candidate), chosen=False, by=admin_user)
    shown = page(carla, "home")
    assert "Thank you for taking part" in shown
    assert "75 %" not in shown


# ── Grading and selecting ───────────────────────────────────────────────────────────────────────────────────────────


def test_grading_leads_on_and_says_nothing_of_people(rosa: Client, candidate: Labeler, researcher: User) -> None:
    made = make_set(researcher)
    sitting = answer_all(candidate)
    following = reverse("screening-grade", args=[made.pk])
    seen = set()
    for _ in range(2):
        answer = rosa.get(following, follow=True)
        shown = answer.content.decode()
        seen |= {text["text"] for text in ANSWERS[3:5] if text["text"].replace("'", "&#x27;") in shown}
        for secret in (candidate.pseudonym, candidate.user.email, "Carla", f"Candidate {sitting.label}"):
            assert secret not in shown
        here = answer.redirect_chain[-1][0].split("?")[0]
        assert rosa.post(here, {"grade": "8"}).status_code == 422
        assert rosa.post(here, {}).status_code == 422
        following = rosa.post(here, {"grade": "6"}).headers["Location"]
    assert len(seen) == 2
    done = rosa.get(following, follow=True).content.decode()
    assert "Nothing waits for your grade" in done and here in done


def test_the_selection_screen_names_nobody(ada: Client, researcher: User, admin_user: User) -> None:
    made = make_set(researcher)
    people = [make_candidate(name) for name in ("carla", "cyril")]
    sittings = [answer_all(one) for one in people]
    grade(researcher, sittings[0].responses.filter(item__kind="write")[0], 3)
    shown = page(ada, "screening-selection", made.pk)
    for one in people:
        for secret in (one.pseudonym, one.user.email, one.user.name):
            assert secret not in shown
    for sitting in sittings:
        assert f"Candidate {sitting.label}" in shown
    assert shown.count("▲ met") == 4 and shown.count("? not yet") == 2
    positions = [shown.index(f"Candidate {label}") for label in sorted(sitting.label for sitting in sittings)]
    assert positions == sorted(positions)


def test_an_admin_decides_and_takes_back(ada: Client, candidate: Labeler, researcher: User) -> None:
    make_set(researcher)
    sitting = answer_all(candidate)
    address = reverse("screening-decide", args=[sitting.pk])
    refused = ada.post(address, {"chosen": "yes", "why": ""})
    assert (refused.status_code, "Please give a reason" in refused.content.decode()) == (422, True)
    for bad in ({}, {"chosen": "perhaps"}, {"chosen": "yes", "why": "x" * 501}):
        assert ada.post(address, bad).status_code == 422
    chosen = ada.post(address, {"chosen": "yes", "why": "The interview."}, follow=True).content.decode()
    assert "is selected and can work now" in chosen
    candidate.refresh_from_db()
    assert candidate.state == "active"
    again = ada.post(address, {"chosen": "no", "why": "Or not."})
    assert again.status_code == 409
    ada.post(reverse("screening-undo", args=[sitting.pk]))
    candidate.refresh_from_db()
    assert candidate.state == "screening"


# ── Doors ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_everybody_else_finds_nothing(researcher: User, admin_user: User, labeler: Labeler, stranger: User) -> None:
    made = make_set(researcher)
    person = make_candidate("carla")
    sitting = answer_all(person)
    item = made.items.first()
    assert item is not None
    written = sitting.responses.filter(item__kind="write")[0]
    of_researchers = [
        ("post", "screening-make", []),
        ("post", "screening-add", [made.pk, "write"]),
        ("post", "screening-import", [made.pk]),
        ("get", "screening-answer", [made.pk, 1]),
        ("post", "screening-open", [made.pk]),
        ("post", "screening-close", [made.pk]),
        ("post", "screening-remove", [item.pk]),
        ("post", "screening-put-back", [item.pk]),
        ("get", "screening-grade", [made.pk]),
        ("get", "screening-grade-one", [written.pk]),
        ("post", "screening-grade-one", [written.pk]),
    ]
    of_admins = [
        ("get", "screening-selection", [made.pk]),
        ("post", "screening-decide", [sitting.pk]),
        ("post", "screening-undo", [sitting.pk]),
    ]
    of_the_office = [("get", "screening-list", []), ("get", "screening-set", [made.pk])]
    of_candidates = [
        ("post", "candidate-begin", []),
        ("get", "candidate-step", [1]),
        ("post", "candidate-draft", [1]),
        ("post", "candidate-send-in", []),
    ]
    barred: list[tuple[list[Any], list[User]]] = [
        (of_researchers, [person.user, labeler.user, stranger, admin_user]),
        (of_admins, [person.user, labeler.user, stranger, researcher]),
        (of_the_office, [person.user, labeler.user, stranger]),
        (of_candidates, [researcher, admin_user, stranger]),
    ]
    for doors, users in barred:
        for method, name, arguments in doors:
            ask: Callable[[Client], Any] = lambda client, m=method, n=name, a=arguments: getattr(client, m)(  # noqa: E731
                reverse(n, args=a)
            )
            assert ask(Client()).headers["Location"].startswith("/accounts/login/"), name
            for user in users:
                assert ask(as_user(user)).status_code == 404, (name, user)
    person.refresh_from_db()
    made.refresh_from_db()
    assert (person.state, made.is_open) == ("screening", True)


def test_a_labeler_at_work_is_no_candidate(labeler: Labeler, researcher: User) -> None:
    make_set(researcher)
    client = as_user(labeler.user)
    assert client.post(reverse("candidate-begin")).status_code == 403
    assert client.get(reverse("candidate-step", args=[1])).status_code == 404
    assert not Sitting.objects.exists()


def test_nobody_decides_on_or_grades_themselves(candidate: Labeler, researcher: User) -> None:
    made = make_set(researcher)
    sitting = answer_all(candidate)
    give_role(candidate.user, Role.ADMIN)
    give_role(candidate.user, Role.RESEARCHER)
    client = as_user(candidate.user)
    said = {"chosen": "yes", "why": "I am good."}
    assert client.post(reverse("screening-decide", args=[sitting.pk]), said).status_code == 404
    written = sitting.responses.filter(item__kind="write")[0]
    assert client.post(reverse("screening-grade-one", args=[written.pk]), {"grade": "7"}).status_code == 404
    assert client.post(reverse("screening-answer", args=[made.pk, 2]), {"flag-0": "yes"}).status_code == 403


def test_what_is_not_sent_in_is_not_graded(rosa: Client, candidate: Labeler, researcher: User) -> None:
    make_set(researcher)
    sitting = answer_all(candidate, send=False)
    _, written = sit.steps(sitting)[3]
    assert written is not None
    assert rosa.get(reverse("screening-grade-one", args=[written.pk])).status_code == 404


@pytest.mark.parametrize("name", ["candidate-begin", "candidate-send-in", "screening-make"])
def test_nothing_is_done_by_a_link(rosa: Client, carla: Client, name: str) -> None:
    client = carla if name.startswith("candidate") else rosa
    assert client.get(reverse(name)).status_code == 405


def test_pages_without_anything(rosa: Client, ada: Client, researcher: User) -> None:
    assert "There is no screening set yet" in page(rosa, "screening-list")
    made = prepare.make(researcher, "Spring")
    assert "No items yet" in page(rosa, "screening-set", made.pk)
    assert "Nobody has sent their answers in yet" in page(ada, "screening-selection", made.pk)
    assert "Nothing waits for your grade" in page(rosa, "screening-grade", made.pk)
    assert rosa.get(reverse("screening-set", args=[made.pk + 1])).status_code == 404


def test_candidates_without_a_set_are_seen_by_admins(ada: Client, candidate: Labeler, researcher: User) -> None:
    assert "1 candidate waits, and no screening set is open" in page(ada, "labeler-list")
    make_set(researcher)
    assert "no screening set is open" not in page(ada, "labeler-list")


def test_references_are_not_shown_to_candidates(carla: Client, researcher: User) -> None:
    """What a candidate's page holds of an answer is the candidate's own: nothing is filled in."""
    make_set(researcher)
    carla.post(reverse("candidate-begin"))
    assert "yes" in REFERENCES[0].values()
    assert " checked" not in page(carla, "candidate-step", 1)
    assert " selected" not in page(carla, "candidate-step", 3)
