"""Against torch's own attention of each row by itself, and its gradient."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from training.rlhf import row_attention
from training.rlhf.row_attention import BLOCK, attend

HEADS, WIDTH = 2, 8
SIZES = {
    "one block": [5, 1, BLOCK],
    "several blocks": [2 * BLOCK + 7, BLOCK + 1, 3],
    "an empty row": [4, 0, BLOCK + 2],
}


def qkv(tokens: int, dtype: torch.dtype) -> list[Tensor]:
    """[H, N, D] as models make them: heads of a token beside each other in memory."""
    torch.manual_seed(0)
    made = (torch.randn(tokens, HEADS, WIDTH, dtype=torch.float64).to(dtype) for _ in range(3))
    return [tensor.transpose(0, 1).requires_grad_() for tensor in made]


def by_torch(query: Tensor, key: Tensor, value: Tensor, sizes: list[int]) -> Tensor:
    filled = [size for size in sizes if size]
    rows = zip(*(tensor.split(filled, 1) for tensor in (query, key, value)), strict=True)
    return torch.cat([F.scaled_dot_product_attention(*row, is_causal=True, scale=1.0) for row in rows], 1)


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize(
    ("dtype", "error"), [(torch.float64, 1e-12), (torch.float32, 1e-5), (torch.bfloat16, 4e-2)], ids=str
)
def test_it_is_torchs_attention_with_its_gradient(sizes: list[int], dtype: torch.dtype, error: float) -> None:
    mine = qkv(sum(sizes), dtype)
    exact = [tensor.detach().double().requires_grad_() for tensor in mine]
    out, expected = attend(*mine, sizes=sizes), by_torch(*exact, sizes).transpose(0, 1)
    assert out.dtype == dtype
    torch.testing.assert_close(out.double(), expected, atol=error, rtol=error)
    of_out = torch.randn(out.shape, dtype=torch.float64).to(dtype)
    found = torch.autograd.grad(out, mine, of_out)
    for one, other in zip(found, torch.autograd.grad(expected, exact, of_out.double()), strict=True):
        torch.testing.assert_close(one.double(), other, atol=error * 2, rtol=error * 2)


def test_the_gradient_is_that_of_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_attention, "BLOCK", 3)
    torch.autograd.gradcheck(lambda *tensors: attend(*tensors, sizes=[7, 2, 6]), qkv(15, torch.float64))


def test_autocast_leaves_the_precision_as_it_is() -> None:
    tensors = qkv(9, torch.bfloat16)
    alone = attend(*tensors, sizes=[9])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        within = attend(*tensors, sizes=[9])
    assert torch.equal(alone, within)


def test_a_later_token_changes_nothing_before_it() -> None:
    query, key, value = (tensor.detach() for tensor in qkv(2 * BLOCK + 10, torch.float32))
    before = attend(query, key, value, sizes=[2 * BLOCK, 10])
    key[:, BLOCK + 4] += 1
    changed = (
        (attend(query, key, value, sizes=[2 * BLOCK, 10]) != before).flatten(1).any(1).nonzero().flatten().tolist()
    )
    assert changed == list(range(BLOCK + 4, 2 * BLOCK))
