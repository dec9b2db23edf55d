"""Whether a checkpoint folder is whole, by what its files say of themselves. No tensor is read.

A copy that broke off or a disk that filled up leaves a folder that looks like a checkpoint. The libraries that open it
say so in their own words, or draw the weights that they miss anew and say nothing.
"""

import json
import math
from pathlib import Path
from typing import Any

WEIGHTS = ("model.safetensors", "pytorch_model.bin")
TOKENIZERS = ("tokenizer.json", "*.model", "vocab.*", "*.tiktoken", "tekken.json")  # of one kind or another
BYTES = {"BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2}
BYTES |= {"I32": 4, "U32": 4, "F32": 4, "I64": 8, "U64": 8, "F64": 8}


def damage(folder: Path) -> str | None:
    """What is wrong with the checkpoint in `folder`, as a clause that begins with the file's name, or None."""
    problem = _json(folder / "config.json") or _weights(folder) or _tokenizer(folder)
    if problem is not None:
        return problem
    for path in sorted(folder.rglob("*.safetensors")):
        problem = _safetensors(path)
        if problem is not None:
            return f"{path.relative_to(folder)} {problem}"
    return None


def _weights(folder: Path) -> str | None:
    """One file, or the parts that an index names."""
    for name in WEIGHTS:
        if (folder / name).is_file():
            return None if (folder / name).stat().st_size else f"{name} is empty"
        index = folder / f"{name}.index.json"
        if index.is_file():
            return _json(index) or _parts(folder, index)
    return f"{WEIGHTS[0]} is missing"


def _parts(folder: Path, index: Path) -> str | None:
    files = json.loads(index.read_text(encoding="utf-8")).get("weight_map")
    if not isinstance(files, dict) or not files:
        return f"{index.name} names no file"
    for name in sorted(set(files.values())):
        if not (folder / name).is_file():
            return f"{name}, which {index.name} names, is missing"
    return None


def _tokenizer(folder: Path) -> str | None:
    if not any(list(folder.glob(pattern)) for pattern in TOKENIZERS):
        return f"{TOKENIZERS[0]} is missing"
    for name in ("tokenizer.json", "tokenizer_config.json"):
        if (folder / name).is_file() and (problem := _json(folder / name)):
            return problem
    return None


def _json(path: Path) -> str | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        return f"{path.name} is not JSON ({error})"
    return None if isinstance(found, dict) else f"{path.name} is not a JSON object"


def _safetensors(path: Path) -> str | None:
    """The format: 8 bytes with the header's length, the header in JSON, and the tensors, without gaps to the end."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > size - 8:
            return f"ends within its header, after {size} bytes"
        header = file.read(length)
    try:
        tensors: Any = json.loads(header)
        entries = [entry for name, entry in tensors.items() if name != "__metadata__"]
        spans = [(*entry["data_offsets"], _bytes_of(entry)) for entry in entries]
        end = max((stop for _, stop, _ in spans), default=0)
        fits = all(stop - start == needed for start, stop, needed in spans if needed is not None)
    except (ValueError, AttributeError, KeyError, TypeError):
        return "has a header that cannot be read"
    if size != 8 + length + end:
        return f"has {size} bytes, and its header says {8 + length + end}"
    return None if fits else "has a header that contradicts itself"


def _bytes_of(entry: dict[str, Any]) -> int | None:
    """Of a tensor by its shape; None for kinds of number that are not known here."""
    width = BYTES.get(entry["dtype"])
    return None if width is None else width * math.prod(entry["shape"])
