"""What was measured of checkpoints on held-out data: the run's own result, evaluations, people's judgement."""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeGuard

from labeling.registry import judged
from training.models import Checkpoint, Run, RunParent


class Measure(NamedTuple):
    """A figure; `low` and `high` where it has an interval, and what that is."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    about: str = ""

    @property
    def has_interval(self) -> bool:
        return self.low is not None and self.high is not None


# Of a run's result: the key and what it is called. What a run says of its training data is no held-out measure.
HELD_OUT = {
    "valid_accuracy": "Validation accuracy",
    "val_loss": "Validation loss",
    "val_reward": "Validation reward",
    "best_of_n_win_rate": "Best of n against a random one",
}
EVALUATED = {"lm_loss": "Loss on held-out text", "kl": "KL from the reference", "reward": "Reward"}
ABOUT = {
    "valid_accuracy": "pairs of held-out rankings ordered as people did",
    "val_loss": "nats per token",
    "lm_loss": "nats per token",
    "kl": "nats per completion",
    "best_of_n_win_rate": "by people’s held-out rankings",
}
INTERVAL = "95 % interval"


def of(checkpoints: Sequence[Checkpoint]) -> dict[int, list[Measure]]:
    """By checkpoint; the same few queries for one and for a page of them."""
    keys = [row.pk for row in checkpoints]
    won = judged.of(keys)
    others = Checkpoint.objects.filter(pk__in={one.other for rates in won.values() for one in rates})
    names = dict(others.values_list("pk", "name"))
    found = {row.pk: _own(row) for row in checkpoints}
    for key, result in _evaluations(keys):
        found[key] += _evaluated(result, {measure.name for measure in found[key]})
    for key, rates in won.items():
        found[key] += [_won(one, names[one.other]) for one in rates]
    return found


def _won(one: judged.Won, other: str) -> Measure:
    return Measure(f"Preferred to {other}", one.rate, one.low, one.high, f"{one.prompts} prompts, {one.batch}")


def _own(row: Checkpoint) -> list[Measure]:
    return _named((row.run.result if row.run else None) or {}, HELD_OUT)


def _evaluations(keys: list[int]) -> list[tuple[int, dict[str, Any]]]:
    """The results of finished evaluations of these policies, the newest first."""
    uses = RunParent.objects.filter(
        checkpoint__in=keys, role="policy", run__recipe="evaluate", run__state=Run.State.DONE
    ).order_by("-run__finished_at", "-pk")
    return [(key, result or {}) for key, result in uses.values_list("checkpoint_id", "run__result")]


def _evaluated(result: dict[str, Any], known: set[str]) -> list[Measure]:
    """Loss, KL and reward, and every benchmark; of two evaluations the later one counts."""
    tasks = {
        name: name.replace("/", ": ")
        for name, value in result.items()
        if "/" in name and not name.endswith("_stderr") and _is_number(value)
    }
    return [measure for measure in _named(result, EVALUATED | tasks) if measure.name not in known]


def _named(result: dict[str, Any], names: dict[str, str]) -> list[Measure]:
    found = []
    for key, name in names.items():
        value = result.get(key)
        if not _is_number(value):
            continue
        low, high = result.get(f"{key}_low"), result.get(f"{key}_high")
        about = ABOUT.get(key, "")
        error = result.get(f"{key}_stderr")
        if _is_number(error):
            low, high = value - 1.96 * error, value + 1.96 * error
            about = "±1.96 standard errors"
        found.append(Measure(name, value, low, high, about))
    return found


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
