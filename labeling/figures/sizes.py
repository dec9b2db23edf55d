"""How many parameters a checkpoint has, by the headers of its weights. No tensor is read."""

import json
import math
from functools import lru_cache
from pathlib import Path

MOST = 100_000_000  # bytes of a header, as the format allows
INDEX = "model.safetensors.index.json"


def parameters(folder: Path) -> int | None:
    """The numbers in `model.safetensors`, or in the parts that its index names; None where that cannot be told.

    Tied weights lie in the file once, and count once.
    """
    try:
        return sum(_of_file(path, path.stat().st_mtime_ns) for path in _files(folder)) or None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _files(folder: Path) -> list[Path]:
    whole = folder / "model.safetensors"
    if whole.is_file():
        return [whole]
    index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    return [folder / name for name in sorted(set(index["weight_map"].values()))]


@lru_cache(maxsize=256)
def _of_file(path: Path, _changed: int) -> int:
    """The format: 8 bytes with the header's length, the header in JSON, the tensors."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > MOST:
            raise ValueError("This is no header.")
        header = json.loads(file.read(length))
    return sum(math.prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__")
