import pytest
import torch

from training.contract.run_dir import RunError
from training.rlhf.packing import endless_order, micro_batches, pack_blocks, pad_rows


def test_documents_are_joined_and_cut_without_padding() -> None:
    blocks = pack_blocks([[1, 2, 0], [3, 4, 5, 0], [6, 0]], block_size=4)
    assert blocks.tolist() == [[1, 2, 0, 3], [4, 5, 0, 6]]


def test_a_limit_on_the_rows() -> None:
    assert pack_blocks([[1, 2, 0], [3, 4, 5, 0]], block_size=2, limit=1).tolist() == [[1, 2]]


def test_texts_shorter_than_a_row_are_refused_with_both_numbers() -> None:
    with pytest.raises(RunError, match="have 3 tokens, less than one row of 8"):
        pack_blocks([[1, 2, 0]], block_size=8)


def test_rows_are_padded_to_the_right() -> None:
    assert pad_rows([[1, 2, 3], [4]], 9).tolist() == [[1, 2, 3], [4, 9, 9]]


def test_micro_batches_hold_every_row_once_within_their_size() -> None:
    tokens = torch.randint(1, 50, (200,), generator=torch.Generator().manual_seed(0)).tolist()
    groups = micro_batches(tokens, max_tokens=128)
    assert sorted(position for group in groups for position in group) == list(range(200))
    assert all(sum(tokens[i] for i in group) <= 128 for group in groups)
    assert len(groups) <= 1.3 * sum(tokens) / 128  # and they are well filled


def test_a_row_that_is_too_large_stands_alone() -> None:
    assert micro_batches([500, 10, 10], max_tokens=64) == [[0], [1, 2]]


def test_the_endless_order_is_made_of_epochs_and_can_be_entered_anywhere() -> None:
    whole = endless_order(7, seed=1, start=0, length=21)
    assert [sorted(whole[i : i + 7]) for i in (0, 7, 14)] == [list(range(7))] * 3
    assert whole[:7] != whole[7:14]
    assert endless_order(7, seed=1, start=5, length=9) == whole[5:14]
    assert endless_order(7, seed=2, start=0, length=21) != whole
