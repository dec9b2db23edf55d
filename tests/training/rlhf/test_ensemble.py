"""Several heads on one trunk, against explicit sums over plain transformers' hidden states."""

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from transformers import AutoModelForSequenceClassification, LlamaForCausalLM, LlamaForSequenceClassification
from transformers import PreTrainedTokenizerFast as Tokenizer

from tests.training.rlhf.conftest import EOS, config
from training.contract.run_dir import RunError
from training.contract.specs import RewardModelSpec
from training.rlhf.comparisons import RankedPrompt
from training.rlhf.ensemble import ensemble_figures, spread
from training.rlhf.reward_training import backward, bootstrap_weights
from training.rlhf.scalar_head import ScalarModel, load_scalar_model, new_scalar_model
from training.rlhf.trees import Tree, pack
from training.rlhf.word_tokenizer import train_word_tokenizer

CPU = torch.device("cpu")
VOCABULARY = 300
BIASES = [0.25, -1.0, 2.0]


@pytest.fixture
def tokenizer() -> Tokenizer:
    return train_word_tokenizer(["a b"], min_count=1, vocab_size=VOCABULARY)


def plain() -> LlamaForSequenceClassification:
    torch.manual_seed(3)
    return LlamaForSequenceClassification(config(vocab_size=VOCABULARY, num_labels=1))


def heads_of(count: int) -> torch.Tensor:
    return torch.randn(count, 16, generator=torch.Generator().manual_seed(5))


@pytest.fixture
def model() -> ScalarModel:
    classifier = plain()
    classifier.config.head_biases = BIASES
    classifier.config.reward_bias = math.fsum(BIASES) / 3
    return ScalarModel(classifier, heads_of(3))


def hidden_of(classifier: LlamaForSequenceClassification, ids: list[int]) -> torch.Tensor:
    return classifier.model(input_ids=torch.tensor([ids])).last_hidden_state[0, -1]


def test_each_head_reads_the_last_state_and_the_reward_is_their_mean(
    model: ScalarModel, prompts: list[list[int]]
) -> None:
    rows = pack([Tree([*prompt, EOS]) for prompt in prompts])
    states = torch.stack([hidden_of(plain(), [*prompt, EOS]) for prompt in prompts])
    expected = states @ heads_of(3).T - torch.tensor(BIASES)
    torch.testing.assert_close(model.score_by_head(rows), expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(model.score(rows), expected.mean(1), atol=1e-5, rtol=0)
    torch.testing.assert_close(model(rows, rows.ends), expected.mean(1), atol=1e-5, rtol=0)  # as a value model reads


def test_whoever_opens_the_checkpoint_finds_the_mean(
    model: ScalarModel, prompts: list[list[int]], tokenizer: Tokenizer, tmp_path: Path
) -> None:
    """Plain transformers: one label, whose logit is the reward plus reward_bias. Ours: the heads, to the last bit."""
    rows = pack([Tree([*prompt, EOS]) for prompt in prompts])
    model.save_pretrained(tmp_path)
    again = load_scalar_model(tmp_path, tokenizer, CPU)
    assert torch.equal(again.score_by_head(rows), model.score_by_head(rows))
    opened = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert opened.config.num_labels == 1
    logits = torch.stack([opened(input_ids=torch.tensor([[*prompt, EOS]])).logits[0, 0] for prompt in prompts])
    torch.testing.assert_close(logits - opened.config.reward_bias, model.score(rows), atol=1e-5, rtol=0)
    # vLLM reads every weights file that lies beside the config.
    assert [path.name for path in tmp_path.glob("*.safetensors")] == ["model.safetensors"]


def test_a_value_model_is_the_mean_head_and_learns(
    model: ScalarModel, prompts: list[list[int]], tokenizer: Tokenizer, tmp_path: Path
) -> None:
    model.save_pretrained(tmp_path)
    value = load_scalar_model(tmp_path, tokenizer, CPU, ensemble=False)
    rows = pack([Tree([*prompt, EOS]) for prompt in prompts])
    torch.testing.assert_close(value.score(rows), model.score(rows), atol=1e-5, rtol=0)
    assert value.heads is None and value.score_by_head(rows).shape == (len(prompts), 1)
    assert all(weight.requires_grad for weight in value.parameters())


def test_normalizing_gives_each_head_its_own_zero_and_all_one_scale(
    model: ScalarModel, prompts: list[list[int]]
) -> None:
    rows = pack([Tree([*prompt, EOS]) for prompt in prompts])
    before = model.score_by_head(rows).detach()
    model.normalize(before.mean(0).tolist(), 2.0)
    expected = (before - before.mean(0)) / 2
    torch.testing.assert_close(model.score_by_head(rows), expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(model(rows, rows.ends), expected.mean(1), atol=1e-5, rtol=0)


def test_a_head_learns_from_its_own_sample_of_the_prompts() -> None:
    """Prompt i counts w[i, k] times for head k: loss and gradients of the sum written out, whatever the cut."""
    ranked = [
        RankedPrompt([7, 9], [[4, 0], [5, 5, 0], [6, 0]], [[(0, 1), (1, 2), (2, 2)]]),
        RankedPrompt([8], [[4, 4, 0], [9, 0]], [[(0, 2), (1, 1)]]),
        RankedPrompt([3, 3, 2], [[2, 0], [6, 6, 0]], [[(0, 1), (1, 2)]]),
    ]
    weights = torch.tensor([[2.0, 0.0], [1.0, 0.0], [0.0, 3.0]])
    heads = heads_of(2).requires_grad_()
    trunk = plain()
    loss = torch.zeros(())
    for prompt, counts in zip(ranked, weights, strict=True):
        states = torch.stack([hidden_of(trunk, prompt.prompt + completion) for completion in prompt.completions])
        for head, count in enumerate(counts):
            scores = states @ heads[head]
            losses = [F.softplus(scores[loser] - scores[winner]) for winner, loser in prompt.pairs]
            loss = loss + count * torch.stack(losses).mean() / 3 / 2
    loss.backward()

    for max_tokens in (10_000, 5):
        classifier = plain()
        classifier.config.head_biases = [0.0, 0.0]
        model = ScalarModel(classifier, heads_of(2))
        found = backward(model, ranked, RewardModelSpec(micro_batch_tokens=max_tokens), weights)
        assert found["loss/train"] == pytest.approx(loss.item(), abs=1e-5)
        torch.testing.assert_close(model.heads.grad, heads.grad, atol=1e-5, rtol=0)
        for name, weight in trunk.model.named_parameters():
            theirs = classifier.model.get_parameter(name).grad
            torch.testing.assert_close(theirs, weight.grad, atol=1e-5, rtol=0)
        assert classifier.score.weight.grad is None


def test_heads_of_one_seed_differ_and_those_of_two_seeds_too(tokenizer: Tokenizer, tmp_path: Path) -> None:
    LlamaForCausalLM(config(vocab_size=VOCABULARY)).save_pretrained(tmp_path)
    first, again, other = (new_scalar_model(tmp_path, tokenizer, CPU, heads=40, seed=seed).heads for seed in (1, 1, 2))
    assert torch.equal(first, again)
    both = torch.cat([first, other])
    assert len(torch.unique(both, dim=0)) == 80
    assert both.std().item() == pytest.approx(17**-0.5, rel=0.1)  # 1,280 draws: the error is 2 %


def test_a_sample_of_the_prompts_is_one_with_replacement() -> None:
    """As many as there are prompts, of which a share of 1/e is never drawn; one head has every prompt once."""
    weights = bootstrap_weights(4000, 3, seed=7)
    assert torch.equal(weights, bootstrap_weights(4000, 3, seed=7))
    assert not torch.equal(weights, bootstrap_weights(4000, 3, seed=8))
    assert weights.sum(0).tolist() == [4000, 4000, 4000]
    assert len(torch.unique(weights, dim=1).T) == 3
    assert (weights == 0).float().mean(0).tolist() == pytest.approx([math.exp(-1)] * 3, abs=0.025)
    assert torch.equal(bootstrap_weights(5, 1, seed=7), torch.ones(5, 1))


def test_the_figures_of_an_ensemble_by_hand() -> None:
    """Two heads, three completions. Differences of (a, b), (a, c), (b, c): (2, 4), (1, -3), (-1, -7)."""
    ranking = [([3.0, 5.0], 1), ([1.0, 1.0], 2), ([2.0, 8.0], 3)]
    figures = ensemble_figures([ranking])
    assert figures == pytest.approx(
        {
            "accuracy": 1 / 3,  # the means differ by 3, -1, -4
            "head_accuracy": (2 / 3 + 1 / 3) / 2,
            "spread_right": 1.0,  # of 2 and 4
            "spread_wrong": (2.0 + 3.0) / 2,  # of 1 and -3, of -1 and -7
        }
    )
    assert "spread_wrong" not in ensemble_figures([ranking[:2]])
    assert spread([1.0, -3.0]) == 2.0


def test_an_ensemble_without_its_heads_is_refused(model: ScalarModel, tokenizer: Tokenizer, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path)
    (tmp_path / "heads" / "heads.safetensors").unlink()
    with pytest.raises(RunError, match=r"is an ensemble of 3 heads, and heads/heads.safetensors is missing."):
        load_scalar_model(tmp_path, tokenizer, CPU)
