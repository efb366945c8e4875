"""From the bytes of a page to the text that a reader would see."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from clawswarm.web.address_guard import PageError
from clawswarm.web.fetch import Fetched
from clawswarm.web.injection import passages, report, shortened, visible

MOST_PARSED = 2_000_000
"""Characters of markup that are parsed; a parser's time and memory grow with them."""
MOST_ELEMENTS = 20_000
"""Elements above which no article is looked for, which takes the longer the more there are."""
MOST_HIDDEN = 20_000
"""Characters of hidden text that are looked through."""
LONGEST_TITLE = 200

_HTML = frozenset({"text/html", "application/xhtml+xml", "text/xml", "application/xml"})
_PLAIN_CODECS = re.compile(
    r"utf-?(8|16|32).*|iso8859.*|cp\d+|windows-\d+|koi8.*|shift_jis.*|euc_.*|gb.*|hz|big5.*|iso2022_.*|mac-.*"
    r"|ascii|johab|tis-620|latin.*"
)
"""Only these: others decode slowly on purpose, or run what they decode."""
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|(?:font-size|opacity)\s*:\s*0(?:\.0*)?(?![.\d])"
    r"|(?<![-\w])color\s*:\s*transparent|(?:text-indent|left|top)\s*:\s*-\d{3,}"
    r"|(?<![-\w])(?:width|height)\s*:\s*0(?:px)?\s*(?:;|$)|clip\s*:\s*rect\(\s*0",
    re.IGNORECASE,
)
_COLOUR = re.compile(r"(?<![-\w])(background(?:-color)?|color)\s*:\s*([^;!]+)", re.IGNORECASE)
_WHITE = frozenset({"white", "#fff", "#ffffff", "rgb(255,255,255)"})
_RULE = re.compile(r"(?:^|[}\s])([.#])([A-Za-z_][\w-]{0,60})\s*\{([^{}]{0,500})\}")
_UNREAD = ("script", "style", "noscript", "template", "svg", "head", "iframe", "object")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageText:
    """The text of one page.

    Attributes:
        url: where it was found, after redirects.
        suspicious: passages that look like orders to a model, shortened.
        cut: whether the page went on.
    """

    url: str
    title: str
    text: str
    suspicious: tuple[str, ...]
    cut: bool


def read_page(page: Fetched, most: int) -> PageText:
    """At most `most` characters of the text of `page`. Slow; belongs into a thread.

    Raises:
        PageError: there is no text in it.
    """
    markup = _decoded(page)
    hidden: list[str] = []
    title = ""
    if page.kind in _HTML:
        title, text = _read_markup(markup[:MOST_PARSED], hidden)
    else:
        text = markup[:MOST_PARSED]
    raw, tidy = text[: 2 * most], _tidy(visible(text))
    if not tidy:
        raise PageError("there is no text in it (it may need a browser, or a login)")
    kept = cut_at_paragraph(tidy, most)
    return PageText(
        url=page.url,
        title=shortened(visible(title))[:LONGEST_TITLE],
        text=kept,
        suspicious=report(f"{title}\n{raw}", hidden),
        cut=page.cut or len(kept) < len(tidy) or len(markup) > MOST_PARSED,
    )


def cut_at_paragraph(text: str, most: int) -> str:
    """The beginning of `text`, ended where a paragraph, or at least a word, ends."""
    if len(text) <= most:
        return text
    head = text[:most]
    for mark in ("\n", ". ", " "):
        if (end := head.rfind(mark)) > most // 2:
            return head[: end + 1].rstrip()
    return head


def _decoded(page: Fetched) -> str:
    """The page as text, whatever it says about its characters; what cannot be read is replaced."""
    data = page.data
    meta = _META_CHARSET.search(data[:2048]) if page.kind in _HTML else None
    marked = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    for name in (marked, page.charset, meta and meta[1].decode("ascii")):
        if name is not None and (codec := _codec(name)) is not None:
            break
    else:
        codec = "utf-8"
    text = data.decode(codec, errors="replace")
    if text[:4096].count("\x00") > 8:
        raise PageError("it says that it is text, and is not")
    return text


def _codec(name: str) -> str | None:
    try:
        known = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    return known if _PLAIN_CODECS.fullmatch(known) else None


def _tidy(text: str) -> str:
    """Lines without their margins, at most one empty one in a row."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _read_markup(markup: str, hidden: list[str]) -> tuple[str, str]:
    """Title and text of a document; what it hides goes to `hidden` and nowhere else."""
    import trafilatura
    from lxml import html

    parser: Any = html
    try:  # as bytes: markup that declares its own encoding is refused as text
        tree: Any = parser.document_fromstring(
            markup.encode("utf-8", "replace"), parser=parser.HTMLParser(encoding="utf-8")
        )
    except (parser.etree.LxmlError, ValueError):
        return "", ""
    title = " ".join(str(text) for text in tree.xpath("(//head//title | //title)[1]//text()"))
    hidden += [str(comment.text or "")[:MOST_HIDDEN] for comment in tree.xpath("//comment()")]
    for element in list(_hidden(tree)):
        text = "".join(element.itertext())[:MOST_HIDDEN]
        hidden.append(text)
        _drop(element)
    for element in list(_hidden_by_class(tree)):
        text = "".join(element.itertext())[:MOST_HIDDEN]
        if passages(text):  # only then: many a style sheet hides what a script shows
            hidden.append(text)
            _drop(element)
    plain = _plain_text(tree)
    if tree.xpath("count(//*)") > MOST_ELEMENTS:
        return title, plain
    try:
        document: Any = trafilatura.bare_extraction(tree, include_comments=False, with_metadata=False)
    except Exception:  # noqa: BLE001 - a parser of foreign markup may trip over anything; the plain text stays
        document = None
    text = "" if document is None else str(document.text or "")
    return title, text if len(text) >= min(200, len(plain) // 4) else plain


def _plain_text(tree: Any) -> str:
    """All text of a document but what no browser shows; for pages in which no article is found."""
    unread = " or ".join(f"self::{name}" for name in _UNREAD)
    blocks = tree.xpath(f"//text()[not(ancestor::*[{unread}])]")
    return "\n".join(words for block in blocks if (words := str(block).strip()))


def _hidden(tree: Any) -> Iterator[Any]:
    """Elements that say themselves that they are not shown; never the whole page: a script shows it later."""
    for element in tree.xpath("//*[@style or @hidden]"):
        if element.tag not in ("html", "body") and (
            element.get("hidden") is not None or is_hidden(element.get("style") or "")
        ):
            yield element


def is_hidden(style: str) -> bool:
    """Whether an inline style takes its element out of sight."""
    if _HIDDEN.search(style):
        return True
    colours = {name.lower(): "".join(value.split()).lower() for name, value in _COLOUR.findall(style)}
    front = colours.get("color")
    behind = colours.get("background-color") or colours.get("background")
    return front is not None and (
        front == behind or (front in _WHITE and (behind is None or behind in _WHITE))
    )


def _hidden_by_class(tree: Any) -> Iterator[Any]:
    """Elements that the page's own style sheet hides by class or id."""
    sheets = " ".join(str(style.text or "") for style in tree.iter("style"))[:200_000]
    names = {(mark, name) for mark, name, style in _RULE.findall(sheets) if is_hidden(style)}
    if not names:
        return
    for element in tree.xpath("//*[@class or @id]"):
        classes = {(".", name) for name in (element.get("class") or "").split()}
        if element.tag not in ("html", "body") and names & (classes | {("#", element.get("id"))}):
            yield element


def _drop(element: Any) -> None:
    """Take an element out, but not the text behind it."""
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        before = element.getprevious()
        if before is None:
            parent.text = (parent.text or "") + element.tail
        else:
            before.tail = (before.tail or "") + element.tail
    parent.remove(element)
