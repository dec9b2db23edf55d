"""Django asks the server `SELECT 1` at the start of every request; here the socket is asked first."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """A kept connection on whose socket nothing waits is taken to live.

    Between requests a server has nothing to say, so anything that can be read (an end, a shutdown's notice) is a
    reason for the full check. A server that vanished without a word is noticed by neither.
    """

    def is_usable(self) -> bool:
        if self.connection is None or self.connection.closed:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return not poll.poll(0) or super().is_usable()
