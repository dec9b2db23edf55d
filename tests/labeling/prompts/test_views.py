"""The researcher's prompts: the list, and taking prompts in; and how a labeler's page shows one."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from labeling.models import Labeler, Prompt, User
from labeling.prompts.intake import take_in

TURNS = [
    {"role": "system", "text": "Be brief."},
    {"role": "user", "text": "<b>Hi</b>"},
    {"role": "assistant", "text": "Hello!"},
    {"role": "user", "text": "שלום"},
]


@pytest.fixture
def rosa(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


def test_the_list_shows_turns_and_topics(rosa: Client) -> None:
    take_in([{"turns": TURNS, "topics": "violence"}, {"prompt": "Plain."}], source="test")
    page = rosa.get(reverse("prompt-list")).content.decode()
    assert "4 turns" in page
    assert ">violence<" in page.replace("</span>violence", ">violence")
    assert "&lt;b&gt;Hi" in page
    assert "<b>Hi" not in page


def test_the_import_page_explains_the_fields(rosa: Client) -> None:
    page = rosa.get(reverse("prompt-import")).content.decode()
    for word in ("messages", "topics", "self-harm", "use_case", "closed_qa", "split", "owner"):
        assert f"<code>{word}</code>" in page


def test_a_file_with_conversations_is_taken_in(rosa: Client) -> None:
    lines = [json.dumps({"messages": TURNS, "topics": ["Violence and injury"]}), '{"messages": [{"role": "user"}]}']
    file = SimpleUploadedFile("p.jsonl", "\n".join(lines).encode())
    answer = rosa.post(reverse("prompt-import"), {"file": file, "source": "s", "owner_key": "owner"})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "1 added" in page
    assert "Turn 1 has no text." in page
    prompt = Prompt.objects.get()
    assert (len(prompt.turns), prompt.topics) == (4, ["violence"])


def test_an_unusable_form_says_why_and_explains_the_fields_again(rosa: Client) -> None:
    answer = rosa.post(reverse("prompt-import"), {"source": "s", "owner_key": "owner"})
    assert answer.status_code == 422
    assert "Choose a file or paste lines." in answer.content.decode()
    assert "<code>topics</code>" in answer.content.decode()


@pytest.mark.parametrize("name", ["prompt-list", "prompt-import"])
def test_others_find_nothing(name: str, client: Client, labeler: Labeler, stranger: User) -> None:
    assert client.get(reverse(name)).headers["Location"].startswith("/accounts/login/")
    for user in (labeler.user, stranger):
        client.force_login(user)
        assert client.get(reverse(name)).status_code == 404


def test_wrong_method(rosa: Client) -> None:
    assert rosa.post(reverse("prompt-list")).status_code == 405
    assert rosa.delete(reverse("prompt-import")).status_code == 405


def shown(row: dict[str, object], source: str = "gpt-4-dump.jsonl") -> str:
    take_in([row], source=source)
    return render_to_string("labeling/prompts/_prompt.html", {"prompt": Prompt.objects.get()})


@pytest.mark.django_db
def test_a_labeler_sees_who_speaks() -> None:
    html = shown({"turns": TURNS, "use_case": "chat"})
    said = [
        html.index(word) for word in ("System", "Be brief.", "User", "&lt;b&gt;Hi&lt;/b&gt;", "Assistant", "Hello!")
    ]
    assert said == sorted(said)
    assert "Prompt · Chat" in html
    assert html.count('class="text" dir="auto"') == 4
    assert "<details" not in html


@pytest.mark.django_db
def test_a_sensitive_piece_is_not_read_by_surprise() -> None:
    html = shown({"prompt": "The words themselves.", "topics": "violence, illness"})
    assert "This piece is about: <strong>Violence and injury, Illness and death</strong>." in html
    closed = html[html.index("<details") : html.index("</details>")]
    assert "Show it" in closed
    assert "open" not in closed[: closed.index(">")]
    assert "The words themselves." in closed
    assert html.count("The words themselves.") == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("row", "source", "words"),
    [
        ({"prompt": "x"}, "gpt-4-dump.jsonl", "brought in by a researcher"),
        ({"prompt": "x", "owner": "acme"}, "gpt-4-dump.jsonl", "asked by a user"),
        ({"prompt": "x", "owner": "L-7"}, "labeler", "written by a labeler"),
    ],
)
def test_where_it_comes_from_is_told_without_names(row: dict[str, object], source: str, words: str) -> None:
    html = shown(row, source)
    assert words in html
    for secret in ("gpt-4", "acme", "L-7"):
        assert secret not in html
