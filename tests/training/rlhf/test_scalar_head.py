from pathlib import Path

import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    PreTrainedTokenizerFast,
)

from tests.training.rlhf.conftest import PAD, config
from training.contract.run_dir import RunError
from training.rlhf.packing import pad_rows
from training.rlhf.scalar_head import ScalarModel, load_scalar_model, new_scalar_model
from training.rlhf.trees import Packed, Tree, pack
from training.rlhf.word_tokenizer import train_word_tokenizer

CPU = torch.device("cpu")


VOCABULARY = 300  # room for the bytes of a real tokenizer


@pytest.fixture
def tokenizer() -> PreTrainedTokenizerFast:
    """Its end token is 0 and its pad token is 1, like the models'."""
    return train_word_tokenizer(["a b"], min_count=1, vocab_size=VOCABULARY)


@pytest.fixture
def policy_path(tmp_path: Path) -> Path:
    LlamaForCausalLM(config(vocab_size=VOCABULARY)).save_pretrained(tmp_path / "policy")
    return tmp_path / "policy"


@pytest.fixture
def model() -> ScalarModel:
    return ScalarModel(LlamaForSequenceClassification(config(vocab_size=VOCABULARY, num_labels=1)))


def rows_of(prompts: list[list[int]]) -> Packed:
    return pack([Tree([*prompt, 0]) for prompt in prompts])


def save(model: ScalarModel, path: Path) -> Path:
    model.classifier.save_pretrained(path)
    return path


def test_head_and_bias_survive_saving(
    model: ScalarModel,
    prompts: list[list[int]],
    tokenizer: PreTrainedTokenizerFast,
    tmp_path: Path,
) -> None:
    rows = rows_of(prompts)
    model.normalize(mean=0.37, std=2.0)
    again = load_scalar_model(save(model, tmp_path), tokenizer, CPU)
    assert torch.equal(model.score(rows), again.score(rows))


def test_the_demonstrations_have_mean_0_and_comparisons_do_not_change(
    model: ScalarModel, prompts: list[list[int]]
) -> None:
    rows = rows_of(prompts)
    before = model.score(rows).detach()
    model.normalize(mean=before.double().mean().item(), std=1.0)
    after = model.score(rows).detach()
    assert after.double().mean().item() == pytest.approx(0, abs=1e-6)
    torch.testing.assert_close(after - after[0], before - before[0], atol=1e-5, rtol=0)


def test_a_plain_classifier_gives_the_reward_plus_the_bias_however_it_pads(
    model: ScalarModel, prompts: list[list[int]], tmp_path: Path
) -> None:
    model.normalize(mean=-0.8, std=1.0)
    plain = AutoModelForSequenceClassification.from_pretrained(save(model, tmp_path))
    ours = model.score(rows_of(prompts)) + plain.config.reward_bias
    rows = [[*prompt, 0] for prompt in prompts]
    longest = max(map(len, rows))
    left = torch.tensor([[PAD] * (longest - len(row)) + row for row in rows])
    for ids in (pad_rows(rows, PAD), left):
        mask = (ids != PAD).long()
        positions = (mask.cumsum(1) - 1).clamp_min(0)
        logits = plain(input_ids=ids, attention_mask=mask, position_ids=positions).logits.squeeze(1)
        torch.testing.assert_close(logits, ours, atol=1e-5, rtol=0)


def test_scores_are_the_same_alone(model: ScalarModel, prompts: list[list[int]]) -> None:
    alone = torch.cat([model.score(rows_of([prompt])) for prompt in prompts])
    torch.testing.assert_close(model.score(rows_of(prompts)), alone, atol=1e-5, rtol=0)


def test_the_score_is_read_at_the_last_token(model: ScalarModel, prompts: list[list[int]]) -> None:
    changed = pack([Tree([*prompt, 9]) for prompt in prompts])
    assert not torch.isclose(model.score(rows_of(prompts)), model.score(changed)).any()


def test_a_new_model_has_the_policys_trunk_and_a_head_of_the_stated_spread(
    policy_path: Path, tokenizer: PreTrainedTokenizerFast
) -> None:
    policy = LlamaForCausalLM.from_pretrained(policy_path)
    model = new_scalar_model(policy_path, tokenizer, CPU)
    for name, weight in policy.model.named_parameters():
        assert torch.equal(weight, dict(model.classifier.model.named_parameters())[name])
    draws = torch.cat([new_scalar_model(policy_path, tokenizer, CPU).classifier.score.weight for _ in range(40)])
    assert draws.std().item() == pytest.approx(17**-0.5, rel=0.12)  # 640 draws: the error is 2.8 %


def test_a_policy_is_not_taken_for_a_reward_model(policy_path: Path, tokenizer: PreTrainedTokenizerFast) -> None:
    with pytest.raises(RunError, match="is not a reward model"):
        load_scalar_model(policy_path, tokenizer, CPU)
