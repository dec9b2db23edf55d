"""How a figure of agreement is written and drawn."""

from typing import Any

from django import template
from django.http import HttpRequest

from labeling.templatetags.podium import query

register = template.Library()
SHARE, COEFFICIENT = "share", "coefficient"


@register.filter
def percent(value: float | None) -> str:
    """`0.7263` → `72.6 %`."""
    return "" if value is None else f"{100 * value:.1f}\u00a0%"


@register.filter
def coefficient(value: float | None) -> str:
    """`-0.127` → `−0.13`."""
    return "" if value is None else f"{value:.2f}".replace("-", "−")


@register.simple_tag
def narrowed(request: HttpRequest, by: str, value: str) -> str:
    """The page's query string, narrowed to one value of a grouping."""
    return query(request, **{by: value})


@register.inclusion_tag("labeling/agreement/_figure.html")
def figure_cells(figure: Any, kind: str, link: str = "", about: str = "") -> dict[str, Any]:
    """Three cells: the value (with a link to the items behind it), its interval, and both drawn on a line.

    A share lies between 0 and 1, the dashed line being one half; a coefficient between -1 and 1, the line being 0.
    `about` tells links of equal values apart for who hears them.
    """
    low, high = figure.get("low"), figure.get("high")
    return {
        "value": _written(figure["value"], kind),
        "interval": "" if low is None else f"{_written(low, kind, bare=True)} to {_written(high, kind)}",
        "why": figure.get("why", ""),
        "link": link,
        "about": about,
        "drawn": None if figure["value"] is None else _drawn(figure["value"], low, high, kind),
    }


def _written(value: float | None, kind: str, *, bare: bool = False) -> str:
    if value is None:
        return ""
    if kind == SHARE:
        return f"{100 * value:.1f}" if bare else percent(value)
    return coefficient(value)


def _drawn(value: float, low: float | None, high: float | None, kind: str) -> dict[str, str]:
    """Between 0 and 1, as SVG reads numbers."""

    def at(one: float) -> str:
        return f"{one if kind == SHARE else (one + 1) / 2:.4f}"

    return {"value": at(value), "low": at(value if low is None else low), "high": at(value if high is None else high)}
