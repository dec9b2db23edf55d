"""lm-evaluation-harness with our model behind it gives what it gives with its own, on one checkpoint.

Its own (HFLM) is plain transformers: padded rows, one for each answer, and `generate`.
"""

import contextlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from lm_eval.api.instance import Instance
from lm_eval.evaluator import simple_evaluate
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tests.peers.conftest import CPU, publish
from tests.training.recipes.world import COLORS, World, finish
from training.contract.execute import StopFlag
from training.contract.status import read_status
from training.recipes import evaluate
from training.rlhf.causal_lm import load_causal_lm, load_tokenizer
from training.rlhf.harness.model import PolicyLM
from training.rlhf.word_tokenizer import train_word_tokenizer

pytestmark = pytest.mark.peers

WORDS = sorted({*COLORS, *COLORS.values(), "What", "color", "is", "the", "The", "?", ".", "a", "b"})
CONTEXT = 48


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A policy of random weights that knows the words of the questions and reads 48 tokens."""
    tokenizer: PreTrainedTokenizerFast = train_word_tokenizer([" ".join(WORDS)], min_count=1, vocab_size=400)
    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=64,
        max_position_embeddings=CONTEXT,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        initializer_range=0.3,
    )
    return publish(LlamaForCausalLM(config), tokenizer, tmp_path_factory.mktemp("harness"))


@pytest.fixture(scope="module")
def theirs(checkpoint: Path) -> HFLM:
    return HFLM(pretrained=str(checkpoint), device="cpu", dtype="float32", batch_size=4, max_length=CONTEXT)


@pytest.fixture(scope="module")
def ours(checkpoint: Path) -> PolicyLM:
    tokenizer = load_tokenizer(checkpoint)
    policy = load_causal_lm(checkpoint, tokenizer, CPU).eval()
    return PolicyLM(policy, tokenizer, max_tokens=200, batch_size=8, seed=1, after_batch=lambda done, total: None)


def asked(kind: str, arguments: list[tuple[Any, ...]]) -> list[Instance]:
    return [Instance(kind, doc={}, arguments=one, idx=0) for one in arguments]


def sentence(rng: random.Random, words: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(words))


def test_loglikelihoods_are_theirs(ours: PolicyLM, theirs: HFLM) -> None:
    """Answers of one token and of several on a shared context, without a context, with one that is too long."""
    rng = random.Random(0)
    pairs = [(context, " " + answer) for context in ("What color is the sky?", "b") for answer in COLORS.values()]
    pairs += [(sentence(rng, 6) + " ", sentence(rng, rng.randint(1, 5))) for _ in range(12)]
    pairs += [("", sentence(rng, 3)), ("", "yellow")]
    pairs += [(sentence(rng, words), " " + sentence(rng, 4)) for words in (42, 43, 44, 45, 46, 60)]
    rng.shuffle(pairs)
    greedy = theirs.generate_until(asked("generate_until", [("The sky is", {"until": [], "max_gen_toks": 2})]))
    pairs.append(("The sky is", greedy[0]))

    expected = theirs.loglikelihood(asked("loglikelihood", pairs), disable_tqdm=True)
    found = ours.loglikelihood(asked("loglikelihood", pairs))
    assert [one for _, one in found] == [one for _, one in expected]
    assert expected[-1][1], "the last answer is a greedy one"
    assert not all(one for _, one in expected)
    assert [p for p, _ in found] == pytest.approx([p for p, _ in expected], abs=1e-4)
    worst = max(abs(a - b) for (a, _), (b, _) in zip(found, expected, strict=True))
    print(
        f"{len(pairs)} answers, log-likelihoods {min(expected)[0]:.1f} to {max(expected)[0]:.1f}, apart by {worst:.1e}"
    )


def test_whole_texts_are_scored_as_they_do(ours: PolicyLM, theirs: HFLM) -> None:
    """Also those longer than the model reads, in windows."""
    rng = random.Random(1)
    texts = [(sentence(rng, words),) for words in (1, 5, 46, 47, 48, 49, 95, 96, 97, 130)]
    expected = theirs.loglikelihood_rolling(asked("loglikelihood_rolling", texts), disable_tqdm=True)
    assert ours.loglikelihood_rolling(asked("loglikelihood_rolling", texts)) == pytest.approx(expected, abs=1e-3)


def test_generated_texts_are_theirs(ours: PolicyLM, theirs: HFLM) -> None:
    """Greedy, until one of several texts or the limit; a context that leaves no room loses its beginning."""
    rng = random.Random(2)
    contexts = [sentence(rng, rng.randint(1, 12)) for _ in range(12)] + [sentence(rng, 40)]
    plain = theirs.generate_until(
        asked("generate_until", [(context, {"until": [], "max_gen_toks": 36}) for context in contexts])
    )
    stops = [text.split()[len(text.split()) // 2] for text in plain[:3] if len(text.split()) > 2]
    assert stops
    requests = [
        (context, {"until": until, "max_gen_toks": longest})
        for context in contexts
        for until, longest in (([], 36), (stops, 36), (["?", "."], 5), ([" "], 1))
    ]
    expected = theirs.generate_until(asked("generate_until", requests), disable_tqdm=True)
    assert ours.generate_until(asked("generate_until", requests)) == expected
    assert len(set(expected)) > len(contexts)
    assert any(len(short) < len(long) for short, long in zip(expected[1::4], expected[::4], strict=True))


def questions() -> list[dict[str, Any]]:
    colors = sorted(set(COLORS.values()))
    rows: list[dict[str, Any]] = [
        {"task": "colors", "prompt": f"What color is the {thing}?", "choices": colors, "answer": color}
        for thing, color in COLORS.items()
    ]
    return rows + [row | {"task": "colors_said", "choices": []} for row in rows]


YAML = """
task: {name}
dataset_path: json
dataset_kwargs:
  data_files: {{test: questions/colors.jsonl}}
output_type: {kind}
test_split: test
doc_to_text: "{{{{prompt}}}}"
doc_to_target: "{{{{answer}}}}"
{more}
"""
TASKS = {
    "local_choice": (
        "multiple_choice",
        "doc_to_choice: choices\nmetric_list: [{metric: acc}, {metric: acc_norm}, {metric: acc_mutual_info}]",
    ),
    "local_text": (
        "generate_until",
        "generation_kwargs: {until: ['a'], max_gen_toks: 6}\nmetric_list: [{metric: exact_match}, {metric: chrf}]",
    ),
    "local_perplexity": (
        "loglikelihood_rolling",
        "metric_list: [{metric: word_perplexity}, {metric: bits_per_byte}]",
    ),
}


@pytest.fixture
def world(checkpoint: Path, tmp_path: Path) -> World:
    """An artifact root with that policy and a folder of task files."""
    shutil.copytree(checkpoint, tmp_path / "runs" / "policy" / "checkpoint")
    folder = tmp_path / "tasks" / "questions"
    folder.mkdir(parents=True)
    rows = [row for row in questions() if row["choices"]]
    (folder / "colors.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name, (kind, more) in TASKS.items():
        (tmp_path / "tasks" / f"{name}.yaml").write_text(YAML.format(name=name, kind=kind, more=more))
    return World(tmp_path)


SPEC = {"response_length": 8, "micro_batch_tokens": 300, "batch_size": 5}


@pytest.mark.parametrize("num_fewshot", [None, 2])
def test_a_run_has_the_figures_of_their_command(
    num_fewshot: int | None, world: World, theirs: HFLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = SPEC | {"tasks": list(TASKS), "num_fewshot": num_fewshot, "limit": 6}
    if num_fewshot:
        spec["tasks"].remove("local_perplexity")  # whole texts have no examples
    folder = world.run("run", "evaluate", spec, {}, {"policy": "policy"})
    result = finish("evaluate", folder)
    monkeypatch.setenv("DISABLE_MULTIPROC", "1")
    monkeypatch.chdir(world.root / "tasks")
    manager = TaskManager(include_path=str(world.root / "tasks"), include_defaults=False)
    expected = simple_evaluate(
        theirs, tasks=spec["tasks"], num_fewshot=num_fewshot, limit=6, task_manager=manager, bootstrap_iters=1000
    )
    assert expected is not None
    compared = 0
    for task, values in expected["results"].items():
        assert result[f"{task}/questions"] == values["sample_len"]
        for key, value in values.items():
            metric, _, chain = key.partition(",")
            if chain == "none" and value != "N/A":
                assert result[f"{task}/{metric}"] == pytest.approx(value, rel=1e-4, abs=1e-5), (task, metric)
                compared += 1
    print(f"{compared} figures compared: {result}")
    assert compared >= 8
    rows = [json.loads(line) for line in (folder / "answers.jsonl").read_text().splitlines()]
    assert len(rows) == 6 * len(spec["tasks"])


def test_questions_of_a_dataset_are_asked_as_prompts_are(world: World, checkpoint: Path, theirs: HFLM) -> None:
    """The begin token, the prompt, a newline; the answer follows at once. By hand, with their model."""
    rows = questions()
    folder = world.run(
        "run", "evaluate", SPEC, {"questions": world.dataset("questions", "questions", rows)}, {"policy": "policy"}
    )
    result = finish("evaluate", folder)
    begin = load_tokenizer(checkpoint).bos_token
    right = 0
    for row in rows[: len(COLORS)]:
        pairs = [(f"{begin}{row['prompt']}\n", choice) for choice in row["choices"]]
        scores = [p for p, _ in theirs.loglikelihood(asked("loglikelihood", pairs), disable_tqdm=True)]
        right += row["choices"][scores.index(max(scores))] == row["answer"]
    assert 0 < right < len(COLORS)
    assert result["colors/acc"] == pytest.approx(right / len(COLORS), abs=1e-6)
    said = [(f"{begin}{row['prompt']}\n", {"until": ["\n"], "max_gen_toks": 8}) for row in rows[len(COLORS) :]]
    texts = theirs.generate_until(asked("generate_until", said), disable_tqdm=True)
    answers = [json.loads(line) for line in (folder / "answers.jsonl").read_text().splitlines()]
    assert [row["responses"][0][0] for row in answers if row["task"] == "colors_said"] == texts
    assert result["colors_said/questions"] == len(COLORS)


def refusal(folder: Path) -> str:
    assert evaluate.main(["--run-dir", str(folder)]) == 1
    status = read_status(folder / "status.json")
    assert status is not None
    return str(status["error"])


@pytest.mark.parametrize(
    ("task", "sentence"),
    [
        ("no_such_task", "There is no task 'no_such_task', neither in .*/tasks nor in lm-evaluation-harness."),
        ("local_broken", "The task 'local_broken' cannot be loaded from what is on this machine: .*none.jsonl"),
        ("local_beam", "A task sets num_beams, which our sampler does not have."),
        ("local_long", "A task lets a text have 48 tokens, and the model reads 48 at most."),
    ],
)
def test_a_task_that_cannot_be_run_is_refused_with_a_sentence(task: str, sentence: str, world: World) -> None:
    for name, more in (
        ("beam", "{until: [], num_beams: 2, max_gen_toks: 4}"),
        ("long", "{until: [], max_gen_toks: 48}"),
    ):
        text = YAML.format(name=f"local_{name}", kind="generate_until", more=f"generation_kwargs: {more}")
        (world.root / "tasks" / f"{name}.yaml").write_text(text)
    broken = YAML.format(name="local_broken", kind="generate_until", more="").replace("colors.jsonl", "none.jsonl")
    (world.root / "tasks" / "broken.yaml").write_text(broken)
    assert re.search(sentence, refusal(world.run("run", "evaluate", {"tasks": [task]}, {}, {"policy": "policy"})))


NO_NETWORK = """
import os, socket, sys
socket.getaddrinfo = lambda *_, **__: os._exit(99)
from training.recipes import evaluate
sys.exit(evaluate.main(["--run-dir", sys.argv[1]]))
"""


def test_nothing_is_fetched(world: World, tmp_path: Path) -> None:
    """A task of the harness whose data is not on this machine, in a process that nobody told to stay offline."""
    folder = world.run("run", "evaluate", {"tasks": ["hellaswag"]}, {}, {"policy": "policy"})
    environment = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    environment["HF_HOME"] = str(tmp_path)
    done = subprocess.run([sys.executable, "-c", NO_NETWORK, str(folder)], env=environment, capture_output=True)
    assert done.returncode == 1, done.stderr
    status = read_status(folder / "status.json")
    assert status is not None
    assert re.match("The task 'hellaswag' cannot be loaded from what is on this machine: .*hellaswag", status["error"])


def test_a_task_is_of_one_kind_and_has_one_place(world: World) -> None:
    row = questions()[0]
    mixed = world.dataset("mixed", "questions", [row, row | {"choices": []}])
    assert "'colors' has questions with choices and questions without" in refusal(
        world.run("mixed", "evaluate", SPEC, {"questions": mixed}, {"policy": "policy"})
    )
    same = world.dataset("same", "questions", [row | {"task": "local_choice"}])
    spec = SPEC | {"tasks": ["local_choice"]}
    assert "The task 'local_choice' is in the dataset and among the tasks by name" in refusal(
        world.run("same", "evaluate", spec, {"questions": same}, {"policy": "policy"})
    )


def test_a_stop_ends_it_between_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StopFlag, "listen", lambda flag: setattr(flag, "requested", True))
    inputs = {"questions": world.dataset("questions", "questions", questions())}
    folder = world.run("run", "evaluate", SPEC, inputs, {"policy": "policy"})
    assert evaluate.main(["--run-dir", str(folder)]) == 75


def test_a_chat_template_is_applied_as_they_do(world: World) -> None:
    """With worked examples, each a turn of its own."""
    checkpoint = world.root / "runs" / "policy" / "checkpoint"
    tokenizer = load_tokenizer(checkpoint)
    tokenizer.chat_template = (
        "{{ bos_token }}{% for one in messages %}{{ one.role }} a {{ one.content }} b {% endfor %}"
        "{% if add_generation_prompt %}assistant a {% endif %}"
    )
    tokenizer.save_pretrained(checkpoint)
    chosen = ["local_choice", "local_text"]
    spec = SPEC | {"tasks": chosen, "num_fewshot": 1, "apply_chat_template": True, "response_length": 4}
    folder = world.run("run", "evaluate", spec, {}, {"policy": "policy"})
    result = finish("evaluate", folder)
    theirs = HFLM(pretrained=str(checkpoint), device="cpu", dtype="float32", batch_size=4, max_length=CONTEXT)
    with contextlib.chdir(world.root / "tasks"):
        manager = TaskManager(include_path=".", include_defaults=False)
        expected = simple_evaluate(
            theirs, tasks=chosen, num_fewshot=1, apply_chat_template=True, task_manager=manager, bootstrap_iters=0
        )
    assert expected is not None and expected["samples"] is not None
    contexts = {sample["arguments"][0][0] for sample in expected["samples"]["local_choice"]}
    assert all(context.count("assistant a ") == 2 for context in contexts)
    for task, metric in (("local_choice", "acc"), ("local_choice", "acc_norm"), ("local_text", "chrf")):
        assert result[f"{task}/{metric}"] == pytest.approx(expected["results"][task][f"{metric},none"], abs=1e-4)
    rows = [json.loads(line) for line in (folder / "answers.jsonl").read_text().splitlines()]
    for task in chosen:
        found = [row["responses"] for row in rows if row["task"] == task]
        for ours, sample in zip(found, expected["samples"][task], strict=True):
            if task == "local_text":
                assert ours == sample["resps"]
            else:
                assert [p for [[p, _]] in ours] == pytest.approx([p for [[p, _]] in sample["resps"]], abs=1e-4)
