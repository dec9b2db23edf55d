"""A small real HTTP server on 127.0.0.1 that answers as OpenAI-compatible servers do, and fails when it is told to."""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Trouble = Callable[["Handler", dict[str, Any]], None]


class ModelServer(ThreadingHTTPServer):
    """Each request is met by the next of `troubles`, and by an answer once these are used up."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, troubles: Iterable[Trouble] = (), seconds: float = 0.0) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.troubles, self.seconds = deque(troubles), seconds
        self.requests: list[dict[str, Any]] = []  # the bodies
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.times: list[float] = []
        self.guard = threading.Lock()
        self.under_way = self.most_under_way = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that are killed are no news."""


class Handler(BaseHTTPRequestHandler):
    server: ModelServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "{}")
        server = self.server
        with server.guard:
            server.requests.append(body)
            server.headers.append(dict(self.headers))
            server.paths.append(self.path)
            server.times.append(time.monotonic())
            trouble = server.troubles.popleft() if server.troubles else answer
            server.under_way += 1
            server.most_under_way = max(server.most_under_way, server.under_way)
        time.sleep(server.seconds)
        with server.guard:
            server.under_way -= 1
        trouble(self, body)

    do_GET = do_POST  # noqa: N815 - what a followed redirect would send

    def reply(self, code: int, text: str, **headers: str) -> None:
        data = text.encode()
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        pass


def words(body: dict[str, Any], number: int) -> str:
    """The text of a choice: what was asked, the seed and which of the n it is, so that every one is another."""
    prompt = body["messages"][0]["content"] if "messages" in body else body["prompt"]
    return f"{prompt.strip()} [{body['seed']}.{number}]"


def choices(body: dict[str, Any], count: int) -> str:
    """The first one ended itself, the others were cut off."""
    made = []
    for number in range(count):
        text = words(body, number)
        said = {"message": {"role": "assistant", "content": text}} if "messages" in body else {"text": text}
        made.append({"index": number, "finish_reason": "length" if number else "stop"} | said)
    return json.dumps({"object": "chat.completion", "choices": made})


def answer(handler: Handler, body: dict[str, Any]) -> None:
    handler.reply(200, choices(body, body["n"]))


def fewer(handler: Handler, body: dict[str, Any]) -> None:
    """One choice, however many were asked for."""
    handler.reply(200, choices(body, 1))


def more(handler: Handler, body: dict[str, Any]) -> None:
    handler.reply(200, choices(body, body["n"] + 2))


def says(code: int, text: str = "", **headers: str) -> Trouble:
    return lambda handler, body: handler.reply(code, text, **headers)


def cut(handler: Handler, body: dict[str, Any]) -> None:
    """The connection ends in the middle of the answer."""
    text = choices(body, body["n"])
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(text)))
    handler.end_headers()
    handler.wfile.write(text[: len(text) // 2].encode())
    handler.close_connection = True


def hang_up(handler: Handler, body: dict[str, Any]) -> None:
    """The connection ends before the answer."""
    handler.connection.close()


@contextmanager
def serving(troubles: Iterable[Trouble] = (), seconds: float = 0.0) -> Iterator[ModelServer]:
    """A server for the time of the block; `seconds` is how long it thinks."""
    server = ModelServer(troubles, seconds)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
