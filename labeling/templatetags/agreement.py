"""How a figure of agreement is written and drawn."""

from typing import Any

from django import template
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from labeling.templatetags.podium import query

register = template.Library()
SHARE, COEFFICIENT = "share", "coefficient"
CELLS = (
    '<td class="right num nowrap">{}</td><td class="right num nowrap">{}</td><td class="strip">'
    '<svg class="interval" viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">'
    '<line x1="0" x2="1" y1="0.5" y2="0.5"/><line class="half" x1="0.5" x2="0.5" y1="0" y2="1"/>'
    '<line class="range" x1="{low}" x2="{high}" y1="0.5" y2="0.5"/>'
    '<line class="rate" x1="{value}" x2="{value}" y1="0.15" y2="0.85"/></svg></td>'
)


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


@register.simple_tag
def figure_cells(figure: Any, kind: str, link: str = "", about: str = "") -> SafeString:
    """Three cells: the value (with a link to the items behind it), its interval, and both drawn on a line.

    A share lies between 0 and 1, the dashed line being one half; a coefficient between -1 and 1, the line being 0.
    `about` tells links of equal values apart for who hears them. Hundreds stand on a page: hence no template.
    """
    why = figure.get("why", "")
    if figure["value"] is None:
        return format_html('<td colspan="3" class="soft">Undefined: {}.</td>', why)
    low, high = figure.get("low"), figure.get("high")
    value: str = _written(figure["value"], kind)
    if link:
        said = format_html('<span class="sr">, {}: the items behind it</span>', about) if about else ""
        value = format_html('<a href="{}">{}{}</a>', link, value, said)
    if low is None:
        interval: str = format_html('<span class="small soft unsaid">{}</span>', why)
    else:
        interval = f"{_written(low, kind, bare=True)} to {_written(high, kind)}"
    drawn = _drawn(figure["value"], low, high, kind)
    return format_html(CELLS, value, interval, **drawn)


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
