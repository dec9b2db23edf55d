"""Public preference data as rankings: read, cleaned and split; what is left out is counted by its reason."""

import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

HUMAN, ASSISTANT = "\n\nHuman:", "\n\nAssistant:"
TEST_SHARE = 0.25  # of the prompts, where a set comes without a split


class Ranked(NamedTuple):
    """Completions of one prompt with their ranks: 1 is best, equal ranks are a tie."""

    prompt: str
    completions: tuple[str, ...]
    ranks: tuple[int, ...]
    part: str  # where in the set it comes from; results are also given by part
    family: str  # rankings of one family never stand on both sides of a split


@dataclass
class Preferences:
    """A data set. `dropped` counts rows (of K-wise sets also completions) by the reason why they are left out."""

    train: list[Ranked]
    test: list[Ranked]
    dropped: Counter[str] = field(default_factory=Counter)

    def development(self, share: float = 0.2) -> "Preferences":
        """Training rows alone, split again: settings are chosen on these, and the test rows are not looked at."""
        held_out = [row for row in self.train if _fraction("development " + row.family) < share]
        rest = [row for row in self.train if _fraction("development " + row.family) >= share]
        return replace(self, train=rest, test=held_out)


class BadSource(ValueError):
    """The data cannot be read: one sentence that says the file and what is wrong."""


def read_hh_rlhf(folder: Path, tranches: str = "*") -> Preferences:
    """Pairs of dialogues that differ in the last reply (Bai et al. 2022), of the tranches whose name fits."""
    dropped: Counter[str] = Counter()
    test = list(_hh_rows(folder, tranches, "test", dropped))
    tested = {row.family for row in test}
    train = list(_hh_rows(folder, tranches, "train", dropped))
    apart = [row for row in train if row.family not in tested]
    dropped["training dialogue begins as a test dialogue does"] += len(train) - len(apart)
    return Preferences(apart, test, +dropped)


def read_alpaca_eval_kwise(folder: Path) -> Preferences:
    """K = 10 completions a prompt, ranked by a judge's score (AlpacaEval); equal scores are a tie."""
    dropped: Counter[str] = Counter()
    sides: dict[bool, list[Ranked]] = {True: [], False: []}
    for row in _lines(folder / "kwise.jsonl.gz"):
        found = list(dict.fromkeys((entry["text"].strip(), entry["judge_score"]) for entry in row["completions"]))
        filled = [(text, score) for text, score in found if text]
        dropped["completion given twice with one score"] += len(row["completions"]) - len(found)
        dropped["empty completion"] += len(found) - len(filled)
        better = sorted({score for _, score in filled}, reverse=True)
        texts, ranks = tuple(text for text, _ in filled), tuple(better.index(score) + 1 for _, score in filled)
        if len(better) < 2:
            dropped["prompt without two different scores"] += 1
            continue
        family = _normal(row["prompt"])
        ranked = Ranked(row["prompt"].strip(), texts, ranks, row["dataset"], family)
        sides[_fraction("test " + family) < TEST_SHARE].append(ranked)
    return Preferences(sides[False], sides[True], +dropped)


# What people were asked for is opposite in the parts of hh_rlhf, so that there is also a reward model for each.
SETS: dict[str, Callable[[Path], Preferences]] = {
    "hh_rlhf": lambda data: read_hh_rlhf(data / "hh_rlhf"),
    "hh_rlhf.helpful": lambda data: read_hh_rlhf(data / "hh_rlhf", "helpful-*"),
    "hh_rlhf.harmless": lambda data: read_hh_rlhf(data / "hh_rlhf", "harmless-*"),
    "alpaca_eval_kwise": lambda data: read_alpaca_eval_kwise(data / "alpaca_eval_kwise"),
}


def fitted(
    rows: Iterable[Ranked],
    tokens: Callable[[str], int],
    max_prompt: int,
    max_completion: int,
    dropped: Counter[str],
) -> list[Ranked]:
    """The rows that a model of small context can read, at most so many tokens of prompt and of completion.

    A dialogue loses its oldest turns. A longer completion is left out, with it its comparisons.
    """
    result = []
    for row in rows:
        prompt = _last_turns(row.prompt, tokens, max_prompt)
        if prompt is None:
            dropped["prompt longer than the limit"] += 1
            continue
        short = [pair for pair in zip(row.completions, row.ranks, strict=True) if tokens(pair[0]) <= max_completion]
        dropped["completion longer than the limit"] += len(row.completions) - len(short)
        if len({rank for _, rank in short}) < 2:
            dropped["ranking without two completions of different rank left"] += 1
            continue
        texts, ranks = zip(*short, strict=True)
        result.append(row._replace(prompt=prompt, completions=texts, ranks=ranks))
    return result


def ranking_rows(rows: Iterable[Ranked], split: str) -> Iterator[dict[str, Any]]:
    """Rows of the dataset kind rankings. One text is one prompt, however many rankings it has."""
    for number, row in enumerate(rows):
        yield {
            "ranking_id": f"{split}-{number}",
            "prompt_id": _digest(row.prompt)[:16],
            "prompt": row.prompt,
            "completions": list(row.completions),
            "ranks": list(row.ranks),
            "labeler": "",
            "cohort": "",
            "use_case": row.part,
            "split": split,
        }


def demonstration_rows(rows: Sequence[Ranked], split: str) -> Iterator[dict[str, Any]]:
    """The best completion of each row, as if a labeler had written it: rows of the dataset kind demonstrations."""
    for row, ranked in zip(rows, ranking_rows(rows, split), strict=True):
        best = row.completions[row.ranks.index(min(row.ranks))]
        kept = {name: ranked[name] for name in ("prompt_id", "prompt", "labeler", "cohort", "use_case", "split")}
        yield kept | {"demonstration_id": ranked["ranking_id"], "completion": best}


def counter_of_tokens(tokenizer: Any) -> Callable[[str], int]:
    """How many tokens a text has, without marks."""
    return lambda text: len(tokenizer(text, add_special_tokens=False)["input_ids"])


def _hh_rows(folder: Path, tranches: str, split: str, dropped: Counter[str]) -> Iterator[Ranked]:
    files = sorted(folder.glob(f"{tranches}/{split}.jsonl.gz"))
    if not files:
        raise BadSource(f"There is no {tranches}/{split}.jsonl.gz in {folder}.")
    seen = set()
    for file in files:
        for row in _lines(file):
            (prompt, chosen), (other, rejected) = map(_last_reply, (row["chosen"], row["rejected"]))
            problem = (
                "the two replies are the same"
                if row["chosen"] == row["rejected"]
                else "the dialogues differ before the last reply"
                if prompt != other
                else "a reply is empty"
                if not (chosen and rejected)
                else "the dialogue does not end with a reply"
                if HUMAN in chosen + rejected
                else "the same row again"
                if (prompt, chosen, rejected) in seen
                else None
            )
            if problem:
                dropped[problem] += 1
                continue
            seen.add((prompt, chosen, rejected))
            first = prompt.split(ASSISTANT)[0].removeprefix(HUMAN)
            yield Ranked(prompt.strip(), (chosen, rejected), (1, 2), file.parent.name, _normal(first))


def _last_reply(dialogue: str) -> tuple[str, str]:
    """What stands up to and with the last "Assistant:", and the reply after it."""
    before, mark, reply = dialogue.rpartition(ASSISTANT)
    return before + mark, reply.strip()


def _last_turns(prompt: str, tokens: Callable[[str], int], limit: int) -> str | None:
    """The prompt, without its oldest turns where it is too long; None where its last human turn alone is."""
    while tokens(prompt) > limit:
        _, mark, rest = prompt.partition(HUMAN)
        if not mark:
            return None
        prompt = (mark + rest).strip()
    return prompt


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    if not file.is_file():
        raise BadSource(f"The file {file} does not exist.")
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                raise BadSource(f"{file} line {number} is not JSON: {error.msg}.") from None


def _normal(text: str) -> str:
    return re.sub(r"\W+", " ", text.lower()).strip()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _fraction(text: str) -> float:
    """A number in [0, 1) that is the text's own: a split by it does not depend on what else is in the set."""
    return int(_digest(text)[:8], 16) / 2**32
