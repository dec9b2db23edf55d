"""Which part of a batch this process computes. Every process deals the whole batch and takes its own share.

All processes make equally many passes, because a sharded model (sharding.py) is put together by all of them at once:
who has less to do than the others makes idle passes at the end.
"""

from collections.abc import Iterator, Sequence

from torch import Tensor

from training.rlhf import distributed
from training.rlhf.packing import micro_batches


def deal(sizes: Sequence[int], processes: int) -> list[list[int]]:
    """Positions 0..n-1 dealt to the processes so that each gets about the same sum of sizes: ascending, all of them.

    Largest first, each to whoever has least (Graham 1969: at most 4/3 of the best possible largest share).
    """
    shares: list[list[int]] = [[] for _ in range(processes)]
    loads = [0] * processes
    for position in sorted(range(len(sizes)), key=lambda index: (-sizes[index], index)):
        least = min(range(processes), key=loads.__getitem__)
        shares[least].append(position)
        loads[least] += sizes[position]
    return [sorted(share) for share in shares]


def my_micro_batches(tokens: Sequence[int], max_tokens: int) -> list[list[int]]:
    """This process's share of positions 0..n-1, of tokens[position] tokens each, cut by packing.micro_batches.

    An empty group is an idle pass.
    """
    cuts = []
    for share in deal(tokens, distributed.count()):
        groups = micro_batches([tokens[position] for position in share], max_tokens)
        cuts.append([[share[index] for index in group] for group in groups])
    mine = cuts[distributed.rank()]
    return mine + [[] for _ in range(max(map(len, cuts)) - len(mine))]


def my_blocks(blocks: Tensor, max_tokens: int) -> Iterator[tuple[Tensor, float]]:
    """This process's rows of text [N, T] in parts of at most `max_tokens` tokens, each with its share of all N rows.

    An idle part has the share 0.
    """
    for group in my_micro_batches([blocks.shape[1]] * len(blocks), max_tokens):
        yield (blocks[group], len(group) / len(blocks)) if group else (blocks[:1, :2], 0.0)
