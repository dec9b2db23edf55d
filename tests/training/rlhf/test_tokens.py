import random
import string
from pathlib import Path

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from training.contract.run_dir import RunError
from training.rlhf.tokens import (
    check_context,
    check_prompt_lengths,
    decode_completion,
    encode_completions,
    encode_documents,
    encode_prompts,
)
from training.rlhf.word_tokenizer import train_word_tokenizer

CORPUS = ["A lemon is yellow.\nThe sea is blue, and Anna's lemon is not."] * 3 + ["A rare bird sings."]


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return train_word_tokenizer(CORPUS, min_count=3, vocab_size=1000)


def test_frequent_words_are_one_token_wherever_they_stand(tokenizer: PreTrainedTokenizerFast) -> None:
    [answer], [sentence] = encode_completions(tokenizer, ["yellow"]), encode_completions(tokenizer, ["is yellow."])
    assert len(answer) == 2  # the word and the end
    assert len(sentence) == 4
    assert answer[0] == sentence[1]


@pytest.mark.parametrize(
    "text",
    [
        "yellow",
        " yellow",
        "a  b",
        "one\ntwo\n\nthree\n",
        "\n lead",
        "tab\t\r\n",
        "Zürich ☃ 漢字 🙂",
        '"Hi," he said',
        "x " * 300,
    ],
)
def test_any_text_comes_back_without_loss(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    [ids] = encode_completions(tokenizer, [text])
    assert decode_completion(tokenizer, ids) == text


def test_random_texts_come_back_without_loss(tokenizer: PreTrainedTokenizerFast) -> None:
    rng = random.Random(0)
    alphabet = string.printable + "äß漢 \n \n"
    texts = ["".join(rng.choices(alphabet, k=rng.randint(1, 40))) for _ in range(500)]
    for text, ids in zip(texts, encode_completions(tokenizer, texts), strict=True):
        assert decode_completion(tokenizer, ids) == text


def test_prompt_and_completion_make_the_tokens_of_the_document(tokenizer: PreTrainedTokenizerFast) -> None:
    [prompt] = encode_prompts(tokenizer, ["A lemon"])
    [completion] = encode_completions(tokenizer, ["is yellow."])
    [document] = encode_documents(tokenizer, ["A lemon\nis yellow."])
    assert prompt + completion == [tokenizer.bos_token_id, *document]


def test_rare_words_are_spelled_and_the_most_frequent_words_win(tokenizer: PreTrainedTokenizerFast) -> None:
    assert len(encode_completions(tokenizer, ["bird"])[0]) > 2
    small = train_word_tokenizer(CORPUS, min_count=1, vocab_size=262)
    assert len(small) <= 262
    assert len(encode_completions(small, ["lemon"])[0]) == 2


def test_pad_is_not_the_end(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    tokenizer.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    assert again.pad_token_id != again.eos_token_id
    assert encode_prompts(again, ["A lemon"]) == encode_prompts(tokenizer, ["A lemon"])
    assert again.decode(encode_completions(again, ["is yellow."])[0]) == "is yellow.<|endoftext|>"


def test_a_chat_template_is_used_where_there_is_one() -> None:
    chatty = train_word_tokenizer(CORPUS, min_count=3, vocab_size=1000)
    chatty.chat_template = (
        "{% for m in messages %}[{{ m.content }}]{% endfor %}{% if add_generation_prompt %}>{% endif %}"
    )
    [ids] = encode_prompts(chatty, ["A lemon"])
    assert chatty.decode(ids) == "[A lemon]>"


def test_prompts_that_are_too_long_are_refused_with_both_numbers() -> None:
    with pytest.raises(RunError, match=r"file prompts.jsonl line 2: the prompt has 5 tokens, max_prompt_tokens is 4"):
        check_prompt_lengths("prompts.jsonl", [[1, 2], [1, 2, 3, 4, 5]], 4)
    with pytest.raises(RunError, match=r"line 1: prompt and completion need 70 tokens, the model reads 64"):
        check_context("prompts.jsonl", [70], 64)
