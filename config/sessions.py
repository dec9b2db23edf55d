"""Sessions in the database, as Django's own, read by one prepared statement: every request needs one."""

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions
from django.db import connection
from django.utils import timezone

READ = """
SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > %s
"""


class SessionStore(DatabaseSessions):
    """Building and compiling the query takes the ORM longer than PostgreSQL takes to answer it."""

    def load(self) -> dict[str, Any]:
        """What the session holds; nothing where it is unknown or has expired."""
        row = None
        if self.session_key and "\0" not in self.session_key:
            with connection.cursor() as cursor:
                cursor.execute(READ, [self.session_key, timezone.now()])
                row = cursor.fetchone()
        if row is None:
            self._session_key = None
            return {}
        return self.decode(row[0])

    @classmethod
    def get_model_class(cls) -> Any:
        return DatabaseSessions.get_model_class()
