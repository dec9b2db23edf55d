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


def rows_of(prompts: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    rows = [[*prompt, 0] for prompt in prompts]
    return pad_rows(rows, PAD), torch.tensor([len(row) for row in rows])


def save(model: ScalarModel, path: Path) -> Path:
    model.classifier.save_pretrained(path)
    return path


def test_head_and_bias_survive_saving(
    model: ScalarModel,
    prompts: list[list[int]],
    tokenizer: PreTrainedTokenizerFast,
    tmp_path: Path,
) -> None:
    ids, lengths = rows_of(prompts)
    model.normalize(mean=0.37, std=2.0)
    again = load_scalar_model(save(model, tmp_path), tokenizer, CPU)
    assert torch.equal(model.score(ids, lengths), again.score(ids, lengths))


def test_the_demonstrations_have_mean_0_and_comparisons_do_not_change(
    model: ScalarModel, prompts: list[list[int]]
) -> None:
    ids, lengths = rows_of(prompts)
    before = model.score(ids, lengths).detach()
    model.normalize(mean=before.double().mean().item(), std=1.0)
    after = model.score(ids, lengths).detach()
    assert after.double().mean().item() == pytest.approx(0, abs=1e-6)
    torch.testing.assert_close(after - after[0], before - before[0], atol=1e-5, rtol=0)


def test_a_plain_classifier_gives_the_reward_plus_the_bias(
    model: ScalarModel, prompts: list[list[int]], tmp_path: Path
) -> None:
    ids, lengths = rows_of(prompts)
    model.normalize(mean=-0.8, std=1.0)
    plain = AutoModelForSequenceClassification.from_pretrained(save(model, tmp_path))
    logits = plain(input_ids=ids, attention_mask=(ids != PAD).long()).logits.squeeze(1)
    torch.testing.assert_close(logits - plain.config.reward_bias, model.score(ids, lengths), atol=1e-5, rtol=0)


def test_scores_are_the_same_with_left_padding_and_alone(model: ScalarModel, prompts: list[list[int]]) -> None:
    ids, lengths = rows_of(prompts)
    together = model.score(ids, lengths)
    alone = torch.cat([model.score(row[None, :length], length[None]) for row, length in zip(ids, lengths, strict=True)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
    longest = ids.shape[1]
    rows = ids.tolist()
    left = torch.tensor([[PAD] * (longest - n) + row[:n] for row, n in zip(rows, lengths.tolist(), strict=True)])
    mask = (left != PAD).long()
    positions = (mask.cumsum(1) - 1).clamp_min(0)
    logits = model.classifier(input_ids=left, attention_mask=mask, position_ids=positions).logits.squeeze(1)
    torch.testing.assert_close(logits, together, atol=1e-5, rtol=0)


def test_the_score_is_read_at_the_last_token_only(model: ScalarModel, prompts: list[list[int]]) -> None:
    ids, lengths = rows_of(prompts)
    other = torch.where(ids == PAD, torch.full_like(ids, 9), ids)
    assert torch.equal(model.score(ids, lengths), model.score(other, lengths))
    changed = ids.clone()
    changed[torch.arange(len(ids)), lengths - 1] = 9
    assert not torch.isclose(model.score(ids, lengths), model.score(changed, lengths)).any()


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
