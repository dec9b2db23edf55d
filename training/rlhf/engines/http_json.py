"""JSON posted to one URL, again where that may help, and one sentence where it does not."""

import contextlib
import http.client
import json
import random
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from training.contract.execute import RunStopped, StopFlag
from training.contract.run_dir import RunError

Answer = TypeVar("Answer")

BACKOFF_SECONDS = 1.0  # before the second attempt; twice as long before each further one
LONGEST_WAIT = 60.0  # seconds, also where the server asks for more
QUOTED = 200  # characters of a server's own words in a sentence of ours


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected request would carry the key to another host, and become a GET."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class _Passing(Exception):
    """What may be gone at the next attempt; `wait` is how many seconds the server asked for."""

    def __init__(self, sentence: str, wait: float = 0.0) -> None:
        super().__init__(sentence)
        self.wait = wait


class JsonClient:
    """May be used by several threads at once. `timeout` in seconds, without a byte from the server."""

    def __init__(self, url: str, key: str, attempts: int, timeout: float, stop: StopFlag) -> None:
        self.url, self.attempts, self.timeout, self.stop = url, attempts, timeout, stop
        self._key = key
        self._opener = urllib.request.build_opener(_NoRedirect)

    def post(self, body: Mapping[str, object], read: Callable[[object], Answer]) -> Answer:
        """`read` of the answer; its ValueError is a bad answer, asked for again like a lost one.

        Raises RunError after the last attempt, or at once where another would be no use; RunStopped when asked to.
        """
        attempt = 1
        while True:
            if self.stop.requested:
                raise RunStopped
            try:
                return self._once(body, read)
            except _Passing as trouble:
                if attempt == self.attempts:
                    raise RunError(f"{trouble} (after {attempt} attempts).") from None
                # Half of it by chance, so that the requests that were refused together do not come back together.
                wait = BACKOFF_SECONDS * 2 ** (attempt - 1) * random.uniform(0.5, 1.0)
                self._pause(min(LONGEST_WAIT, max(wait, trouble.wait)))
            attempt += 1

    def _once(self, body: Mapping[str, object], read: Callable[[object], Answer]) -> Answer:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self._key}"} if self._key else {})
        request = urllib.request.Request(self.url, json.dumps(body).encode(), headers, method="POST")
        try:
            with self._opener.open(request, timeout=self.timeout) as response:
                return read(json.loads(response.read()))
        except urllib.error.HTTPError as error:
            with error:
                raise self._refusal(error) from None
        except (OSError, http.client.HTTPException) as error:  # refused, reset, timed out, cut in the middle
            reason = getattr(error, "reason", None) or error
            raise _Passing(f"{self.url} cannot be reached: {str(reason) or type(reason).__name__}") from None
        except ValueError as error:
            what = "the answer is not JSON" if isinstance(error, (json.JSONDecodeError, UnicodeDecodeError)) else error
            raise _Passing(f"{self.url} gives no usable answer: {what}") from None

    def _refusal(self, error: urllib.error.HTTPError) -> Exception:
        if error.code == 429 or error.code >= 500:
            return _Passing(f"{self.url} answers {error.code}: {error.reason}", _seconds(error.headers["Retry-After"]))
        if error.code in (401, 403):
            # Not in the server's own words: they often repeat the key.
            return RunError(
                f"{self.url} refuses the key ({error.code}); api_key_env names the variable it is read from."
            )
        if error.code == 404:
            return RunError(f"{self.url} is not there, or has no such model (404); base_url often ends in /v1.")
        return RunError(f"{self.url} refuses the request ({error.code}): {self._words(error)}")

    def _words(self, error: urllib.error.HTTPError) -> str:
        try:
            words = error.read(10_000).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            words = str(error.reason)
        with contextlib.suppress(ValueError, KeyError, TypeError):  # else the words are the whole answer
            words = str(json.loads(words)["error"]["message"])
        words = " ".join(words.split())
        return (words.replace(self._key, "…") if self._key else words)[:QUOTED]

    def _pause(self, seconds: float) -> None:
        """Sleep, but not through a stop."""
        until = time.monotonic() + seconds
        while not self.stop.requested and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))


def _seconds(retry_after: str | None) -> float:
    """Retry-After in seconds; 0 where there is none, or a date."""
    try:
        return max(0.0, float(retry_after or 0))
    except ValueError:
        return 0.0
