"""The settings of each recipe: one frozen dataclass per recipe, defaults from the paper, names from the literature.

Defaults follow Ouyang et al. 2022, appendix C, for the 1.3B and 6B models; "not stated" marks what the paper leaves
open and we chose. `spec_from_dict` is the door: it refuses unknown names and wrong kinds of value with a sentence, and
`validate()` refuses combinations that cannot work, before any model is loaded.
"""

from collections.abc import Mapping
from typing import Any

from training.contract.spec import Spec, SpecError, check_values
from training.contract.specs.evaluation import EvaluateSpec
from training.contract.specs.language_model import PretrainSpec, SftSpec
from training.contract.specs.model_import import ImportModelSpec
from training.contract.specs.ppo import PpoSpec
from training.contract.specs.reward import LabelerCvSpec, RewardModelSpec, RewardTrainingSpec, ScoreSpec
from training.contract.specs.sampling import BestOfNSpec, SampleSpec

__all__ = [
    "SPECS",
    "BestOfNSpec",
    "EvaluateSpec",
    "ImportModelSpec",
    "LabelerCvSpec",
    "PpoSpec",
    "PretrainSpec",
    "RewardModelSpec",
    "RewardTrainingSpec",
    "SampleSpec",
    "ScoreSpec",
    "SftSpec",
    "Spec",
    "SpecError",
    "spec_from_dict",
]

SPECS: dict[str, type[Spec]] = {
    spec.recipe: spec
    for spec in (
        ImportModelSpec,
        PretrainSpec,
        SftSpec,
        SampleSpec,
        RewardModelSpec,
        LabelerCvSpec,
        PpoSpec,
        EvaluateSpec,
        BestOfNSpec,
        ScoreSpec,
    )
}


def spec_from_dict(recipe: str, values: Mapping[str, Any]) -> Any:
    """The validated spec of `recipe` (typed Any because its class depends on the name). Raises SpecError."""
    if recipe not in SPECS:
        raise SpecError(f"There is no recipe '{recipe}'; there are {', '.join(SPECS)}.")
    cls = SPECS[recipe]
    check_values(cls, values)
    spec = cls(**values)
    spec.validate()
    return spec
