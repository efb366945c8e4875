"""From the bytes of a page to the text that a reader would see."""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clawswarm.web.address_guard import PageError
from clawswarm.web.fetch import Fetched
from clawswarm.web.hidden import UNSHOWN, library, lines_of, take_out
from clawswarm.web.injection import report, shortened, smuggled, visible

MOST_PARSED = 2_000_000
"""Characters of markup that are parsed; a parser's time and memory grow with them."""
MOST_ELEMENTS = 20_000
"""Elements above which no article is looked for, which takes the longer the more there are."""
MOST_ATTRIBUTES = 1000
"""Attributes of one tag; the time to build a document grows with their square."""
LONGEST_TITLE = 200

_HTML = frozenset({"text/html", "application/xhtml+xml", "text/xml", "application/xml"})
_PLAIN_CODECS = re.compile(
    r"utf-?(8|16|32).*|iso8859.*|cp\d+|windows-\d+|koi8.*|shift_jis.*|euc_.*|gb.*|hz|big5.*|iso2022_.*|mac-.*"
    r"|ascii|johab|tis-620|latin.*"
)
"""Only these: others decode slowly on purpose, or run what they decode."""
_MEANT = {"ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254"}
"""What browsers read where pages say the other: the typographic quotes are in it."""
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

_UNREAD = frozenset({"script", "style", "head"}) | UNSHOWN
_SPACES = re.compile(r"\s+")


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
    title, text = "", markup[:MOST_PARSED]
    everything = text
    if page.kind in _HTML:
        title, text, everything = _read_markup(text, hidden)
    tidy = _tidy(visible(text))
    if not tidy:
        raise PageError("there is no text in it (it may need a browser, or a login)")
    kept = cut_at_paragraph(tidy, most)
    return PageText(
        url=page.url,
        title=shortened(visible(title))[:LONGEST_TITLE],
        text=kept,
        suspicious=report(f"{title}\n{tidy[: 2 * most]}", hidden, smuggled(f"{title}\n{everything}")),
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
    if meta and meta[1].lower().startswith((b"utf-16", b"utf-32", b"utf16", b"utf32")):
        meta = None  # it would not have been found in one
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
    known = _MEANT.get(known, known)
    return known if _PLAIN_CODECS.fullmatch(known) else None


def _tidy(text: str) -> str:
    """Lines without their margins, at most one empty one in a row."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _read_markup(markup: str, hidden: list[str]) -> tuple[str, str, str]:
    """Title, text and all text of a document; what it hides goes to `hidden` and nowhere else."""
    import trafilatura

    if (tree := _parsed(markup)) is None:
        return "", "", ""
    title = " ".join(str(text) for text in tree.xpath("(//head//title | //title)[1]//text()"))
    hidden += take_out(tree)
    _unwrap(tree)
    plain = lines_of(tree, _UNREAD)
    if tree.xpath("count(//*)") > MOST_ELEMENTS:
        return title, plain, plain
    try:
        document: Any = trafilatura.bare_extraction(tree, include_comments=False, with_metadata=False)
    except Exception:  # noqa: BLE001 - a parser of foreign markup may trip over anything; the plain text stays
        document = None
    text = "" if document is None else str(document.text or "")
    return title, text if len(text) >= min(200, len(plain) // 4) else plain, plain


def _parsed(markup: str) -> Any:
    """The document; None where there is none.

    Raises:
        PageError: a tag has so many attributes that to build the document would take minutes.
    """
    html, etree = library(), library().etree
    data = markup.encode("utf-8", "replace")  # markup that declares its own encoding is refused as text
    try:
        etree.fromstring(data, etree.HTMLParser(encoding="utf-8", target=_Attributes()))
        return html.document_fromstring(data, parser=html.HTMLParser(encoding="utf-8"))
    except (etree.LxmlError, ValueError):
        return None


class _Attributes:
    """Reads markup and builds nothing; for a look at its tags beforehand."""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if len(attributes) > MOST_ATTRIBUTES:
            raise PageError(f"a tag of it has more than {MOST_ATTRIBUTES} attributes")

    def end(self, tag: str) -> None: ...

    def data(self, data: str) -> None: ...

    def close(self) -> None: ...


def _unwrap(tree: Any) -> None:
    """Line breaks of the markup as spaces, as they are shown; but not in what is set as it stands."""
    as_it_stands = {inner for element in tree.iter("pre", "textarea") for inner in element.iter()}
    for element in tree.iter():
        inside = element in as_it_stands
        if element.text and not inside and isinstance(element.tag, str) and "\n" in element.text:
            element.text = _SPACES.sub(" ", element.text)
        if element.tail and "\n" in element.tail and element.getparent() not in as_it_stands:
            element.tail = _SPACES.sub(" ", element.tail)
