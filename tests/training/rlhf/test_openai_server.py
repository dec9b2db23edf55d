"""The engine that asks a server, against a real one on 127.0.0.1."""

import socket
import time
from itertools import repeat
from threading import Timer
from typing import Any

import pytest

from tests.training.model_server import ModelServer, Trouble, cut, fewer, hang_up, more, says, serving
from training.contract.execute import RunStopped, StopFlag
from training.contract.run_dir import RunError
from training.contract.specs import SampleSpec
from training.rlhf.engines import OpenAIEngine, http_json

PROMPTS = ["Name a fruit.", "Name a color.", "Say hello."]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_json, "BACKOFF_SECONDS", 0.02)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def engine(server: ModelServer, stop: StopFlag | None = None, **changes: Any) -> OpenAIEngine:
    spec = SampleSpec(**{"engine": "openai", "base_url": server.url, "model": "tiny", "max_attempts": 3} | changes)
    spec.validate()
    return OpenAIEngine(spec, stop or StopFlag())


def test_every_prompt_gets_its_samples_in_order() -> None:
    """The text, whether the model ended it, and the seed that was sent; no tokens, because a server gives texts."""
    with serving() as server:
        found = engine(server, max_concurrency=3).sample(PROMPTS, 2, seed=5)
    assert [(one.finished, one.token_ids, one.logprobs) for one in found] == [(True, [], []), (False, [], [])] * 3
    texts = [
        f"{prompt} [{one.seed}.{k}]"
        for prompt, one, k in zip(sorted(PROMPTS * 2, key=PROMPTS.index), found, [0, 1] * 3, strict=True)
    ]
    assert [one.text for one in found] == texts
    assert len({one.seed for one in found}) == 3
    assert all(0 <= one.seed < 2**31 for one in found)


def test_what_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODIUM_TEST_KEY", "sk-123")
    sampling = {"temperature": 0.7, "top_p": 0.9, "response_length": 50}
    with serving() as server:
        engine(server, api_key_env="PODIUM_TEST_KEY", **sampling).sample(["Hi"], 4, seed=1)
        engine(server, endpoint="completions", **sampling).sample(["Hi"], 4, seed=1)
    assert server.paths == ["/v1/chat/completions", "/v1/completions"]
    chat, plain = server.requests
    common = {"model": "tiny", "n": 4, "temperature": 0.7, "top_p": 0.9, "max_tokens": 50, "seed": chat["seed"]}
    assert chat == common | {"messages": [{"role": "user", "content": "Hi"}]}
    assert plain == common | {"prompt": "Hi\n"}
    assert server.headers[0]["Authorization"] == "Bearer sk-123"
    assert "Authorization" not in server.headers[1]


def test_one_seed_asks_for_the_same_and_another_for_others() -> None:
    with serving() as server:
        first, again, other = (engine(server).sample(PROMPTS, 2, seed) for seed in (1, 1, 2))
    assert first == again
    assert not {one.text for one in first} & {one.text for one in other}


@pytest.mark.parametrize(
    "trouble",
    [
        says(429),
        says(500),
        says(503, "overloaded"),
        cut,
        hang_up,
        says(200, "<html>"),
        says(200, "[]"),
        says(200, '{"choices": []}'),
        says(200, '{"choices": [{"text": 3}]}'),
        says(200, '{"choices": [null]}'),
    ],
)
def test_what_may_pass_is_tried_again(trouble: Trouble) -> None:
    with serving([trouble, trouble]) as server:
        (found,) = engine(server).sample(["Hi"], 1, seed=5)
    assert found.text == f"Hi [{found.seed}.0]"
    assert len(server.requests) == 3
    assert all(request == server.requests[0] for request in server.requests)


def test_it_waits_longer_each_time_and_as_long_as_the_server_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_json, "BACKOFF_SECONDS", 0.2)
    with serving([says(429), says(500), says(429, Retry_After="1")]) as server:
        engine(server, max_attempts=4).sample(["Hi"], 1, seed=5)
    first, second, third = (after - before for before, after in zip(server.times, server.times[1:], strict=False))
    assert first >= 0.1
    assert second >= 0.2
    assert third >= 1.0


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        (says(500), "answers 500: Internal Server Error (after 3 attempts)."),
        (says(429), "answers 429: Too Many Requests (after 3 attempts)."),
        (cut, "cannot be reached: IncompleteRead("),
        (hang_up, "cannot be reached: Remote end closed connection without response (after 3 attempts)."),
        (says(200, "<html>"), "gives no usable answer: the answer is not JSON (after 3 attempts)."),
        (says(200, "{}"), "gives no usable answer: the answer has no choices (after 3 attempts)."),
    ],
)
def test_what_does_not_pass_is_one_sentence(trouble: Trouble, sentence: str) -> None:
    with serving(repeat(trouble, 3)) as server, pytest.raises(RunError) as refusal:
        engine(server).sample(["Hi"], 1, seed=5)
    assert sentence in str(refusal.value)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        (says(401, "Incorrect API key provided: sk-123"), "refuses the key (401)"),
        (says(403, "sk-123 may not"), "refuses the key (403)"),
        (says(404, "no model"), "is not there, or has no such model (404); base_url often ends in /v1."),
        (says(400, '{"error": {"message": "n must be 1,\\n not 4 (sk-123)"}}'), "(400): n must be 1, not 4 (…)"),
        (says(422, "x" * 5000), "refuses the request (422): " + "x" * 200),
        (says(307, Location="http://127.0.0.1:9/"), "refuses the request (307)"),
    ],
)
def test_what_never_passes_is_said_at_once_and_without_the_key(
    monkeypatch: pytest.MonkeyPatch, trouble: Trouble, sentence: str
) -> None:
    monkeypatch.setenv("PODIUM_TEST_KEY", "sk-123")
    with serving([trouble]) as server, pytest.raises(RunError) as refusal:
        engine(server, api_key_env="PODIUM_TEST_KEY").sample(["Hi"], 1, seed=5)
    assert sentence in str(refusal.value)
    assert "sk-123" not in str(refusal.value)
    assert len(str(refusal.value)) < 400
    assert len(server.requests) == 1


def test_a_redirect_is_not_followed_with_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODIUM_TEST_KEY", "sk-123")
    with serving() as elsewhere, serving([says(302, Location=elsewhere.url)]) as server:
        with pytest.raises(RunError, match=r"\(302\)"):
            engine(server, api_key_env="PODIUM_TEST_KEY").sample(["Hi"], 1, seed=5)
        assert elsewhere.requests == []


def test_nobody_there() -> None:
    with serving() as server:
        asked = engine(server)
    with pytest.raises(RunError, match=r"cannot be reached: .*refused.* \(after 3 attempts\)\.$"):
        asked.sample(["Hi"], 1, seed=5)


def test_a_server_that_says_nothing_is_given_up_after_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/v1"
        spec = SampleSpec(engine="openai", base_url=url, model="tiny", max_attempts=2, request_timeout=0.2)
        began = time.monotonic()
        with pytest.raises(RunError, match=r"cannot be reached: .*timed out \(after 2 attempts\)"):
            OpenAIEngine(spec, StopFlag()).sample(["Hi"], 1, seed=5)
    assert 0.4 <= time.monotonic() - began < 10


def test_a_key_that_is_not_set_is_said_before_anything_is_sent() -> None:
    with serving() as server:
        with pytest.raises(
            RunError, match="The environment variable PODIUM_NO_KEY, which api_key_env names, is not set"
        ):
            engine(server, api_key_env="PODIUM_NO_KEY")
        assert server.requests == []


@pytest.mark.parametrize("key", ["sk-12\n34", "sk-12\t34", "sk-12…34"])
def test_a_key_that_no_header_can_hold_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("PODIUM_TEST_KEY", key)
    with serving() as server, pytest.raises(RunError, match="PODIUM_TEST_KEY holds no key") as refusal:
        engine(server, api_key_env="PODIUM_TEST_KEY").sample(["Hi"], 1, seed=5)
    assert "sk-12" not in str(refusal.value)


def test_fewer_choices_than_asked_are_asked_for_again_with_another_seed() -> None:
    with serving([fewer, fewer]) as server:
        found = engine(server).sample(["Hi"], 4, seed=5)
    assert [request["n"] for request in server.requests] == [4, 3, 2]
    seeds = [request["seed"] for request in server.requests]
    assert [one.text for one in found] == [
        f"Hi [{seed}.{k}]" for seed, k in zip([*seeds, seeds[2]], [0, 0, 0, 1], strict=True)
    ]
    assert [one.seed for one in found] == [*seeds, seeds[2]]
    assert len({one.text for one in found}) == 4


def test_more_choices_than_asked_are_left() -> None:
    with serving([more]) as server:
        assert len(engine(server).sample(["Hi"], 2, seed=5)) == 2


def test_a_text_that_a_filter_took_is_empty_and_not_finished() -> None:
    taken = '{"choices": [{"finish_reason": "content_filter", "message": {"content": null}}]}'
    with serving([says(200, taken)]) as server:
        (found,) = engine(server).sample(["Hi"], 1, seed=5)
    assert (found.text, found.finished) == ("", False)


def test_what_no_file_can_hold_is_replaced() -> None:
    half = '{"choices": [{"finish_reason": "stop", "text": "a\\ud800b \\ud83d\\ude00"}]}'
    with serving([says(200, half)]) as server:
        (found,) = engine(server, endpoint="completions").sample(["Hi"], 1, seed=5)
    assert found.text == "a\ufffdb 😀"


def test_as_many_requests_as_allowed_are_under_way() -> None:
    with serving(seconds=0.1) as server:
        engine(server, max_concurrency=3).sample([str(number) for number in range(9)], 1, seed=5)
    assert (server.most_under_way, len(server.requests)) == (3, 9)


def test_one_refusal_calls_off_what_has_not_begun() -> None:
    with serving([says(404)], seconds=0.05) as server, pytest.raises(RunError, match="404"):
        engine(server, max_concurrency=2).sample([str(number) for number in range(50)], 1, seed=5)
    assert len(server.requests) < 10


def test_a_stop_does_not_wait_for_the_next_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_json, "BACKOFF_SECONDS", 60.0)
    stop = StopFlag()
    began = time.monotonic()
    with serving(repeat(says(500), 3)) as server, pytest.raises(RunStopped):
        Timer(0.3, lambda: setattr(stop, "requested", True)).start()
        engine(server, stop).sample(["Hi"], 1, seed=5)
    assert time.monotonic() - began < 20
    assert len(server.requests) == 1
