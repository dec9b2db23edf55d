"""A researcher's word on a proposal: once, and recorded."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from labeling.errors import BadInput, Conflict
from labeling.models import Assignment, Labeler, Prompt, Proposal, User
from labeling.prompts.intake import take_in
from labeling.proposals import decide
from labeling.proposals.submit import correct, submit
from tests.labeling.proposals.conftest import PAIRS
from tests.people import make_user

pytestmark = pytest.mark.django_db
Lease = Callable[[str], Assignment]


@pytest.fixture
def proposal(labeler: Labeler, lease: Lease) -> Proposal:
    return submit(labeler, lease("plain").pk, "Name a river.", use_case="chat")


def test_taken_it_is_a_prompt_of_its_labelers(proposal: Proposal, researcher: User, labeler: Labeler) -> None:
    (prompt,) = decide.take(proposal, researcher, use_case="open_qa", split="valid")
    assert (prompt.text, prompt.use_case, prompt.split) == ("Name a river.", "open_qa", "valid")
    assert (prompt.owner, prompt.source) == (labeler.pseudonym, "labeler")
    row = Proposal.objects.get()
    assert (row.state, row.decided_by) == ("taken", researcher)
    assert row.decided_at is not None and (timezone.now() - row.decided_at).total_seconds() < 60
    assert list(row.prompts.all()) == [prompt]


def test_the_researcher_may_word_it_better(proposal: Proposal, researcher: User) -> None:
    (prompt,) = decide.take(proposal, researcher, use_case="open_qa", text="Name a river of Asia.")
    assert prompt.text == "Name a river of Asia."
    assert Proposal.objects.get().text == "Name a river."


def test_k_pairs_are_k_prompts(labeler: Labeler, lease: Lease, researcher: User) -> None:
    proposal = submit(labeler, lease("few_shot").pk, "Say it politely.", use_case="rewrite", pairs=PAIRS)
    prompts = decide.take(proposal, researcher, use_case="rewrite", text="Be polite.")
    assert len(prompts) == 3
    assert {prompt.text.splitlines()[-2] for prompt in prompts} == {"Query: Go.", "Query: Stop.", "Query: Sit."}
    assert all(prompt.text.startswith("Be polite.\n\nQuery: ") for prompt in prompts)
    assert len({prompt.split for prompt in prompts}) == 1
    assert Proposal.objects.get().prompts.count() == 3


def test_all_of_a_labelers_prompts_are_in_one_split(labeler: Labeler, lease: Lease, researcher: User) -> None:
    take_in([{"prompt": "An old one.", "owner": labeler.pseudonym, "split": "test"}], source="labeler")
    proposal = submit(labeler, lease("plain").pk, "A new one.", use_case="chat")
    with pytest.raises(BadInput, match="one owner stays in one split"):
        decide.take(proposal, researcher, use_case="chat", split="train")
    assert Proposal.objects.get().state == "waiting"
    assert decide.take(proposal, researcher, use_case="chat")[0].split == "test"


def test_a_labeler_may_write_more_than_a_user_may_send(labeler: Labeler, lease: Lease, researcher: User) -> None:
    rows = [{"prompt": f"Old {number}.", "owner": labeler.pseudonym} for number in range(200)]
    assert take_in(rows, source="labeler").added == 200
    proposal = submit(labeler, lease("plain").pk, "A new one.", use_case="chat")
    assert len(decide.take(proposal, researcher, use_case="chat")) == 1


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"use_case": "poetry"}, "“poetry” is unknown"),
        ({"use_case": "chat", "split": "dev"}, "“dev” is unknown"),
        ({"use_case": "chat", "text": "a\0b"}, "NUL"),
        ({"use_case": "chat", "text": "a\ud800"}, "half of a character"),
        ({"use_case": "chat", "text": "x" * 20_001}, "at most 20,000"),
        ({"use_case": "chat", "text": "Known."}, "such a prompt already"),
    ],
)
def test_what_cannot_be_a_prompt_waits_on(
    proposal: Proposal, researcher: User, said: dict[str, str], sentence: str
) -> None:
    take_in([{"prompt": "Known."}], source="test")
    with pytest.raises(BadInput, match=sentence):
        decide.take(proposal, researcher, **said)
    assert Proposal.objects.get().state == "waiting"
    assert Prompt.objects.count() == 1


def test_one_pair_that_is_known_keeps_all_out(labeler: Labeler, lease: Lease, researcher: User) -> None:
    take_in([{"prompt": "Be.\n\nQuery: Go.\nResponse: Please go.\n\nQuery: Stop.\nResponse:"}], source="test")
    proposal = submit(labeler, lease("few_shot").pk, "Be.", use_case="rewrite", pairs=PAIRS[:2])
    with pytest.raises(BadInput, match="such a prompt already"):
        decide.take(proposal, researcher, use_case="rewrite")
    assert Prompt.objects.count() == 1


def test_refused_with_a_note(proposal: Proposal, researcher: User) -> None:
    decide.refuse(proposal, researcher, "  We have many like it. ")
    row = Proposal.objects.get()
    assert (row.state, row.decided_by, row.note) == ("refused", researcher, "We have many like it.")
    assert not Prompt.objects.exists()


@pytest.mark.parametrize(
    ("note", "sentence"), [("", "tell the labeler"), (" ", "tell"), ("a\0", "NUL"), ("x" * 501, "501")]
)
def test_a_refusal_needs_a_note(proposal: Proposal, researcher: User, note: str, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        decide.refuse(proposal, researcher, note)
    assert Proposal.objects.get().state == "waiting"


def test_nothing_is_decided_twice(proposal: Proposal, researcher: User) -> None:
    decide.take(proposal, researcher, use_case="chat")
    other = make_user("rolf")
    with pytest.raises(Conflict, match="Rosa decided about this one before: it is taken"):
        decide.take(proposal, other, use_case="chat", text="Another.")
    with pytest.raises(Conflict, match="it is taken"):
        decide.refuse(proposal, other, "No.")
    row = Proposal.objects.get()
    assert (row.decided_by, row.note) == (researcher, "")
    assert Prompt.objects.count() == 1


def test_what_was_corrected_since_is_looked_at_again(proposal: Proposal, researcher: User, labeler: Labeler) -> None:
    correct(labeler, proposal.assignment_id, "Name a lake.", use_case="chat")
    with pytest.raises(Conflict, match="corrected it since you looked"):
        decide.take(proposal, researcher, use_case="chat", text="Name a river.", version=0)
    assert decide.take(proposal, researcher, use_case="chat", version=1)[0].text == "Name a lake."


@pytest.mark.django_db(transaction=True)
def test_two_researchers_at_the_same_moment(proposal: Proposal, researcher: User) -> None:
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def decide_now(act: Callable[[], object]) -> None:
        start.wait()
        try:
            act()
            outcomes.append("done")
        except Conflict:
            outcomes.append("conflict")
        finally:
            connection.close()

    acts = (
        lambda: decide.take(proposal, researcher, use_case="chat"),
        lambda: decide.refuse(proposal, researcher, "No."),
    )
    threads = [threading.Thread(target=decide_now, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["conflict", "done"]
    assert Prompt.objects.count() == (Proposal.objects.get().state == "taken")


def test_the_labeler_reads_among_their_last_pieces_what_became_of_it(
    client: Client, proposal: Proposal, researcher: User, labeler: Labeler
) -> None:
    client.force_login(labeler.user)
    assert ">Correct<" in client.get("/work/recent/").content.decode()
    decide.refuse(proposal, researcher, "Too close to one we have.")
    page = client.get("/work/recent/").content.decode()
    assert "Not used: Too close to one we have." in page
    assert ">Correct<" not in page
