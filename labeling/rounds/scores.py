"""What a reward model says of a round's samples: they go to the recipe `score` as a file and come back as one."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from labeling.completions.models import Completion
from labeling.errors import BadInput, Conflict
from labeling.prompts.models import Split
from labeling.rounds.models import Round
from training import storage
from training.contract.rows import RowError, iter_rows
from training.models import Dataset


class Scores(NamedTuple):
    """By the completion's id: the mean over the members of the reward model, and their standard deviation."""

    rewards: dict[int, float]
    spreads: dict[int, float]


def freeze_samples(samples: Iterable[Completion]) -> Dataset:
    """The samples of train prompts as a dataset of kind completions. Raises BadInput where there are none."""
    kept = storage.keep_rows("completions", (_row(one) for one in samples if one.prompt.split == Split.TRAIN))
    if not kept.rows:
        storage.absolute(kept.path).unlink(missing_ok=True)
        raise BadInput("There are no samples to score.")
    dataset, _ = Dataset.objects.get_or_create(
        kind="completions", sha256=kept.sha256, defaults={"path": kept.path, "rows": kept.rows}
    )
    return dataset


def of(round: Round, completions: Sequence[Completion]) -> Scores:
    """What the stage `score` said of these. Raises Conflict where its file is gone, BadInput where it lacks one."""
    stage = round.stages.select_related("run").get(name="score")
    path = storage.run_folder(stage.run_id or "") / "samples.jsonl"
    if not path.exists():
        raise Conflict(f"The run “{stage.run}” has no scores to choose by.")
    try:
        said = {(row["prompt_id"], row["sample"]): row for row in iter_rows(path, "completions")}
        found = [(one.pk, said[str(one.prompt_id), one.sample]) for one in completions]
        return Scores({pk: row["reward"] for pk, row in found}, {pk: row["spread"] for pk, row in found})
    except RowError as error:
        raise BadInput(f"The scores of the run “{stage.run}” cannot be used: {error}") from error
    except KeyError as error:
        raise BadInput(f"The scores of the run “{stage.run}” lack {error}.") from error


def _row(completion: Completion) -> dict[str, Any]:
    return {
        "prompt_id": str(completion.prompt_id),
        "prompt": completion.prompt.text,
        "sample": completion.sample,
        "completion": completion.text,
        "finished": completion.finished,
        "token_ids": [],
        "logprobs": [],
        "use_case": completion.prompt.use_case,
    }
