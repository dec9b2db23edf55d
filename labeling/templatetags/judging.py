"""How a figure of a judgement is written, with the way to what is behind it."""

from typing import Any
from urllib.parse import urlencode

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def items_link(address: str, **choice: str) -> str:
    """The address of the rankings behind a figure."""
    return f"{address}?{urlencode({name: value for name, value in choice.items() if value})}"


@register.simple_tag
def number_cells(figure: Any, link: str = "", about: str = "", sign: str = "") -> SafeString:
    """Two cells: a rating, a strength or a difference, and its interval. `sign`: with + where it is above 0."""
    if figure["value"] is None:
        return format_html('<td colspan="2" class="soft small">None: {}.</td>', figure["why"])
    form = "+.2f" if sign else ".2f"
    value = _minus(format(figure["value"], form))
    said = format_html('<span class="sr">, {}: the rankings behind it</span>', about) if about else ""
    shown: str = format_html('<a href="{}">{}{}</a>', link, value, said) if link else value
    return format_html(
        '<td class="right num nowrap">{}</td><td class="right num nowrap">{}</td>', shown, _interval(figure, form)
    )


@register.simple_tag
def share_cell(figure: Any, link: str = "", about: str = "", sign: str = "") -> SafeString:
    """One cell: a share in percent (with `sign` a difference in points), its interval and what it rests on."""
    if figure is None or figure["value"] is None:
        return format_html('<td class="right soft">{}</td>', "–")
    form = "+.1f" if sign else ".1f"
    value = _minus(format(100 * figure["value"], form))
    said = format_html('<span class="sr">, {}: the rankings behind it</span>', about) if about else ""
    shown: str = format_html('<a href="{}">{}{}</a>', link, value, said) if link else value
    if figure["low"] is None:
        ends: str = format_html("<span>n = {}</span>", figure["prompts"])
    else:
        low, high = (_minus(format(100 * figure[end], form)) for end in ("low", "high"))
        ends = format_html("{} to {}", low, high)
    return format_html(
        '<td class="right num nowrap" title="{}"><strong>{}</strong><br><span class="small soft">{}</span></td>',
        f"{figure['prompts']} prompts, {figure['labels']} labels of {figure['labelers']} labelers",
        shown,
        ends,
    )


def _interval(figure: Any, form: str) -> SafeString | str:
    if figure["low"] is None:
        return format_html('<span class="small soft unsaid">{}</span>', figure["why"])
    return f"{_minus(format(figure['low'], form))} to {_minus(format(figure['high'], form))}"


def _minus(text: str) -> str:
    return text.replace("-", "−")


@register.simple_tag
def cell_of(figures: dict[str, Any], key: str, link: str = "", about: str = "") -> SafeString:
    return share_cell(figures.get(key), link, about)


@register.simple_tag
def difference_cell(pairs: list[dict[str, Any]], policy: str, against: str, key: str) -> SafeString:
    """By how much the policy's share of a flag differs from the other's; a dash for the same policy."""
    found = next((pair["flags"][key] for pair in pairs if (pair["policy"], pair["other"]) == (policy, against)), None)
    return share_cell(found, sign="+")


@register.simple_tag
def part_cell(part: dict[str, Any], by: str, policy: str, against: str, address: str) -> SafeString:
    """A win rate in one part, with the way to its rankings."""
    link = items_link(address, **{"policy": policy, "other": against, by: part["value"]})
    return share_cell(part["wins"].get(policy), link, f"{policy}, {part['label']}")


@register.simple_tag
def points(share: float) -> str:
    """`0.0523` → `5.2`."""
    return f"{100 * share:.1f}"


@register.simple_tag
def share_of(of: Any, name: str) -> str:
    """One component's share of the variance."""
    whole = of.prompt + of.labeler + of.rest
    return f"{100 * getattr(of, name) / whole:.0f}\u00a0%" if whole else "none"
