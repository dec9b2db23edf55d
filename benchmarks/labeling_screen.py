"""The ranking screen as a labeler's Chromium sees it: `python -m benchmarks.labeling_screen`.

Printed: the keys that place K answers and submit; the requests and bytes of the first item with an empty cache, and of
a following one; and the time from the key that submits to the next item on the screen, alone and with others at work
(over HTTP, pausing after each item as the settings say; a person takes longer). Bytes are those of the wire, headers
included. For scale, measured apart from this: Label Studio 1.23 takes 5 and 10 mouse gestures or about 25 and 50 keys,
35 requests and 8 MB, and 4.8 s until its page is usable.
"""

import argparse
import contextlib
import os
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks import server
from benchmarks.report import Measurement, append_lines, machine, table

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
BARS = {"keys_k4": 5, "keys_k9": 10, "first_requests": 10, "first_bytes": 200_000, "submit_to_next_ms_p50": 150}
# Painted: the frame after the swap has been handed over when the task behind it runs.
WATCH = """
(() => {
  window.painted = [];
  let begin = 0;
  addEventListener("keydown", (event) => { if (event.key === "Enter") begin = performance.now(); }, { capture: true });
  document.addEventListener("podium:ranking", () => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => window.painted.push(performance.now() - begin);
    channel.port2.postMessage(0);
  }));
})();
"""


@dataclass(frozen=True)
class Value:
    """One figure with the settings it stands under."""

    name: str
    value: float
    unit: str
    settings: dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.labeling_screen", description=__doc__)
    parser.add_argument("--items", type=int, default=200, help="ranked in the browser at each number of labelers")
    parser.add_argument("--labelers", type=int, nargs="+", default=[1, 20], help="at work at the same time")
    parser.add_argument("--pause", type=float, default=2.0, help="seconds that each of the others rests after an item")
    parser.add_argument("--json", type=Path, help="append the measurements to this file, one JSON object a line")
    options = parser.parse_args(arguments)
    print(
        f"{machine()}; {options.items} items, the others pause {options.pause:g} s, K = 4, texts of 80 words",
        flush=True,
    )
    with tempfile.TemporaryDirectory(prefix="podium-benchmark-") as home:
        server.set_up(Path(home))
        values = list(measure(options.items, options.labelers, options.pause))
    print(as_table(values))
    if options.json:
        append_lines(options.json, (Measurement(f"screen.{v.name}", v.settings, v.value, v.unit) for v in values))


def measure(items: int, labelers: Sequence[int], pause: float) -> Iterator[Value]:
    from playwright.sync_api import sync_playwright

    from benchmarks import line
    from tests import chromium

    # Playwright runs an event loop in this thread, and beside one Django refuses to talk to a database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    line.refill(items * (sum(labelers) + 10))
    with server.web_server() as (port, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=ARGUMENTS)
        yield from _first_item(browser, port)
        for k in (4, 9):
            (who,) = line.labelers(f"keys-{k}", 1)
            line.put_in_front(k, 1)
            yield Value(f"keys_k{k}", _Screen(browser, port, who.user).keys_for(k), "keys", {"k": k})
        for many in labelers:
            me, *others = line.labelers(f"screen-{many}", many)
            screen = _Screen(browser, port, me.user)
            with _others_at_work(others, port, pause):
                times, sizes = screen.rank(items)
            settings = {"items": items, "labelers": many, "pause": pause}
            if many == min(labelers):
                yield Value("next_bytes", median(sizes), "bytes", settings)
            cuts = quantiles(times, n=100, method="inclusive")
            yield Value("submit_to_next_ms_p50", round(cuts[49], 1), "ms", settings)
            yield Value("submit_to_next_ms_p95", round(cuts[94], 1), "ms", settings)
        browser.close()


class _Screen:
    """One labeler's browser with an empty cache. What goes over the wire is counted."""

    def __init__(self, browser: Any, port: int, user: Any) -> None:
        from django.test import Client

        client = Client()
        client.force_login(user)  # the session without the log-in form: that page is not what is measured
        self.context = browser.new_context(base_url=f"http://127.0.0.1:{port}", viewport={"width": 1366, "height": 850})
        session = {"name": "sessionid", "value": client.cookies["sessionid"].value}
        self.context.add_cookies([{**session, "domain": "127.0.0.1", "path": "/"}])
        self.page = self.context.new_page()
        self.requests, self.bytes = 0, 0.0
        network = self.context.new_cdp_session(self.page)
        network.send("Network.enable")
        network.on("Network.loadingFinished", self._count)

    def _count(self, event: dict[str, Any]) -> None:
        self.requests += 1
        self.bytes += event["encodedDataLength"]

    def open(self, address: str) -> float:
        """Seconds until the keys work on the ranking page at this address, and all has come."""
        begin = time.perf_counter()
        self.page.goto(address)
        self.page.wait_for_function("document.querySelector('#order .hint')")
        usable = time.perf_counter() - begin
        self.page.wait_for_load_state("networkidle")
        return usable

    def start(self) -> None:
        self.page.goto("/")
        self.page.get_by_role("button", name="Rank").press("Enter")
        self.page.wait_for_url("**/rank/**")
        self.page.wait_for_function("document.querySelector('#order .hint')")
        self.page.evaluate(WATCH)

    def keys_for(self, k: int) -> int:
        """Presses keys until the ranking of K answers is sent in, and says how many it were."""
        self.start()
        address, pressed = self.page.url, 0
        assert self.page.locator(".card").count() == k
        for key in [*map(str, range(1, k + 1)), "Enter"]:
            self.page.keyboard.press(key)
            pressed += 1
        self.page.wait_for_function("(before) => location.href !== before", arg=address)
        return pressed

    def rank(self, items: int) -> tuple[list[float], list[float]]:
        """Ranks so many items by key: for each the ms from Enter to the next one painted, and the bytes it took."""
        self.start()
        sizes = []
        for done in range(1, items + 1):
            before = self.bytes
            for key in ("1", "2", "3", "4", "Enter"):
                self.page.keyboard.press(key)
            self.page.wait_for_function("(count) => window.painted.length >= count", arg=done, polling=5)
            sizes.append(self.bytes - before)
        return self.page.evaluate("window.painted"), sizes


def _first_item(browser: Any, port: int) -> Iterator[Value]:
    """The ranking page straight from its address, with nothing in the cache."""
    from benchmarks import line
    from benchmarks.browsers import Browser

    (who,) = line.labelers("first", 1)
    screen = _Screen(browser, port, who.user)
    usable = screen.open(Browser(port, who.user).address)
    yield Value("first_requests", screen.requests, "requests", {"k": 4})
    yield Value("first_bytes", screen.bytes, "bytes", {"k": 4})
    yield Value("first_usable_ms", round(1000 * usable), "ms", {"k": 4})


@contextlib.contextmanager
def _others_at_work(people: Sequence[Any], port: int, pause: float) -> Iterator[None]:
    """Labelers who rank over HTTP, one item and a pause after the other, until the block ends."""
    from benchmarks.browsers import Browser, Times

    over = threading.Event()

    def work(browser: Browser, delay: float) -> None:
        over.wait(delay)
        while not over.is_set():
            browser.cycle(Times())
            over.wait(pause)

    browsers = [Browser(port, person.user) for person in people]
    threads = [
        threading.Thread(target=work, args=(browser, pause * number / len(browsers)))
        for number, browser in enumerate(browsers)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def as_table(values: Sequence[Value]) -> str:
    rows = [
        [f"screen.{v.name}", ", ".join(f"{key} {value}" for key, value in v.settings.items()), f"{v.value:,g} {v.unit}",
         f"{BARS[v.name]:,}" if v.name in BARS else ""]
        for v in values
    ]  # fmt: skip
    return table(["measure", "settings", "value", "at most"], rows)


if __name__ == "__main__":
    main()
