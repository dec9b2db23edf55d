import pytest

from training.contract.specs import SPECS, LabelerCvSpec, PpoSpec, RewardModelSpec, SftSpec, SpecError, spec_from_dict

SERVER: dict[str, object] = {"engine": "openai", "base_url": "http://127.0.0.1:8000/v1", "model": "m"}


def test_the_defaults_are_the_papers() -> None:
    sft, ppo = SftSpec(), PpoSpec()
    assert (sft.epochs, sft.batch_size, sft.lr, sft.residual_dropout, sft.warmup_steps) == (16, 32, 9.65e-6, 0.2, 0)
    assert (ppo.total_episodes, ppo.batch_size, ppo.minibatch_size, ppo.num_ppo_epochs) == (256_000, 512, 64, 1)
    assert (ppo.kl_coef, ppo.gamma, ppo.cliprange, ppo.temperature, ppo.ema_decay) == (0.02, 1.0, 0.2, 1.0, 0.992)
    assert (ppo.value_lr, ppo.warmup_iterations, ppo.ptx_rows_per_minibatch) == (9e-6, 10, 512)
    assert ppo.iterations == 500
    for spec in (RewardModelSpec(), LabelerCvSpec()):
        assert (spec.epochs, spec.batch_size, spec.lr, spec.lr_final_fraction) == (1, 64, 9e-6, 0.1)
    assert (LabelerCvSpec().folds, LabelerCvSpec().seeds) == (5, 3)


def test_what_the_paper_leaves_open_is_as_its_reimplementations_have_it() -> None:
    judge, ppo = RewardModelSpec(), PpoSpec()
    assert (judge.epochs, judge.batch_size, judge.lr, judge.adam_eps) == (1, 64, 9e-6, 1e-5)
    assert (ppo.lam, ppo.vf_coef, ppo.cliprange_value, ppo.adam_eps) == (0.95, 0.1, 0.2, 1e-5)
    assert (ppo.kl_controller, ppo.kl_target, ppo.kl_horizon, ppo.whiten_advantages) == ("fixed", 6.0, 10_000, True)


@pytest.mark.parametrize("recipe", sorted(SPECS.keys() - {"import_model"}))  # which model has no default
def test_the_defaults_are_valid(recipe: str) -> None:
    assert isinstance(spec_from_dict(recipe, {}), SPECS[recipe])


@pytest.mark.parametrize(
    ("recipe", "values", "sentence"),
    [
        ("sft", {"epoch": 3}, "no setting 'epoch'; did you mean 'epochs'?"),
        ("sft", {"epochs": "3"}, "'epochs' is '3'; it must be a whole number."),
        ("sft", {"epochs": True}, "'epochs' is True; it must be a whole number."),
        ("sft", {"epochs": 0}, "epochs is 0; it must be more than 0."),
        ("sft", {"choose": "best"}, "choose is 'best'; it must be 'auto' or 'last'."),
        ("sft", {"valid_samples": 0}, "valid_samples is 0; it must be more than 0."),
        ("sft", {"lora_rank": -1}, "lora_rank is -1; it must be 0 (all weights) or more."),
        ("reward_model", {"lora_alpha": 0}, "lora_alpha is 0; it must be more than 0."),
        ("reward_model", {"lora_target_modules": " ,"}, "lora_target_modules names no layer."),
        ("labeler_cv", {"lora_rank": 4}, "The labeler_cv spec has no setting 'lora_rank'"),
        ("ppo", {"minibatch_size": 60}, "batch_size 512 is not divisible by minibatch_size 60."),
        ("ppo", {"total_episodes": 1000}, "total_episodes 1000 is not divisible by batch_size 512."),
        ("ppo", {"samples_per_prompt": 5}, "minibatch_size 64 is not divisible by samples_per_prompt 5."),
        ("ppo", {"kl_controller": "slow"}, "kl_controller is 'slow'"),
        ("ppo", {"temperature": 0}, "temperature is 0; it must be more than 0."),  # greedy rollouts explore nothing
        ("ppo", {"missing_eos_score": -1.0}, "exclude each other"),
        ("pretrain", {"hidden_size": 66}, "hidden_size 66 is not divisible by num_attention_heads 4."),
        ("pretrain", {"block_size": 600}, "block_size 600 is longer than max_position_embeddings 512."),
        ("ppo", {"old_logprobs": "both"}, "old_logprobs is 'both'; it must be 'trainer' or 'sampler'."),
        ("labeler_cv", {"folds": 1}, "folds is 1; leaving a group of labelers out needs at least 2."),
        ("labeler_cv", {"seeds": 0}, "seeds is 0; it must be more than 0."),
        ("labeler_cv", {"held_out_prompts": 1.0}, "held_out_prompts is 1.0; it must be in (0, 1)."),
        ("labeler_cv", {"unit_std": True}, "The labeler_cv spec has no setting 'unit_std'"),
        ("sample", {"top_p": 0.0}, "top_p is 0.0; it must be more than 0 and at most 1."),
        ("sample", {"top_p": 1.1}, "top_p is 1.1; it must be more than 0 and at most 1."),
        ("sample", {"engine": "vllm", "top_p": 0.9}, "vLLM would give log-probs of the filtered policy."),
        ("sample", {"engine": "ollama"}, "engine is 'ollama'; there are decoder, openai, vllm."),
        ("sample", {"samples_by_policy": [4]}, "'samples_by_policy' is [4]; it must be an object or null."),
        ("sample", {"samples_by_policy": {"policy": 4, "policy_2": 2}}, "out 6 completions, samples_per_prompt is 4."),
        ("sample", {"samples_by_policy": {"policy": 4, "policy_2": 0}}, "gives 'policy_2' 0 completions"),
        ("sample", SERVER | {"samples_by_policy": {"policy": 4}}, "a server has one model."),
        ("sample", SERVER | {"base_url": "127.0.0.1:8000"}, "begins with http:// or https://"),
        ("sample", SERVER | {"model": ""}, "needs the name of a model"),
        ("sample", SERVER | {"endpoint": "responses"}, "endpoint is 'responses'"),
        ("sample", SERVER | {"api_key": "sk-1"}, "no setting 'api_key'; did you mean 'api_key_env'?"),
        ("evaluate", {"tasks": "hellaswag"}, "'tasks' is 'hellaswag'; it must be a list."),
        ("evaluate", {"tasks": [1]}, "tasks names 1; it must name tasks by texts."),
        ("evaluate", {"tasks": ["arc", "arc"]}, "tasks names a task twice."),
        ("evaluate", {"limit": -1}, "limit is -1; it must be 0 (all questions) or more."),
        ("evaluate", {"num_fewshot": -1}, "num_fewshot is -1; it must be 0 or more, or null."),
        ("best_of_n", {"n": 0}, "n is 0; it must be more than 0."),
        ("reward_model", {"heads": 0}, "heads is 0; it must be more than 0."),
        ("score", {"batch_size": 0}, "batch_size is 0; it must be more than 0."),
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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("api_key_env", "sk-proj-secret"),
        ("base_url", "https://me:secret@example.org/v1"),
        ("base_url", "https://example.org/v1?key=secret"),
    ],
)
def test_a_secret_in_the_spec_is_refused_and_not_repeated(name: str, value: str) -> None:
    with pytest.raises(SpecError) as refusal:
        spec_from_dict("sample", SERVER | {name: value})
    assert name in str(refusal.value)
    assert "secret" not in str(refusal.value).replace("put secrets in", "")


def test_shares_have_one_order_whatever_the_database_made_of_it() -> None:
    shared = {"samples_per_prompt": 6, "samples_by_policy": {"policy_2": 2, "policy": 4}}
    assert list(spec_from_dict("sample", shared).shares.items()) == [("policy", 4), ("policy_2", 2)]
    assert spec_from_dict("sample", {"samples_per_prompt": 6}).shares == {"policy": 6}
