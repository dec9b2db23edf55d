"""Versions of the rubric."""

import threading

import pytest
from django.db import connection

from labeling.errors import BadInput, Conflict
from labeling.models import Rubric
from labeling.rubrics import publish

pytestmark = pytest.mark.django_db


def test_the_first_one_asks_the_papers_questions() -> None:
    """Ouyang et al. 2022, Table 3: eleven flags beside the overall quality; Table 7: eleven traits of a prompt."""
    first = publish.current()
    assert (first.version, first.ratings, len(first.flags), len(first.traits)) == (1, "optional", 11, 11)
    assert publish.current() == first


def test_the_next_one_asks_what_was_chosen_and_the_first_stays() -> None:
    first = publish.current()
    second = publish.publish(ratings="required", flags=["violent", "hallucination"], traits=[])
    assert [flag["key"] for flag in second.flags] == ["hallucination", "violent"]  # in the order of the page
    assert (second.version, second.traits, publish.current()) == (2, [], second)
    first.refresh_from_db()
    assert len(first.flags) == 11


def test_labels_from_before_there_were_rubrics_are_not_a_rubric_to_go_on_with() -> None:
    Rubric.objects.create(version=0, ratings="off")
    assert publish.current().version == 1


def test_unknown_questions_and_settings_are_refused() -> None:
    with pytest.raises(BadInput, match="no question “nonsense”"):
        publish.publish(ratings="off", flags=["nonsense"], traits=[])
    with pytest.raises(BadInput, match="no way to ask"):
        publish.publish(ratings="maybe", flags=[], traits=[])
    assert not Rubric.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_researchers_at_the_same_moment_make_one_version_each_or_are_told() -> None:
    publish.current()
    told: list[Conflict] = []

    def at_once() -> None:
        try:
            publish.publish(ratings="off", flags=[], traits=[])
        except Conflict as refusal:
            told.append(refusal)
        finally:
            connection.close()

    threads = [threading.Thread(target=at_once) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    versions = list(Rubric.objects.order_by("version").values_list("version", flat=True))
    assert versions == list(range(1, len(versions) + 1))
    assert len(versions) - 1 + len(told) == 6
