"""Against torch's own attention of each row by itself, and its gradient."""

from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from training.rlhf import row_attention
from training.rlhf.row_attention import BLOCK, Row, attend

HEADS, WIDTH = 2, 8
ROWS = {
    "one block": [Row(0, 5), Row(5, 1), Row(6, BLOCK)],
    "several blocks": [Row(0, 2 * BLOCK + 7), Row(2 * BLOCK + 7, BLOCK + 1), Row(3 * BLOCK + 8, 3)],
    "an empty row": [Row(0, 4), Row(4, 0), Row(4, BLOCK + 2)],
    "stems": [Row(0, 9), Row(9, 4), Row(13, 6, 0, 9), Row(19, BLOCK + 3, 0, 9), Row(BLOCK + 22, 5, 9, 4)],
    "a stem of several blocks": [Row(0, BLOCK + 5), Row(BLOCK + 5, 2 * BLOCK + 1, 0, BLOCK + 5)],
    "an empty row behind a stem": [Row(0, 3), Row(3, 0, 0, 3), Row(3, 2, 0, 3)],
    "like lengths": [Row(0, 7), Row(7, 6), Row(13, 7), Row(20, 5, 0, 7), Row(25, 6, 0, 7), Row(31, 6, 13, 7)],
}


@pytest.fixture(autouse=True, params=[0, 1000], ids=["blocks", "bundles"])
def longest(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Tokens of a row in a bundle."""
    for dtype in (torch.float64, torch.float32, torch.bfloat16):
        monkeypatch.setitem(row_attention.LONGEST, dtype, request.param)
        monkeypatch.setitem(row_attention.MOST_SCORES, dtype, 1 << 20)
    row_attention._pieces.cache_clear()
    yield request.param
    row_attention._pieces.cache_clear()


def qkv(tokens: int, dtype: torch.dtype) -> list[Tensor]:
    """[H, N, D] as models make them: heads of a token beside each other in memory."""
    torch.manual_seed(0)
    made = (torch.randn(tokens, HEADS, WIDTH, dtype=torch.float64).to(dtype) for _ in range(3))
    return [tensor.transpose(0, 1).requires_grad_() for tensor in made]


def by_torch(query: Tensor, key: Tensor, value: Tensor, rows: list[Row]) -> Tensor:
    """Each row as one sequence, its stem before it: [H, N, D]"""
    outs = []
    for row in filter(lambda row: row.size, rows):
        own = range(row.start, row.start + row.size)
        tokens = torch.tensor([*range(row.stem_start, row.stem_start + row.stem), *own])
        parts = (tensor[:, tokens] for tensor in (query, key, value))
        outs.append(F.scaled_dot_product_attention(*parts, is_causal=True, scale=1.0)[:, row.stem :])
    return torch.cat(outs, 1)


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
@pytest.mark.parametrize(
    ("dtype", "error"), [(torch.float64, 1e-12), (torch.float32, 1e-5), (torch.bfloat16, 4e-2)], ids=str
)
def test_it_is_torchs_attention_with_its_gradient(rows: list[Row], dtype: torch.dtype, error: float) -> None:
    mine = qkv(sum(row.size for row in rows), dtype)
    exact = [tensor.detach().double().requires_grad_() for tensor in mine]
    out, expected = attend(*mine, rows=rows), by_torch(*exact, rows).transpose(0, 1)
    assert out.dtype == dtype
    torch.testing.assert_close(out.double(), expected, atol=error, rtol=error)
    of_out = torch.randn(out.shape, dtype=torch.float64).to(dtype)
    found = torch.autograd.grad(out, mine, of_out)
    for one, other in zip(found, torch.autograd.grad(expected, exact, of_out.double()), strict=True):
        assert one.dtype == dtype
        torch.testing.assert_close(one.double(), other, atol=error * 2, rtol=error * 2)


def test_the_gradient_is_that_of_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_attention, "BLOCK", 3)
    rows = [Row(0, 7), Row(7, 2), Row(9, 5, 0, 7), Row(14, 1, 0, 7), Row(15, 4, 0, 7)]
    torch.autograd.gradcheck(lambda *tensors: attend(*tensors, rows=rows), qkv(19, torch.float64))


def test_a_stem_of_many_rows_is_not_rounded_at_each() -> None:
    """In bfloat16 the gradient of the stem is as near to the exact one as its own rounding allows."""
    stem, many = 2, 64
    rows = [Row(0, stem), *(Row(stem + number, 1, 0, stem) for number in range(many))]
    mine = qkv(stem + many, torch.bfloat16)
    exact = [tensor.detach().double().requires_grad_() for tensor in mine]
    of_out = torch.ones(stem + many, HEADS, WIDTH)
    found = torch.autograd.grad(attend(*mine, rows=rows), mine[2], of_out.bfloat16())[0]
    expected = torch.autograd.grad(by_torch(*exact, rows).transpose(0, 1), exact[2], of_out.double())[0]
    torch.testing.assert_close(found[:, :stem].double(), expected[:, :stem], atol=0, rtol=2**-8)


def test_autocast_leaves_the_precision_as_it_is() -> None:
    tensors = qkv(9, torch.bfloat16)
    alone = attend(*tensors, rows=[Row(0, 9)])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        within = attend(*tensors, rows=[Row(0, 9)])
    assert torch.equal(alone, within)


def test_a_later_token_changes_nothing_before_it() -> None:
    query, key, value = (tensor.detach() for tensor in qkv(2 * BLOCK + 10, torch.float32))
    rows = [Row(0, 2 * BLOCK), Row(2 * BLOCK, 10)]
    before = attend(query, key, value, rows=rows)
    key[:, BLOCK + 4] += 1
    changed = (attend(query, key, value, rows=rows) != before).flatten(1).any(1).nonzero().flatten().tolist()
    assert changed == list(range(BLOCK + 4, 2 * BLOCK))


def sizes_together(rows: list[Row], longest: int, most_scores: int) -> list[list[int]]:
    pieces = row_attention._pieces(tuple(rows), sum(row.size for row in rows), longest, most_scores).all
    bundles = [piece for piece in pieces if isinstance(piece, row_attention._Bundle)]
    return [bundle.inside.sum(1).tolist() for bundle in bundles]


def test_rows_of_like_length_and_the_same_stem_are_computed_together() -> None:
    sizes = [10, 3, 11, 40, 12, 3]
    rows, start = [], 0
    for size in sizes:
        rows.append(Row(start, size))
        start += size
    rows += [Row(start, 9, 0, 10), Row(start + 9, 10, 0, 10), Row(start + 19, 9, 13, 11)]
    # 3, 3 and 10 would be 30 tokens for 16: more than 1.4 times as many.
    assert sizes_together(rows, 39, 1000) == [[3, 3], [10, 11, 12], [9, 10], [9]]
    # 3 x 12 queries would meet 12 keys, 432 scores, and 2 x 10 of them 10 + 10 keys, 400.
    assert sizes_together(rows, 39, 431) == [[3, 3], [10, 11], [12], [9, 10], [9]]
    assert sizes_together(rows, 39, 399) == [[3, 3], [10, 11], [12], [9], [10], [9]]
    assert sizes_together(rows, 40, 1) == [[3], [3], [10], [11], [12], [40], [9], [10], [9]]
    assert sizes_together(rows, 11, 1000) == [[3, 3], [10, 11], [9, 10], [9]]
    assert sizes_together(rows, 0, 1000) == []
