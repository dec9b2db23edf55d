"""A text's Markdown as HTML that is safe on our pages, whoever wrote the text: a researcher, a labeler or a model."""

import re
from collections.abc import MutableMapping, Sequence
from functools import lru_cache
from typing import Any

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from labeling.texts import storable

FIRST_LEVEL = 3  # a text mostly stands below its page's h1 and its own part's h2
BLOCKS = ["p", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "th", "td"]
INLINE = ["a", "br", "code", "del", "em", "s", "strong"]
_ATTRIBUTES: dict[str, set[str]] = {"a": {"href", "title"}, "code": {"class"}, "ol": {"start"}}
_WANTED = {"href": re.compile(r"(https?://|mailto:)\S+", re.IGNORECASE), "class": re.compile(r"language-[\w+#.-]+")}


@lru_cache(maxsize=256)  # every page of a labeler shows the same guideline
def to_html(text: str, first_level: int = FIRST_LEVEL) -> SafeString:
    """The text's Markdown (CommonMark, tables, strikethrough) as sanitized HTML.

    HTML in the text is shown, not obeyed. Images are shown as their words and address: to load one would tell a
    stranger's server who reads. Headings begin at `first_level`, below the page's own, without a gap. Each block finds
    its own writing direction.
    """
    return mark_safe(
        nh3.clean(
            _MARKDOWN.render(storable(text), {"first_level": first_level}),
            tags={*BLOCKS, *INLINE, "hr", "pre", "table", "thead", "tbody", "tr"},
            attributes=_ATTRIBUTES,
            attribute_filter=_wanted,
            url_schemes={"http", "https", "mailto"},
            link_rel="noopener noreferrer nofollow",
            set_tag_attribute_values={"a": {"target": "_blank"}, **{block: {"dir": "auto"} for block in BLOCKS}},
        )
    )


def _wanted(tag: str, attribute: str, value: str) -> str | None:
    """The attribute's value where it leads out of Podium (a link) or names a language (code)."""
    pattern = _WANTED.get(attribute)
    return value if pattern is None or pattern.fullmatch(value) else None


def _lower_headings(state: StateCore) -> None:
    """The levels by their nesting and not by their numbers, so that none is left out, wherever a text begins."""
    first, above = state.env["first_level"], list[str]()
    for token in state.tokens:
        if token.type == "heading_open":
            while above and above[-1] >= token.tag:
                above.pop()
            above.append(token.tag)
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(first + len(above) - 1, 6)}"


def _image(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: MutableMapping[str, Any]
) -> str:
    image = tokens[index]
    words = renderer.renderInlineAsText(image.children, options, env)
    address = str(image.attrs.get("src", ""))
    return str(escape(f"{words} ({address})" if words else address))


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 100}).enable(["table", "strikethrough"])
    parser.core.ruler.push("lower_headings", _lower_headings)
    parser.add_render_rule("image", _image)
    return parser


_MARKDOWN = _parser()
