"""Markdown from anybody: shown as it is meant, and never obeyed as HTML."""

import re
import time
from html.parser import HTMLParser

import pytest

from labeling.markdown import to_html

HARMLESS = {*("p", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "hr", "pre", "code"), "a", "br"}
HARMLESS |= {"del", "em", "s", "strong", "table", "thead", "tbody", "tr", "th", "td"}
KNOWN_ATTRIBUTES = {"dir", "href", "title", "target", "rel", "class", "start"}


class Seen(HTMLParser):
    """What a browser would take for elements and attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("It is *so* **very** ~~bad~~ `x`.", "It is <em>so</em> <strong>very</strong> <s>bad</s> <code>x</code>."),
        ("one  \ntwo", "one<br>\ntwo"),
        ("- a\n- b", '<li dir="auto">a</li>'),
        ("3. three", '<ol start="3" dir="auto">'),
        ("> said", '<blockquote dir="auto">'),
        ("|a|b|\n|-|-|\n|1|2|", '<td dir="auto">2</td>'),
        ("a < b & c", "a &lt; b &amp; c"),
    ],
)
def test_what_markdown_means(text: str, html: str) -> None:
    assert html in to_html(text)


def test_code_keeps_its_spaces_and_names_its_language() -> None:
    html = to_html("```python extra\nif x:\n\n    y  =  1\n```")
    assert html == '<pre><code class="language-python">if x:\n\n    y  =  1\n</code></pre>\n'
    assert "class" not in to_html('```x"onclick=y\na\n```')


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "<style>*{display:none}</style>",
        "<iframe src=//evil.example></iframe>",
        "<a href='javascript:alert(1)'>x</a>",
        "a <b onclick=alert(1)>b",
        "<!-- <p -->",
        "</main></body><form action=//evil.example>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](vbscript:x)",
        "[x](data:text/html,<script>alert(1)</script>)",
        "[x](/accounts/logout/)",
        "[x](//evil.example)",
        "[x](ftp://evil.example)",
        '[x](https://a.example "onmouseover=alert(1)")',
        "<javascript:alert(1)>",
        "![x](https://evil.example/pixel.png)",
        "![![x](https://evil.example/a.png)](https://evil.example/b.png)",
        "[![x](https://evil.example/a.png)](javascript:alert(1))",
        "**a <script> *b** `</code><script>`",
        "```html\n<script>alert(1)</script>",
        "|<script>|\n|-|\n|<img onerror=x>|",
        "# <script>\n\n[r]: javascript:alert(1)\n\n[r]",
    ],
)
def test_nothing_is_obeyed(text: str) -> None:
    seen = Seen(to_html(text))
    assert set(seen.tags) <= HARMLESS
    assert {name for name, _ in seen.attributes} <= KNOWN_ATTRIBUTES
    for name, value in seen.attributes:
        if name == "href":
            assert re.match(r"https?://(a|evil)\.example", value or ""), value
        if name == "class":
            assert value == "language-html"


def test_html_is_shown_as_it_was_written() -> None:
    assert Seen(to_html("Say <b>hello</b> & go.")).text.strip() == "Say <b>hello</b> & go."


def test_an_image_is_its_words_and_its_address() -> None:
    html = to_html("See ![a *fine* cat](https://a.example/cat.png?a=1&b=2) and ![](https://a.example/dog.png).")
    assert "See a fine cat (https://a.example/cat.png?a=1&amp;b=2) and https://a.example/dog.png." in html


def test_links_tell_nobody_where_they_were_and_open_beside_the_work() -> None:
    attributes = dict(Seen(to_html("[x](https://a.example/?q=1)")).attributes)
    assert attributes == {
        "href": "https://a.example/?q=1",
        "rel": "noopener noreferrer nofollow",
        "target": "_blank",
        "dir": "auto",
    }
    assert "<a" not in to_html("Plain https://a.example and www.a.example stay text.")


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("# a\n## b\n### c\n## d\n# e", ["h3", "h4", "h5", "h4", "h3"]),
        ("### a\n# b", ["h3", "h3"]),
        ("# a\n#### b\n## c", ["h3", "h4", "h4"]),
        ("# a\n## b\n### c\n#### d\n##### e\n###### f", ["h3", "h4", "h5", "h6", "h6", "h6"]),
        ("a\n===\nb\n---", ["h3", "h4"]),
        ("> ## a\n\n# b", ["h3", "h3"]),
    ],
)
def test_headings_stand_below_the_pages_own_without_a_gap(text: str, levels: list[str]) -> None:
    assert [tag for tag in Seen(to_html(text)).tags if tag.startswith("h")] == levels


@pytest.mark.parametrize(
    "text", ["שלום עולם", "漢字かな交じり文", "👩🏽‍🔬 ok 🏳️‍🌈", "e\u0301", "\u202eabc", "x" * 20_000]
)
def test_any_script_comes_through(text: str) -> None:
    seen = Seen(to_html(text))
    assert seen.text.strip() == text
    assert seen.attributes == [("dir", "auto")]


def test_what_is_no_character_is_shown_as_such() -> None:
    assert to_html("a\0b\udc00c") == '<p dir="auto">a\ufffdb\ufffdc</p>\n'


def test_nothing_at_all() -> None:
    assert to_html("") == to_html(" \n\t ") == ""


@pytest.mark.parametrize(
    "piece", ["[", "![", "[a](", "> ", "*a ", "**a *b ", "_a", "`a``b", "<a ", "~~a ", "\\*", "- "]
)
def test_the_longest_text_takes_no_minute(piece: str) -> None:
    text = (piece * 20_000)[:20_000]
    start = time.process_time()
    to_html(text)
    assert time.process_time() - start < 5
