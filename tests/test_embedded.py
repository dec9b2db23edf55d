"""The embedded PostgreSQL is a real one, and the queue's line exists."""

import pytest
from django.db import connection


@pytest.mark.django_db
def test_the_suite_runs_on_real_postgresql() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('labeling_workitem_pos'), version()")
        pos, version = cursor.fetchone()
    assert pos >= 1
    assert version.startswith("PostgreSQL")
