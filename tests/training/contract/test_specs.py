import pytest

from training.contract.specs import SPECS, PpoSpec, RewardModelSpec, SftSpec, SpecError, spec_from_dict


def test_the_defaults_are_the_papers() -> None:
    sft, ppo = SftSpec(), PpoSpec()
    assert (sft.epochs, sft.batch_size, sft.lr, sft.residual_dropout, sft.warmup_steps) == (16, 32, 9.65e-6, 0.2, 0)
    assert (ppo.total_episodes, ppo.batch_size, ppo.minibatch_size, ppo.num_ppo_epochs) == (256_000, 512, 64, 1)
    assert (ppo.kl_coef, ppo.gamma, ppo.cliprange, ppo.temperature, ppo.ema_decay) == (0.02, 1.0, 0.2, 1.0, 0.992)
    assert (ppo.value_lr, ppo.warmup_iterations, ppo.ptx_rows_per_minibatch) == (9e-6, 10, 512)
    assert ppo.iterations == 500


def test_what_the_paper_leaves_open_is_as_its_reimplementations_have_it() -> None:
    judge, ppo = RewardModelSpec(), PpoSpec()
    assert (judge.epochs, judge.batch_size, judge.lr, judge.adam_eps) == (1, 64, 9e-6, 1e-5)
    assert (ppo.lam, ppo.vf_coef, ppo.cliprange_value, ppo.adam_eps) == (0.95, 0.1, 0.2, 1e-5)
    assert (ppo.kl_controller, ppo.kl_target, ppo.kl_horizon, ppo.whiten_advantages) == ("fixed", 6.0, 10_000, True)


@pytest.mark.parametrize("recipe", SPECS)
def test_the_defaults_are_valid(recipe: str) -> None:
    assert isinstance(spec_from_dict(recipe, {}), SPECS[recipe])


@pytest.mark.parametrize(
    ("recipe", "values", "sentence"),
    [
        ("sft", {"epoch": 3}, "no setting 'epoch'; did you mean 'epochs'?"),
        ("sft", {"epochs": "3"}, "'epochs' is '3'; it must be a whole number."),
        ("sft", {"epochs": True}, "'epochs' is True; it must be a whole number."),
        ("sft", {"epochs": 0}, "epochs is 0; it must be more than 0."),
        ("ppo", {"minibatch_size": 60}, "batch_size 512 is not divisible by minibatch_size 60."),
        ("ppo", {"total_episodes": 1000}, "total_episodes 1000 is not divisible by batch_size 512."),
        ("ppo", {"kl_controller": "slow"}, "kl_controller is 'slow'"),
        ("ppo", {"temperature": 0}, "temperature is 0; it must be more than 0."),  # greedy rollouts explore nothing
        ("ppo", {"missing_eos_score": -1.0}, "exclude each other"),
        ("pretrain", {"hidden_size": 66}, "hidden_size 66 is not divisible by num_attention_heads 4."),
        ("pretrain", {"block_size": 600}, "block_size 600 is longer than max_position_embeddings 512."),
        ("dpo", {}, "There is no recipe 'dpo'"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_with_a_sentence(
    recipe: str, values: dict[str, object], sentence: str
) -> None:
    with pytest.raises(SpecError) as refusal:
        spec_from_dict(recipe, values)
    assert sentence in str(refusal.value)


def test_a_whole_number_serves_where_a_number_is_wanted() -> None:
    assert spec_from_dict("ppo", {"gamma": 1}).gamma == 1
