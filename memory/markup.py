"""What counts as HTML inside product text, and the text that it stands for.

A scanner and not a parser: building a tree takes quadratic time on nested tags, moves the text of broken tables, and
loses everything after an unclosed <style>. Here nothing is lost but tags, comments and closed scripts and styles.
"""

import re
from collections.abc import Iterator
from html import unescape
from html.entities import html5

# Elements that stand on lines of their own, that stand apart within a line, and that are part of the running text.
_LINES = (
    "address article aside blockquote body br caption center dd details dialog dir div dl dt fieldset figcaption figure"
    " footer form h1 h2 h3 h4 h5 h6 head header hr html legend li main menu nav ol optgroup p pre section"
    " summary table tbody tfoot thead title tr ul"
)
_GAPS = "td th option select textarea button img iframe video audio object embed canvas"
_INLINE = (
    "a abbr acronym applet area b base basefont bdi bdo big cite code col colgroup data datalist del dfn em font frame"
    " frameset i input ins kbd label link map mark marquee meta meter noembed noframes nobr noscript o:p output param"
    " picture progress q rp rt ruby s samp script slot small source span strike strong style sub sup svg"
    " template time track tt u var wbr"
)
_SHOWN_AS = {
    **dict.fromkeys(_LINES.split(), "\n"),
    **dict.fromkeys(_GAPS.split(), " "),
    **dict.fromkeys(_INLINE.split(), ""),
}
_NAMES = "|".join(_SHOWN_AS)

# What follows a tag's name has to look like attributes: "<a and b>" is text.
_BOOLEAN = "async|defer|disabled|checked|selected|hidden|nowrap|noshade|controls|autoplay|loop|muted|open"
_ATTRIBUTES = rf"(?=[ \n]+(?:[\w:@.-]{{1,100}}[ \n]*=|(?:{_BOOLEAN})[ \n/>]))"
# Linear: quotes opened at different "<" are never in the same state, so at most three attempts pass over a character.
_TAG_END = r"""(?:(?:[^<>"']++|"[^"]*"|'[^']*')*+>|[^<>]*+>)"""
_REFERENCE = r"\#[0-9]{1,32};|\#x[0-9a-f]{1,32};|[a-z][a-z0-9]{1,31};"
_TOKEN = re.compile(
    rf"""(?=[<&])(?:(?P<block><!--|<!\[CDATA\[)
    | <(?=[/a-z])(?P<tag>/?(?:{_NAMES}))(?:[ \n]*/?>|{_ATTRIBUTES}{_TAG_END})
    | (?P<declaration><(?=[!?])(?:!doctype[ \n]|\?xml[ \n]|!\[(?:if|endif))[^<>]*+>)
    | (?P<ampersand>&(?:(?:amp|\#0{{0,9}}38|\#x0{{0,9}}26);)++)(?P<escaped>{_REFERENCE})?
    | &(?P<reference>{_REFERENCE}))
    """,
    re.IGNORECASE | re.VERBOSE,
)
_CLOSINGS = {
    "<!--": re.compile("-->"),
    "<![cdata[": re.compile("]]>"),
    "script": re.compile(r"</script[ \n]*>", re.IGNORECASE),
    "style": re.compile(r"</style[ \n]*>", re.IGNORECASE),
}
_POSSIBLE_TOKEN = re.compile(r"<(?=[/!?a-z])|&(?=[#a-z])", re.IGNORECASE)


def without_markup(text: str) -> str:
    """Return `text` with recognised HTML replaced by what it shows; the ends of blocks become line ends.

    One level: what entities spell out is left as text. "a < b", "<3", "<M8 bolts>" and "</product>" are no HTML.
    """
    if "<" not in text and "&" not in text:
        return text
    return "".join(_shown(text))


def broken_markup(text: str) -> str:
    """Return `text` with a blank inside all that could be taken for HTML, so that nothing is."""
    return _POSSIBLE_TOKEN.sub(lambda token: f"{token[0]} ", text)


def _shown(text: str) -> Iterator[str]:
    position = 0
    unclosed: set[str] = set()  # looked for once only: the search for a missing end reads all the rest
    while token := _TOKEN.search(text, position):
        yield text[position : token.start()]
        shown, position = _read(token, unclosed)
        yield shown
    yield text[position:]


def _read(token: re.Match[str], unclosed: set[str]) -> tuple[str, int]:
    """Return what the token shows, and where to read on."""
    tag = (token["tag"] or "").lower()
    opening = (token["block"] or tag).lower()
    if opening in _CLOSINGS and opening not in unclosed:
        closing = _CLOSINGS[opening].search(token.string, token.end())
        if closing is not None:
            is_text = opening == "<![cdata["
            return token.string[token.end() : closing.start()] if is_text else " ", closing.end()
        unclosed.add(opening)
    if token["block"]:
        return token[0], token.end()
    return (_SHOWN_AS[tag.lstrip("/")] if tag else _spelt_out(token)), token.end()


def _spelt_out(token: re.Match[str]) -> str:
    """Return what a declaration or a character reference stands for; `&amp;lt;` was escaped twice, and is "<"."""
    if token["declaration"]:
        return " "
    name = token["reference"] or token["escaped"]
    if name is None:
        return "&"
    if name.startswith("#"):
        return unescape(f"&{name}")
    return html5.get(name) or html5.get(name.lower()) or f"&{name}"
