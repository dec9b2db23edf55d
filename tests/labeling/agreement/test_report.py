"""What the report says: by hand for three items, and in words where there is nothing to say."""

import pytest
from django.core.cache import caches

from labeling.agreement import report
from labeling.agreement.rows import Filters
from labeling.agreement.wording import Figure, Line, Report
from labeling.models import Labeler, Ranking
from labeling.rankings.remarks import Remarks
from labeling.rankings.submit import correct
from labeling.rubrics import publish
from tests.labeling.agreement.overlap import numbers, rank, ranked_by
from tests.work import ranking_work

pytestmark = pytest.mark.django_db
IN_ORDER, REVERSED, ALL_TIED = [1, 2, 3, 4], [4, 3, 2, 1], [1, 1, 1, 1]


@pytest.fixture(autouse=True)
def nothing_is_known() -> None:
    caches["reports"].clear()


def now(**filters: object) -> Report:
    return report.of(Filters(**filters))  # type: ignore[arg-type]


def line(lines: list[Line], key: str) -> Line:
    return next(line for line in lines if line["key"] == key)


def short(figure: Figure | Line) -> tuple[float | None, int, str]:
    return figure["value"], figure["items"], figure["why"]


def test_three_items_by_hand(labeler: Labeler, second_labeler: Labeler) -> None:
    """Agreed, reversed, and one pair of six turned around: 6 + 0 + 5 of 18 pairs; tau 1, -1, 4/6."""
    batch = ranking_work(3, need=2)
    ranked_by(batch, (labeler, [IN_ORDER] * 3), (second_labeler, [IN_ORDER, REVERSED, [2, 1, 3, 4]]))
    found = now()
    few = "no interval from fewer than 5 items"
    assert short(line(found["overall"], "ties_excluded")) == (pytest.approx(11 / 18), 3, few)
    assert short(line(found["overall"], "ties_half")) == (pytest.approx(11 / 18), 3, few)
    assert short(line(found["overall"], "tau_b")) == (pytest.approx(2 / 9), 3, few)
    assert found["counts"] == {
        "rankings": 6, "items": 3, "shared_rankings": 6, "shared_items": 3, "labelers": 2, "comparisons": 3,
    }  # fmt: skip
    [pair] = found["pairs"]
    assert {pair["labeler"], pair["other"]} == {labeler.pseudonym, second_labeler.pseudonym}
    assert pair["value"] == pytest.approx(11 / 18)
    assert [one["value"] for one in found["labelers"]] == [pytest.approx(11 / 18)] * 2
    groups = {group["by"]: group["lines"] for group in found["groups"]}
    assert [(one["value"], one["label"]) for one in groups["batch"]] == [(str(batch.pk), batch.name)]
    assert groups["round"] == []
    assert groups["cohort"][0]["ties_excluded"]["value"] == pytest.approx(11 / 18)
    assert [period["items"] for period in found["periods"]] == [3]


def test_an_empty_database_says_why_there_is_nothing() -> None:
    found = now()
    assert {short(one) for one in found["overall"]} == {(None, 0, "fewer than 2 labelers on any item")}
    assert {short(one) for one in found["ratings"]} == {(None, 0, "fewer than 2 labelers rated the same completion")}
    assert (found["flags"], found["labelers"], found["pairs"], found["periods"]) == ([], [], [], [])


def test_one_label_an_item_says_so(labeler: Labeler) -> None:
    ranked_by(ranking_work(2), (labeler, [IN_ORDER] * 2))
    found = now()
    assert (found["counts"]["rankings"], found["counts"]["shared_items"]) == (2, 0)
    assert short(line(found["overall"], "alpha")) == (None, 0, "fewer than 2 labelers on any item")


def test_ties_alone_leave_nothing_but_the_rule_that_counts_them(labeler: Labeler, second_labeler: Labeler) -> None:
    ranked_by(ranking_work(1, need=2), (labeler, [ALL_TIED]), (second_labeler, [ALL_TIED]))
    overall = now()["overall"]
    tied = "the labelers tie everything, so nothing is left to agree on"
    assert short(line(overall, "ties_half"))[:2] == (1.0, 1)
    assert short(line(overall, "ties_excluded")) == (None, 0, "no two completions that both labelers put in order")
    assert {short(line(overall, key)) for key in ("tau_b", "w", "alpha")} == {(None, 0, tied)}


def test_flags_and_ratings_by_hand(labeler: Labeler, second_labeler: Labeler) -> None:
    """Four completions: of `sexual` one ticked by both, one by the first alone; ratings 7 7, 5 5, 1 1, 2 3."""
    ranking_work(1, need=2)
    rank(labeler, IN_ORDER, Remarks(ratings={1: 7, 2: 5, 3: 1, 4: 2}, flags={1: ["sexual"], 2: ["sexual"]}))
    rank(second_labeler, IN_ORDER, Remarks(ratings={1: 7, 2: 5, 3: 1, 4: 3}, flags={1: ["sexual"]}))
    found = now()
    sexual = next(flag for flag in found["flags"] if flag["key"] == "sexual")
    assert (sexual["label"], sexual["ticked"], sexual["answers"]) == ("Sexual content", 3, 8)
    assert sexual["same"]["value"] == pytest.approx(0.75)
    # Fleiss: P = 3/4, shares 3/8 and 5/8, P_e = 34/64: (48 - 34) / (64 - 34).
    assert sexual["kappa"]["value"] == pytest.approx(14 / 30)
    violent = next(flag for flag in found["flags"] if flag["key"] == "violent")
    assert short(violent["kappa"]) == (None, 0, "never ticked, so agreement cannot be told from chance")
    assert violent["same"]["value"] == 1.0
    assert line(found["ratings"], "rating_same")["value"] == pytest.approx(0.75)


def test_flags_that_nobody_was_asked_are_no_rows(labeler: Labeler, second_labeler: Labeler) -> None:
    publish.current()
    publish.publish(ratings="off", flags=["violent"], traits=[])
    ranked_by(ranking_work(1, need=2), (labeler, [IN_ORDER]), (second_labeler, [IN_ORDER]))
    assert [flag["key"] for flag in now()["flags"]] == ["violent"]


def test_ratings_that_are_all_the_same_say_so(labeler: Labeler, second_labeler: Labeler) -> None:
    ranking_work(1, need=2)
    for person in (labeler, second_labeler):
        rank(person, IN_ORDER, Remarks(ratings=dict.fromkeys(range(1, 5), 4)))
    ratings = now()["ratings"]
    assert line(ratings, "rating_same")["value"] == 1.0
    assert line(ratings, "rating_ordinal")["why"] == "all ratings are the same, so agreement cannot be told from chance"


def test_it_is_computed_once_and_anew_when_something_has_changed(
    labeler: Labeler, second_labeler: Labeler, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranked_by(ranking_work(1, need=2), (labeler, [IN_ORDER]), (second_labeler, [IN_ORDER]))
    computed: list[int] = []
    compute = report.compute
    monkeypatch.setattr(report, "compute", lambda labels: computed.append(1) or compute(labels))
    first = now()
    assert now() == first and len(computed) == 1
    assert now(cohort="held_out")["counts"]["rankings"] == 0
    ranking = Ranking.objects.get(labeler=labeler)
    correct(labeler, ranking.assignment_id, dict(zip(numbers(ranking.assignment), REVERSED, strict=True)))
    second = now()
    assert second["version"] != first["version"]
    assert second["overall"] != first["overall"]
    assert len(computed) == 3
