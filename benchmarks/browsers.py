"""Labelers over real HTTP, as a browser without JavaScript works: read the page, send the form, follow the redirect."""

import http.client
import random
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.test import Client

from labeling.models import Kind, User

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
PLACE = re.compile(r'<select name="(place-\d)"')


@dataclass
class Times:
    """Seconds of each request, in the order they were made."""

    next: list[float] = field(default_factory=list)
    submit: list[float] = field(default_factory=list)

    def __add__(self, other: "Times") -> "Times":
        return Times(self.next + other.next, self.submit + other.submit)


class Browser:
    """One logged-in labeler with one kept-alive connection, at the ranking page `address`."""

    def __init__(self, port: int, user: User) -> None:
        # The session is made without the log-in form: a password's hash takes longer than ten cycles.
        client = Client()
        client.force_login(user)
        self.cookies = {"sessionid": client.cookies["sessionid"].value}
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.dice = random.Random(user.pk)
        start = {"csrfmiddlewaretoken": self._token(self._get("/"))}
        self.address = self._post(f"/work/next/{Kind.RANK}/", start)

    def cycle(self, times: Times) -> None:
        """Reads the ranking page (`next`) and sends an order with chance ties (`submit`); the answer leads on."""
        begin = time.perf_counter()
        page = self._get(self.address)
        middle = time.perf_counter()
        names = PLACE.findall(page)
        form = {name: str(self.dice.randint(1, len(names))) for name in names}
        self.address = self._post(self.address, {**form, "csrfmiddlewaretoken": self._token(page)})
        times.next.append(middle - begin)
        times.submit.append(time.perf_counter() - middle)

    def _get(self, address: str) -> str:
        return self._ask("GET", address)[1]

    def _post(self, address: str, form: dict[str, str]) -> str:
        location, _ = self._ask("POST", address, urlencode(form))
        if "/nothing/" in location:
            raise SystemExit("The line ran out of work while measuring: fewer --seconds or more --items.")
        return location

    def _ask(self, method: str, address: str, body: str | None = None) -> tuple[str, str]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request(method, address, body, headers)
        response = self.connection.getresponse()
        text = response.read().decode()
        if response.status != (200 if body is None else 302):
            raise SystemExit(f"{method} {address} gave {response.status}: {' '.join(text.split())[:300]}")
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
        return response.headers.get("Location", ""), text

    @staticmethod
    def _token(page: str) -> str:
        found = TOKEN.search(page)
        if found is None:
            raise SystemExit("A page came without a CSRF token; is this Podium?")
        return found[1]


def at_once(browsers: Sequence[Browser], *, cycles: int = 0, seconds: float = 0.0) -> Times:
    """All of them at the same time, without a pause, for so many cycles each or so many seconds."""
    deadline = time.perf_counter() + seconds

    def one(browser: Browser) -> Times:
        times = Times()
        while len(times.next) < cycles or time.perf_counter() < deadline:
            browser.cycle(times)
        return times

    with ThreadPoolExecutor(len(browsers)) as pool:
        return sum(pool.map(one, browsers), Times())
