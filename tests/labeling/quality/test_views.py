"""Pages of known items, settings and rules; the labeler's lesson; and that nothing gives a check away."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from labeling.models import Assignment, Batch, Control, DriftItem, GoldAnswer, Kind, Labeler, Ranking, User, WorkItem
from labeling.quality import drift, known
from labeling.queue import dispatch
from labeling.queue.rules import RULES
from labeling.queue.settings import Settings
from labeling.queue.steps import STEPS
from labeling.rankings.cards import cards
from labeling.rankings.submit import submit
from tests.labeling.quality.known import PLACE_OF, WHY, gold, new_batch, origins, rank_all
from tests.labeling.queue.test_calibration import fill, mixed_batch
from tests.work import writing_work


@pytest.fixture
def rosa(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


@pytest.fixture
def lena(labeler: Labeler) -> Client:
    client = Client()
    client.force_login(labeler.user)
    return client


def text(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return answer.content.decode()


# ── Gold and drift ──────────────────────────────────────────────────────────────────────────────────────────────────


def sent(**changed: str) -> dict[str, str]:
    return {
        "place-1": "1",
        "place-2": "2",
        "place-3": "3",
        "place-4": "3",
        "mode": "silent",
        "explanation": WHY,
    } | changed


def test_empty_pages_say_what_to_do(rosa: Client) -> None:
    page = text(rosa, reverse("known-list"))
    assert page.count("None yet.") == 2
    assert "There are no ranking items yet." in text(rosa, reverse("known-choose"))


def test_a_researcher_answers_an_item(rosa: Client) -> None:
    item = origins(1)[0]
    choose = text(rosa, reverse("known-choose"))
    address = reverse("gold-answer", args=[item.pk])
    assert address in choose
    assert " selected" not in text(rosa, address).replace('value="silent" selected', "")
    assert rosa.post(address, sent()).headers["Location"] == reverse("known-list")
    assert GoldAnswer.objects.get().ranks == [1, 2, 3, 3]
    again = text(rosa, address)
    assert re.findall(r'<option value="(\d)" selected>', again) == ["1", "2", "3", "3"]
    assert escape(WHY) in again
    listed = text(rosa, reverse("known-list"))
    assert "in 0 batches, ranked 0 times" in listed


@pytest.mark.parametrize(
    ("change", "status", "sentence"),
    [
        ({"place-4": ""}, 422, "Card 4 has no place yet"),
        ({"explanation": " "}, 422, "The explanation"),
        ({"mode": "loud"}, 422, "Select a valid choice"),
        ({"place-2": "two"}, 422, "A place is a number from 1 to 9"),
    ],
)
def test_what_is_refused_comes_back(rosa: Client, change: dict[str, str], status: int, sentence: str) -> None:
    item = origins(1)[0]
    answer = rosa.post(reverse("gold-answer", args=[item.pk]), sent(explanation="Long thoughts.") | change)
    page = answer.content.decode()
    assert answer.status_code == status
    assert sentence in page
    assert re.findall(r'<option value="(\d)" selected>', page)[0] == "1"
    assert "explanation" in change or "Long thoughts." in page
    assert not GoldAnswer.objects.exists()


def test_who_comes_second_loses_no_word(rosa: Client, admin_user: User) -> None:
    item = origins(1)[0]
    gold(admin_user, item)
    answer = rosa.post(reverse("gold-answer", args=[item.pk]), sent(explanation="My own words.", base="0"))
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Ada has answered this item meanwhile" in page
    assert "My own words." in page
    assert GoldAnswer.objects.get().explanation == WHY


def test_a_withdrawn_item_is_refused(rosa: Client) -> None:
    item = origins(1)[0]
    dispatch.withdraw(item)
    answer = rosa.post(reverse("gold-answer", args=[item.pk]), sent())
    assert answer.status_code == 422
    assert "is withdrawn" in answer.content.decode()
    assert "is withdrawn" in rosa.post(reverse("drift-add", args=[item.pk]), follow=True).content.decode()
    assert not GoldAnswer.objects.exists() and not DriftItem.objects.exists()


def test_drift_items_are_added_and_removed(rosa: Client) -> None:
    item = origins(1)[0]
    rosa.post(reverse("drift-add", args=[item.pk]))
    assert "Recurs already" in text(rosa, reverse("known-choose"))
    assert item.the_prompt.text in text(rosa, reverse("known-list"))
    rosa.post(reverse("drift-remove", args=[item.pk]))
    assert not DriftItem.objects.exists()


def test_an_answer_is_retired_and_used_again(rosa: Client, researcher: User) -> None:
    item = origins(1)[0]
    gold(researcher, item)
    rosa.post(reverse("gold-retire", args=[item.pk]))
    assert "not used any more" in text(rosa, reverse("known-list"))
    rosa.post(reverse("gold-revive", args=[item.pk]))
    assert GoldAnswer.objects.get().retired_at is None


def test_items_are_found_by_words(rosa: Client) -> None:
    items = origins(3)
    page = text(rosa, reverse("known-choose") + "?q=501")
    assert [str(item.pk) in re.findall(r"Item (\d+)<", page) for item in items] == [False, True, False]
    assert "No item’s prompt has these words." in text(rosa, reverse("known-choose") + "?q=%00xyz")


def test_others_find_nothing(lena: Client, labeler: Labeler) -> None:
    item = origins(1)[0]
    for name, arguments in [
        ("known-list", []),
        ("known-choose", []),
        ("gold-answer", [item.pk]),
        ("batch-settings", [item.batch_id]),
        ("queue-rules", []),
    ]:
        assert lena.get(reverse(name, args=arguments)).status_code == 404
    for name in ("drift-add", "drift-remove", "gold-retire", "gold-revive", "gold-answer"):
        assert lena.post(reverse(name, args=[item.pk]), sent()).status_code == 404
    assert not GoldAnswer.objects.exists() and not DriftItem.objects.exists()


# ── What labelers see ───────────────────────────────────────────────────────────────────────────────────────────────


def batch_with_everything(researcher: User) -> Batch:
    recurs, silent, teaching = origins(3)
    drift.add(researcher, recurs)
    gold(researcher, silent)
    gold(researcher, teaching, "teaching")
    batch = new_batch(4, drift_count=1, gold_share=0.5, calibration_share=0.25, most_labelers=1)
    known.mix_into(batch)
    return batch


def test_no_page_tells_what_an_item_is_for(lena: Client, labeler: Labeler, researcher: User) -> None:
    """Only ids, prompts and orders differ between the pages."""
    batch_with_everything(researcher)
    pages: dict[str, int] = {}
    seen = set()
    while lease := dispatch.claim(labeler, Kind.RANK):
        page = text(lena, reverse("ranking-submit", args=[lease.pk]))
        page = page.replace(str(lease.pk), "ID").replace(lease.item.the_prompt.text, "PROMPT")
        page = re.sub(r'(name="csrfmiddlewaretoken" value|datetime)="[^"]+"', "", page)
        page = re.sub(r">\d\d:\d\d UTC<", "", page)
        page = re.sub(r"(data-text>)(one|two|three|four)<", r"\1TEXT<", page)
        pages[page] = pages.get(page, 0) + 1
        seen.add(lease.item.control)
        submit(labeler, lease.pk, {card.number: PLACE_OF[card.text] for card in cards(lease)})
    assert seen == set(Control)
    assert list(pages.values()) == [7]
    for address in ("/", reverse("work-recent")):
        assert not re.search(r"gold|drift|calibrat|control", text(lena, address), re.IGNORECASE)


def teaching_lease(labeler: Labeler, researcher: User, mode: str = "teaching") -> Assignment:
    gold(researcher, origins(1)[0], mode)
    batch = new_batch(1, gold_share=1.0)
    known.mix_into(batch)
    while lease := dispatch.claim(labeler, Kind.RANK):
        if lease.item.control != Control.ORDINARY:
            return lease
        submit(labeler, lease.pk, {card.number: PLACE_OF[card.text] for card in cards(lease)})
    raise AssertionError("no gold item was given out")


def send(client: Client, lease: Assignment, place_of: dict[str, int]) -> str:
    places = {f"place-{card.number}": str(place_of[card.text]) for card in cards(lease)}
    return client.post(reverse("ranking-submit", args=[lease.pk]), places).headers["Location"]


def test_a_teaching_item_shows_what_we_chose_and_why(lena: Client, labeler: Labeler, researcher: User) -> None:
    """We: one 1, two 2, three and four 3. They: one 2, two 1, three 3, four 4. Of our five ordered pairs four are
    alike."""
    lease = teaching_lease(labeler, researcher)
    address = send(lena, lease, {"one": 2, "two": 1, "three": 3, "four": 4})
    assert address == reverse("gold-lesson", args=[lease.pk])
    page = text(lena, address)
    assert escape(WHY) in page
    assert "You ordered 4 of 5 pairs of answers as we did." in page
    rows = re.findall(
        r'auto">(\w+)</div></th>\s*<td class="num"><strong>(\d)</strong></td><td class="num">(.*?)</td>', page
    )
    found = {answer: (int(ours), int(re.sub(r"\D", "", theirs))) for answer, ours, theirs in rows}
    assert found == {"one": (1, 2), "two": (2, 1), "three": (3, 3), "four": (3, 4)}
    assert [answer for answer, _, _ in rows][:2] == ["one", "two"]
    assert f'action="{reverse("queue-next", args=["rank"])}"' in page
    assert "autofocus" in page


def test_who_has_seen_our_answer_keeps_theirs(lena: Client, labeler: Labeler, researcher: User) -> None:
    lease = teaching_lease(labeler, researcher)
    send(lena, lease, PLACE_OF)
    places = {f"place-{number}": "1" for number in range(1, 5)}
    answer = lena.post(reverse("ranking-submit", args=[lease.pk]), {**places, "correction": "1"})
    assert answer.status_code == 409
    assert "You have seen our answer" in answer.content.decode()
    assert "You have seen our answer" in text(lena, reverse("ranking-submit", args=[lease.pk]), 409)
    assert sorted(lease.ranking.places.values_list("place", flat=True)) == [1, 2, 3, 3]
    assert reverse("gold-lesson", args=[lease.pk]) in text(lena, reverse("work-recent"))


def test_a_silent_item_shows_nothing(lena: Client, labeler: Labeler, researcher: User) -> None:
    lease = teaching_lease(labeler, researcher, "silent")
    assert send(lena, lease, PLACE_OF) == reverse("queue-nothing", args=["rank"])
    assert text(lena, reverse("gold-lesson", args=[lease.pk]), 404)
    places = {f"place-{number}": "1" for number in range(1, 5)}
    lena.post(reverse("ranking-submit", args=[lease.pk]), {**places, "correction": "1"})
    assert Ranking.objects.get(assignment=lease).corrected_at is not None  # as with any other piece


def test_no_lesson_before_the_work(lena: Client, labeler: Labeler, researcher: User, second_labeler: Labeler) -> None:
    lease = teaching_lease(labeler, researcher)
    assert WHY not in text(lena, reverse("gold-lesson", args=[lease.pk]), 404)
    rank_all(labeler)
    stranger = Client()
    stranger.force_login(second_labeler.user)
    text(stranger, reverse("gold-lesson", args=[lease.pk]), 404)


# ── Settings and rules ──────────────────────────────────────────────────────────────────────────────────────────────

GOOD = {
    "weight": "2",
    "calibration_share": "0.5",
    "calibration_labelers": "2",
    "most_labelers": "4",
    "opposed_share": "0.25",
    "gold_share": "0",
    "drift_count": "1",
}


def test_settings_are_changed_and_mixed_in(rosa: Client, researcher: User) -> None:
    drift.add(researcher, origins(1)[0])
    batch = mixed_batch(Settings())
    fill(batch, 10)
    address = reverse("batch-settings", args=[batch.pk])
    assert 'value="0.15"' in text(rosa, address)
    page = rosa.post(address, GOOD, follow=True).content.decode()
    assert "1 known item was mixed in." in page
    assert "0.5 of the items, 2 labelers each" in page
    assert "Drift control: 1" in page
    batch.refresh_from_db()
    assert batch.settings == Settings(2, 0.5, 2, 4, 0.25, 0.0, 1)
    assert batch.items.filter(control=Control.CALIBRATION).count() == 5


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"calibration_share": "1.5"}, "less than or equal to 1"),
        ({"gold_share": "-1"}, "greater than or equal to 0"),
        ({"opposed_share": "nan"}, "Enter a number"),
        ({"weight": "0"}, "greater than or equal to 1"),
        ({"most_labelers": "1"}, "A calibration item gets 2 labelers, but an item can get 1 at most"),
        ({"drift_count": "many"}, "Enter a whole number"),
    ],
)
def test_settings_that_cannot_be(rosa: Client, change: dict[str, str], sentence: str) -> None:
    batch = mixed_batch(Settings())
    fill(batch, 2)
    answer = rosa.post(reverse("batch-settings", args=[batch.pk]), GOOD | change)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    batch.refresh_from_db()
    assert batch.settings == Settings()


def test_a_batch_of_texts_has_a_weight_alone(rosa: Client) -> None:
    batch = writing_work(2)
    address = reverse("batch-settings", args=[batch.pk])
    offered = set(re.findall(r'name="(\w+)" value="', text(rosa, address)))
    assert offered - {"csrfmiddlewaretoken"} == {"weight"}
    rosa.post(address, {"weight": "7", "drift_count": "3"})
    batch.refresh_from_db()
    assert (batch.weight, batch.drift_count) == (7, 0)


def test_the_page_of_rules_is_written_by_the_rules(rosa: Client) -> None:
    writing_work(2)
    Batch.objects.update(weight=3)
    writing_work(2, start=50)
    page = text(rosa, reverse("queue-rules"))
    told = re.findall(r"<li><strong>(.*?)\.</strong> (.*?)</li>", page)
    assert told == [(escape(one.name), escape(one.sentence)) for one in (*STEPS, *RULES)]
    assert "75.0\xa0%" in page and "25.0\xa0%" in page


def test_the_queue_says_why(client: Client, admin_user: User, labeler: Labeler) -> None:
    client.force_login(admin_user)
    writing_work(1)
    item = WorkItem.objects.get()
    dispatch.withdraw(item)
    address = reverse("queue-rules")
    page = text(client, f"{address}?labeler={labeler.pseudonym}&item={item.pk}")
    assert "<strong>Still wanted.</strong> The item is withdrawn." in page
    assert "There is no labeler of this pseudonym." in text(client, f"{address}?labeler=nobody&item={item.pk}", 422)
    assert "There is no item of this number." in text(client, f"{address}?labeler={labeler.pseudonym}&item=99999", 422)
