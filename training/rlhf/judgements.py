"""Rankings beside the rows they came from and the scores a model gives: what a reward model is measured on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.contract.rows import read_rows
from training.rlhf.comparisons import RankedPrompt
from training.rlhf.reward_quality import Judgement

Rows = list[dict[str, Any]]


def rows_by_prompt(path: Path) -> list[Rows]:
    """The rows behind comparisons.read_ranked_prompts(path): for each of its prompts, those of its rankings in order.

    Raises RowError where the file cannot be read.
    """
    of_prompt: dict[str, Rows] = {}
    for row in read_rows(path, "rankings"):
        of_prompt.setdefault(row["prompt_id"], []).append(row)
    return list(of_prompt.values())


def judge(
    prompts: Sequence[RankedPrompt], scores: Sequence[Sequence[float]], rows: Sequence[Rows] | None = None
) -> list[Judgement]:
    """Every ranking of every prompt with the scores of its completions: [prompts], [prompts][completions].

    With `rows` (rows_by_prompt) each is counted under its use case, its labeler's cohort and K.
    """
    result = []
    for number, (prompt, of_prompt) in enumerate(zip(prompts, scores, strict=True)):
        for position, ranking in enumerate(prompt.rankings):
            scored = [(of_prompt[completion], rank) for completion, rank in ranking]
            groups = {} if rows is None else _groups(rows[number][position])
            result.append(Judgement(number, scored, groups))
    return result


def _groups(row: dict[str, Any]) -> dict[str, str | int]:
    return {"use_case": row["use_case"], "cohort": row["cohort"], "k": len(row["completions"])}
