"""An uploaded file of prompts as rows: JSONL, CSV with a header, or plain text with one prompt a line."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from labeling.errors import BadInput


class Row(NamedTuple):
    """One row of a file: its line number, and its fields or what is wrong with it."""

    line: int
    fields: dict[str, Any]
    problem: str = ""


def parse(content: bytes, filename: str) -> list[Row]:
    """The rows of a file, by the ending of its name (.jsonl, .csv, anything else is plain text).

    Raises BadInput for a file that is not UTF-8 or has no usable header; a bad line is only that row's problem.
    """
    text = _decode(content, filename)
    name = filename.lower()
    if name.endswith((".jsonl", ".ndjson", ".json")):
        return list(_json_lines(text))
    if name.endswith(".csv"):
        return list(_csv(text, filename))
    return [Row(number, {"prompt": line}) for number, line in enumerate(_lines(text), start=1) if line.strip()]


def _decode(content: bytes, filename: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInput(
            f"“{filename}” is not UTF-8 text: line {line} has the byte 0x{content[error.start]:02X} "
            f"(byte {error.start + 1} of the file). Save it as UTF-8 and upload it again."
        ) from None


def _lines(text: str) -> list[str]:
    """Lines by line ends alone: str.splitlines would also cut at U+2028 and friends, which JSON may contain."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _json_lines(text: str) -> Iterator[Row]:
    for number, line in enumerate(_lines(text), start=1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except ValueError as error:
            yield Row(number, {}, f"This is not JSON ({error}).")
            continue
        except RecursionError:
            yield Row(number, {}, "This JSON is nested too deeply.")
            continue
        if isinstance(fields, dict):
            yield Row(number, fields)
        else:
            yield Row(number, {}, 'This is not a JSON object such as {"prompt": "…"}.')


def _csv(text: str, filename: str) -> Iterator[Row]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in reader.fieldnames or []]
        if not {"prompt", "text"} & set(header):
            raise BadInput(f"“{filename}” has no column named “prompt” in its first line.")
        reader.fieldnames = header
        for fields in reader:
            extra = fields.pop(None, None)
            problem = "This line has more fields than the first line." if extra else ""
            yield Row(reader.line_num, {name: value for name, value in fields.items() if value is not None}, problem)
    except csv.Error as error:
        raise BadInput(f"“{filename}” is not readable as CSV at line {reader.reader.line_num}: {error}.") from None
