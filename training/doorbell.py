"""Doorbells: Celery messages that may be lost. The rows hold the truth, and beat looks at them again."""

import logging
from typing import Any

from celery import current_app
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def ring(task: str, *args: Any, expires: float = 60, queue: str | None = None) -> bool:
    """Tell a worker to look, by the name of the task. False where the broker cannot be reached; never raises for it.

    `queue` takes the place of the task's own. A bell that nobody heard in `expires` seconds is dropped: by then beat
    has rung again.
    """
    options: dict[str, Any] = {"queue": queue} if queue else {}
    try:
        current_app.send_task(task, args, expires=expires, retry=False, **options)
    except (KombuError, RedisError, OSError) as error:
        logger.warning("The broker did not take %s%r: %s. Beat rings again.", task, args, error)
        return False
    return True
