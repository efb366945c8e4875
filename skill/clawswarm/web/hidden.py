"""What a page holds and does not show: there text is put that only programs read.

What hides itself for certain is always taken out. Where that is doubtful (a style sheet that a script may
change, white on a background nobody knows), only what talks to a model is.
"""

import re
from collections.abc import Callable, Container, Iterator
from typing import Any

from clawswarm.web.injection import passages

MOST_HIDDEN = 500_000
"""Characters of hidden text that are looked through."""
SHORTEST_ATTRIBUTE = 20
"""Characters below which an attribute says nothing to anybody."""

UNSHOWN = frozenset({"noscript", "template", "svg", "iframe", "object"})
_WHOLE = frozenset({"html", "head", "body"})
"""Never taken out: a script shows the page later."""
_FOR_PROGRAMS = frozenset(
    {"class", "id", "style", "href", "src", "srcset", "action", "d", "points", "integrity"}
)

_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|(?:font-size|opacity)\s*:\s*0(?:\.0*)?(?![.\d])"
    r"|font-size\s*:\s*1px|(?<![-\w])color\s*:\s*transparent|(?:text-indent|left|top)\s*:\s*-(?:999|\d{4,})"
    r"|(?<![-\w])(?:max-)?(?:width|height)\s*:\s*0(?:px)?\s*(?:;|!|$)|clip\s*:\s*rect\(\s*0"
    r"|clip-path\s*:\s*inset\(\s*(?:50|100)%|transform\s*:\s*scale\(\s*0\s*[,)]",
    re.IGNORECASE,
)
_COLOUR = re.compile(r"(?<![-\w])(background(?:-color)?|color)\s*:\s*([^;!]+)", re.IGNORECASE)
_WHITE = re.compile(r"white|snow|ivory|#f{3}|#(?:f[a-f]){3}|rgba?\(255,255,255(?:,1(?:\.0)?)?\)")
_NOTE = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_INLINE = re.compile(
    r"a|abbr|acronym|b|bdi|bdo|big|cite|code|data|del|dfn|em|font|i|ins|kbd|label|mark|q|s|samp|small|span"
    r"|strike|strong|sub|sup|time|tt|u|var|wbr"
)
"""Elements that do not begin a line of their own."""
_SELECTED = re.compile(r"[.#]?[A-Za-z_][\w-]*")


def library() -> Any:
    """The parser of markup, which knows nothing of types."""
    from lxml import html

    return html


def take_out(tree: Any) -> list[str]:
    """Take out of a document what it hides; texts of it, the longest run of them `MOST_HIDDEN` characters."""
    texts = [str(comment.text or "") for comment in tree.xpath("//comment()")]
    texts += _attributes(tree)
    for element in _outermost(tree, _hides_itself):
        texts.append(lines_of(element))
        _drop(element)
    doubtful = _doubtful(_rules(tree))
    for element in _outermost(tree, doubtful):
        text = lines_of(element)
        if passages(text):
            texts.append(text)
            _drop(element)
    return _bounded(texts)


def lines_of(root: Any, unread: Container[str] = ()) -> str:
    """All text inside an element, a line for each block of it.

    Args:
        unread: tags that are left out, with all that is in them.
    """
    lines: list[str] = []
    line: list[str] = []
    walk = library().etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, element in walk:
        if isinstance(element.tag, str) and not _INLINE.fullmatch(element.tag):
            lines.append("".join(line))
            line.clear()
        if event == "start":
            if element.tag in unread:
                walk.skip_subtree()
            elif element.text:
                line.append(str(element.text))
        elif element.tail and element is not root:
            line.append(str(element.tail))
    lines.append("".join(line))
    return "\n".join(words for text in lines if (words := " ".join(text.split())))


def is_hidden(style: str) -> bool:
    """Whether an inline style takes its element out of sight, whatever is around it."""
    style = _NOTE.sub("", style)
    front, behind = _colours(style)
    return _HIDDEN.search(style) is not None or (
        front is not None
        and behind is not None
        and (front == behind or (_is_white(front) and _is_white(behind)))
    )


def is_pale(style: str) -> bool:
    """Whether an inline style writes in white, on what nobody knows."""
    front, behind = _colours(_NOTE.sub("", style))
    return front is not None and behind is None and _is_white(front)


def _colours(style: str) -> tuple[str | None, str | None]:
    found = {name.lower(): "".join(value.split()).lower() for name, value in _COLOUR.findall(style)}
    return found.get("color"), found.get("background-color") or found.get("background")


def _is_white(colour: str) -> bool:
    return _WHITE.fullmatch(colour) is not None


def _outermost(tree: Any, wanted: Callable[[Any], bool]) -> Iterator[Any]:
    """Elements that are wanted, and not inside another one that is."""
    inside: set[Any] = set()
    for element in list(tree.iter()):
        if not isinstance(element.tag, str) or element in inside or element.tag in _WHOLE:
            continue
        if wanted(element):
            inside.update(element.iter())
            yield element


def _hides_itself(element: Any) -> bool:
    if element.tag in UNSHOWN or element.get("hidden") is not None:
        return True
    style = element.get("style")
    return style is not None and is_hidden(style)


def _doubtful(rules: frozenset[str]) -> Callable[[Any], bool]:
    def wanted(element: Any) -> bool:
        if is_pale(element.get("style") or "") or _is_white((element.get("color") or "").strip().lower()):
            return True
        if not rules:
            return False
        names = {f".{name}" for name in (element.get("class") or "").split()}
        return not rules.isdisjoint(names | {f"#{element.get('id')}", element.tag})

    return wanted


def _rules(tree: Any) -> frozenset[str]:
    """Classes, ids and tags that the page's own style sheets hide, perhaps only in some places."""
    sheets = _NOTE.sub("", " ".join(str(style.text or "") for style in tree.iter("style"))[:200_000])
    found: set[str] = set()
    for block in sheets.split("}"):
        selectors, _, style = block.rpartition("{")
        if selectors and (is_hidden(style) or is_pale(style)):
            for selector in selectors.rpartition("{")[2].split(","):
                found.update(_SELECTED.findall(selector.split()[-1] if selector.split() else ""))
    return frozenset(found)


def _attributes(tree: Any) -> Iterator[str]:
    """What attributes say, those left out that only programs use."""
    for element in tree.iter():
        for name, value in element.attrib.items() if isinstance(element.tag, str) else ():
            if len(value) >= SHORTEST_ATTRIBUTE and " " in value and name not in _FOR_PROGRAMS:
                yield str(value)


def _bounded(texts: list[str]) -> list[str]:
    """The texts in one line each, as far as they are looked through."""
    left = MOST_HIDDEN
    kept: list[str] = []
    for text in texts:
        kept.append(" ".join(text[:left].split()))
        if (left := left - len(text)) <= 0:
            break
    return kept


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
