"""How the figures of models are written, and where each leads."""

from typing import Any
from urllib.parse import urlencode

from django import template

register = template.Library()
UNITS = ((1e9, "B"), (1e6, "M"), (1e3, "k"))


@register.filter
def parameters(count: int | None) -> str:
    """`1_310_000_000` → `1.31B`."""
    if count is None:
        return "unknown"
    for size, unit in UNITS:
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return str(count)


@register.filter
def precise(value: float | None) -> str:
    """Four significant digits: `0.4275`, `39.93`."""
    return "" if value is None else f"{value:.4g}".replace("-", "−")


@register.filter
def signed(value: float | None) -> str:
    """`0.12` → `+0.12`, `-0.12` → `−0.12`."""
    if value is None:
        return ""
    said = f"{value:+.3g}"
    return "0" if float(said) == 0 else said.replace("-", "−")


@register.simple_tag
def items_link(address: str, **asked: object) -> str:
    """The judgements behind a figure."""
    return f"{address}?{urlencode({name: str(value) for name, value in asked.items() if value})}"


@register.simple_tag
def group_link(address: str, line: dict[str, Any], by: str) -> str:
    """Of one cohort and one group of prompts."""
    asked = {by: line["value_of"], "cohort": line["cohort"]}
    return items_link(address, policy=line["checkpoint"], baseline=line["baseline"], **asked)


@register.filter
def nats(value: float | None) -> str:
    """A KL as a person reads it."""
    return "" if value is None else f"{value:.3g}"
