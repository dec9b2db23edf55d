"""Every setting of every recipe is explained, where it is declared."""

import pytest

from training.contract.spec_help import Setting, settings_of
from training.contract.specs import SPECS, SpecError, spec_from_dict


def setting(recipe: str, name: str) -> Setting:
    return next(one for one in settings_of(recipe) if one.name == name)


@pytest.mark.parametrize("recipe", SPECS)
def test_every_setting_has_words(recipe: str) -> None:
    assert [one.name for one in settings_of(recipe) if len(one.help) < 8] == []


def test_what_the_paper_says_and_what_it_does_not() -> None:
    """Appendix C.1: 16 epochs. It does not state AdamW's decay; micro-batches are of this code."""
    epochs = setting("sft", "epochs")
    assert (epochs.default, epochs.paper) == (16, "appendix C.1")
    assert setting("ppo", "ema_decay").paper == "appendix C.3 and C.4"
    assert setting("sample", "samples_per_prompt").paper == "section 3.5"
    assert setting("sample", "response_length").paper == "appendix C"  # the class is about K, section 3.5
    assert setting("sft", "weight_decay").paper == ""
    assert setting("sft", "micro_batch_tokens").paper == ""


def test_bounds_are_those_of_the_validation() -> None:
    assert setting("ppo", "gamma").limit == "from 0 to 1"
    assert setting("reward_model", "heads").limit == "more than 0"
    assert setting("ppo", "ptx_coef").limit == ""


@pytest.mark.parametrize(
    ("recipe", "name", "choices"),
    [
        ("sft", "precision", ("fp32", "bf16")),
        ("sft", "choose", ("auto", "last")),
        ("ppo", "kl_controller", ("fixed", "adaptive")),
        ("ppo", "old_logprobs", ("trainer", "sampler")),
        ("sample", "engine", ("decoder", "vllm", "openai")),
        ("sample", "endpoint", ("chat", "completions")),
        ("sft", "lora_target_modules", ()),
    ],
)
def test_choices(recipe: str, name: str, choices: tuple[str, ...]) -> None:
    assert setting(recipe, name).choices == choices


@pytest.mark.parametrize("recipe", ["sft", "ppo", "reward_model", "pretrain", "evaluate"])
def test_listed_choices_work_and_no_other(recipe: str) -> None:
    for one in settings_of(recipe):
        for choice in one.choices:
            spec_from_dict(recipe, {one.name: choice})
        if one.choices:
            with pytest.raises(SpecError):
                spec_from_dict(recipe, {one.name: "another"})


def test_a_changed_default_keeps_the_words() -> None:
    """PPO saves every 10 iterations; what that means is said where all recipes have it."""
    assert setting("ppo", "save_every").default == 10
    assert "exact states" in setting("ppo", "save_every").help


def test_null_and_kinds() -> None:
    assert setting("ppo", "target_kl_stop").may_be_null
    assert setting("ppo", "target_kl_stop").kinds == (float,)
    assert setting("ppo", "lr").kinds == (float,)
    assert not setting("ppo", "lr").may_be_null
