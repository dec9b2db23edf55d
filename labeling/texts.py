"""What every text must be, wherever it comes from: a form, a file, a model."""

import re
import unicodedata

from labeling.errors import BadInput

MAX_CHARACTERS = 20_000
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def clean(text: str, what: str) -> str:
    """The text in one form: NFC, line ends as \\n, no blank ends. Raises BadInput with a sentence about `what`."""
    if "\0" in text:
        raise BadInput(f"{what} contains a NUL character, which no text may.")
    if found := _LONE_SURROGATE.search(text):
        raise BadInput(f"{what} contains half of a character (U+{ord(found[0]):04X}); it was cut or badly encoded.")
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if not text:
        raise BadInput(f"{what} is empty.")
    if len(text) > MAX_CHARACTERS:
        raise BadInput(f"{what} has {len(text):,} characters; at most {MAX_CHARACTERS:,} are taken.")
    return text


def storable(text: str) -> str:
    """A model's text as the database can hold it: what is no character becomes U+FFFD."""
    return _LONE_SURROGATE.sub("\ufffd", text.replace("\0", "\ufffd"))
