"""Every link of the registry's pages leads somewhere its reader may go."""

import html

import pytest
from django.test import Client
from django.urls import reverse

from labeling.models import Demonstration, Ranking, User
from labeling.registry import playground, serving
from tests.labeling.registry.conftest import History
from tests.labeling.test_links import LINK

pytestmark = pytest.mark.django_db


def dead(client: Client, addresses: list[str]) -> dict[str, int]:
    found = {}
    for address in addresses:
        page = client.get(address)
        assert page.status_code == 200, address
        links = {html.unescape(link) for link in LINK.findall(page.content.decode())}
        for link in sorted(links):
            target = f"{address}{link}" if link.startswith("?") else link
            if target.startswith("/") and (status := client.get(target, follow=True).status_code) != 200:
                found[target] = status
    return found


def test_no_link_is_dead(client: Client, history: History, researcher: User, admin_user: User) -> None:
    serving.promote(history.ppo, researcher, "It wins.", None)
    one = playground.start(researcher, "Hi", [history.sft], playground.Settings())
    shaped = [
        reverse("item-shaped", args=[Ranking.objects.earliest("pk").item_id]),
        reverse("demonstration-shaped", args=[Demonstration.objects.earliest("pk").pk]),
        reverse("labeler-shaped", args=[history.first.pseudonym]),
    ]
    client.force_login(researcher)
    pages = [reverse(f"checkpoint-{name}", args=[history.ppo.pk]) for name in ("detail", "card")]
    pages += [reverse("checkpoint-list"), reverse("playground"), reverse("playground-try", args=[one.pk])]
    assert dead(client, [*pages, *shaped]) == {}
    client.force_login(admin_user)
    assert dead(client, shaped) == {}


def test_a_reward_model_leads_to_what_it_measures(client: Client, history: History, researcher: User) -> None:
    client.force_login(researcher)
    for checkpoint, wanted in ((history.reward_model, True), (history.ppo, False)):
        page = client.get(reverse("checkpoint-detail", args=[checkpoint.pk])).content.decode()
        assert (f'href="{reverse("reward-model", args=[checkpoint.pk])}"' in page) == wanted
