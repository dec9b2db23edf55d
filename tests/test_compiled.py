"""A queryset compiled once answers as the same queryset compiled each time."""

import threading

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.postgres.compiled import Compiled


@pytest.fixture
def by_name(db: None) -> Compiled[Permission]:
    return Compiled(
        lambda codename, app: Permission.objects.select_related("content_type").filter(
            codename=codename, content_type__app_label=app
        ),
        *("some-codename", "some-app"),
    )


@pytest.mark.parametrize("codename", ["add_group", "delete_user"])
def test_each_call_finds_what_its_own_values_say(by_name: Compiled[Permission], codename: str) -> None:
    for _ in range(2):
        for name in (codename, "change_group"):
            app = "labeling" if name == "delete_user" else "auth"
            found = by_name.first(name, app)
            expected = Permission.objects.select_related("content_type").get(codename=name, content_type__app_label=app)
            assert found == expected and found is not None
            with CaptureQueriesContext(connection) as queries:
                assert found.content_type == expected.content_type  # came with the join
            assert len(queries) == 0
    assert by_name.first("no-such", "auth") is None


def test_a_found_row_can_be_saved_and_deleted(db: None) -> None:
    find = Compiled(lambda name: Group.objects.filter(name=name), "a stand-in")
    Group.objects.create(name="one")
    group = find.first("one")
    assert group is not None and not group._state.adding
    group.name = "another"
    group.save()
    assert find.first("one") is None and find.first("another") == group


@pytest.mark.django_db(transaction=True)
def test_threads_use_their_own_connections() -> None:
    find = Compiled(lambda name: Group.objects.filter(name=name), "a stand-in")
    Group.objects.create(name="shared")
    found: list[Group | None] = [find.first("shared")]

    def look() -> None:
        found.append(find.first("shared"))
        connection.close()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [found[0]] * 5 and found[0] is not None


def test_a_value_that_cannot_be_told_apart_is_refused(db: None) -> None:
    ambiguous = Compiled(lambda name: Permission.objects.filter(codename=name, name="same"), "same")
    with pytest.raises(ValueError, match="found once"):
        ambiguous.first("x")
