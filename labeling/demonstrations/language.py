"""Which language a text is in, as far as its letters tell (py3langid, a fork of the paper's langid.py)."""

from functools import cache
from threading import Lock, Thread
from typing import Any

from django.conf.locale import LANG_INFO

ENOUGH = 20  # characters; below, it is a guess
SAMPLE = 2000  # more changes nothing and takes longer
NO_LANGUAGE = "zxx"  # ISO 639-2: no linguistic content
NAMES = {
    "zh": "Chinese",
    "la": "Latin",
    "tl": "Tagalog",
    "zu": "Zulu",
    "xh": "Xhosa",
    "yo": "Yoruba",
    "yue": "Cantonese",
}
_loading = Lock()


def recognize(text: str) -> str:
    """The language's code: en, de, zh …; empty where the text is too short or is none, such as code.

    Takes 2 ms at most once the model is there; the first call in a process waits for that (`warm_up`).
    """
    sample = text[:SAMPLE].strip()
    if len(sample) < ENOUGH:
        return ""
    code = str(_identifier().classify(sample)[0])
    return "" if code == NO_LANGUAGE else code


def name_of(code: str) -> str:
    """What people call it; a rare one is called by its code."""
    return NAMES.get(code) or LANG_INFO.get(code, {}).get("name", code)


def warm_up() -> None:
    """Begin to load the model, half a second and 100 MB, beside the request: a process that never shows a writing
    page never pays for it, and whoever opens one has not yet written a word when it is there."""
    if not _load.cache_info().currsize:
        Thread(target=_identifier, name="language model", daemon=True).start()


def _identifier() -> Any:
    with _loading:
        return _load()


@cache
def _load() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE)
