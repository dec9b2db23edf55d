"""What templates need beyond Django's own tags."""

import json
from datetime import datetime
from urllib.parse import urlencode

from django import template
from django.http import HttpRequest
from django.utils.html import escape

from labeling.markdown import to_html
from labeling.prompts import provenance, topics

register = template.Library()

ABBREVIATIONS = {"sft": "SFT", "ppo": "PPO", "kl": "KL", "lm": "LM", "eos": "EOS", "valid": "validation"}


register.filter("markdown", to_html)
register.filter("topic_names", topics.names_of)
register.filter("provenance", provenance.of)


@register.filter
def duration(seconds: float | None) -> str:
    """`95` → `1 min 35 s`, `7300` → `2 h 1 min`."""
    if seconds is None:
        return ""
    whole = max(0, round(seconds))
    hours, minutes = whole // 3600, whole % 3600 // 60
    if hours:
        return f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes} min {whole % 60} s" if minutes < 10 else f"{minutes} min"
    return f"{whole} s"


@register.filter
def seconds_between(start: object, end: object) -> float | None:
    """Between two datetimes, where both are known."""
    if isinstance(start, datetime) and isinstance(end, datetime):
        return (end - start).total_seconds()
    return None


@register.filter
def number(value: object) -> str:
    """Numbers as a person reads them: `0.123`, `1.2e-05`, `1,234`."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return str(escape(str(value)))
    if isinstance(value, int) or value.is_integer():
        return f"{int(value):,}"
    return f"{value:.3g}" if abs(value) < 1e-3 or abs(value) >= 1e6 else f"{value:,.3f}"


@register.simple_tag
def query(request: HttpRequest, **changes: object) -> str:
    """The page's query string with some values changed: for links to the next page of a filtered list."""
    values = {**request.GET.dict(), **{name: str(value) for name, value in changes.items()}}
    return "?" + urlencode({name: value for name, value in values.items() if value})


@register.filter
def label(name: str) -> str:
    """A program's name as a person's: `reward_model` → `Reward model`, `sample_ppo_ptx` → `Sample PPO-ptx`."""
    words = name.replace("ppo_ptx", "PPO-ptx").replace("_", " ").replace("/", " / ").split(" ")
    said = " ".join(ABBREVIATIONS.get(word, word) for word in words)
    return said[:1].upper() + said[1:]


@register.filter
def setting(value: object) -> str:
    """A setting's value in a table: numbers to the last digit, lists and objects as JSON, nothing as a dash."""
    if value is None or value == "":
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@register.filter
def pretty(value: object) -> str:
    """JSON, indented."""
    return json.dumps(value, indent=2, ensure_ascii=False)
