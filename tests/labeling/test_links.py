"""Every link that a page of the office offers leads somewhere its reader may go."""

import html
import re
from collections import Counter

import pytest
from django.test import Client
from django.urls import resolve, reverse

from labeling.adjudication import decide
from labeling.labelers import standing
from labeling.labelers.enroll import give_role
from labeling.models import Labeler, Ranking, Role, User
from labeling.quality import drift
from labeling.quality.answer import answer
from labeling.surveys import hold
from labeling.threads import talk
from tests.labeling.agreement.overlap import ranked_by
from tests.labeling.screening.people import answer_all, make_candidate, make_set
from tests.work import ranking_work

pytestmark = pytest.mark.django_db
EACH = 3  # addresses of one page, of which there may be hundreds
LINK = re.compile(r'<a [^>]*?href="([^"#]+)')


@pytest.fixture
def lived_in(labeler: Labeler, second_labeler: Labeler, researcher: User, admin_user: User) -> None:
    """Rankings, a decision, known items, a candidate, a survey, a word to everybody, somebody paused."""
    batch = ranking_work(2, need=2)
    ranked_by(batch, (labeler, [[1, 2, 3, 4]] * 2), (second_labeler, [[4, 3, 2, 1], [1, 1, 2, 3]]))
    first, second = batch.items.order_by("pk")
    decide.take(researcher, first)
    ranking = Ranking.objects.filter(item=first).earliest("pk")
    decide.decide(researcher, first, base=0, reason="It answers.", errors=["taste"], ranking=ranking.pk)
    drift.add(researcher, first)
    answer(researcher, second, {1: 1, 2: 2, 3: 3, 4: 4}, "So it is.", "silent")
    make_set(researcher)
    answer_all(make_candidate())
    hold.open_survey(researcher, "satisfaction", "How is it?")
    talk.announce(researcher, "A holiday", "No new work on Monday.")
    talk.ask(labeler, "Is a tie fine here?", first)
    standing.pause(labeler, by=admin_user, why="We talk first.")


def dead_links(client: Client) -> tuple[dict[str, str], Counter[str]]:
    """What answered with neither a page nor a file, and where the link stood; how often each kind of page was read."""
    waiting, seen, dead, read = [(reverse("home"), "")], set[str](), dict[str, str](), Counter[str]()
    while waiting:
        address, on = waiting.pop()
        name = resolve(address.split("?")[0]).view_name
        if address in seen or read[name] >= EACH:
            continue
        seen.add(address)
        read[name] += 1
        response = client.get(address, follow=True)
        if response.status_code != 200:
            dead[address] = f"{response.status_code}, on {on}"
        elif response["Content-Type"].startswith("text/html"):
            here = response.request["PATH_INFO"]
            links = [html.unescape(link) for link in LINK.findall(response.content.decode())]
            links = [f"{here}{link}" if link.startswith("?") else link for link in links]
            waiting += [(link, address) for link in links if link.startswith("/") and not link.startswith("/static/")]
    return dead, read


@pytest.mark.parametrize("roles", [{Role.ADMIN}, {Role.RESEARCHER}, {Role.ADMIN, Role.RESEARCHER}], ids=str)
def test_no_link_of_the_office_is_dead(
    roles: set[Role], client: Client, lived_in: None, admin_user: User, researcher: User
) -> None:
    user = admin_user if Role.ADMIN in roles else researcher
    for role in roles:
        give_role(user, role)
    client.force_login(user)
    dead, read = dead_links(client)
    assert dead == {}
    wanted = {"agreement", "scorecard-list", "scorecard", "finding-list", "adjudication", "adjudication-item"}
    wanted |= {"screening-list", "screening-set", "survey-list", "survey-results", "queue-rules", "thread-list"}
    if Role.ADMIN in roles:
        wanted |= {"labeler-list", "labeler-detail", "timesheet", "labeler-timesheet", "labeler-data"}
        wanted |= {"screening-selection"}
    if Role.RESEARCHER in roles:
        wanted |= {"known-list", "held-list", "guideline-publish", "rubric-list", "topic-list", "exclusion-list"}
        wanted |= {"round-new", "text-import", "base-import"}
        wanted |= {"judgement-list", "judgement-open"}
    assert wanted - set(read) == set()
