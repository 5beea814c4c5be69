"""An element of HTML -> whether a reader of the page sees it."""

import re

from selectolax.lexbor import LexborNode

UNSEEN = frozenset(
    [
        "script",
        "style",
        "nav",
        "head",
        "template",
        "noscript",
        "iframe",
        "object",
        "embed",
        "svg",
        "canvas",
        "audio",
        "video",
        "select",
        "datalist",
        "textarea",
        "frameset",
        "noframes",
        "map",
    ]
)

_ESCAPE = re.compile(r"\\([0-9a-f]{1,6})\s?|\\(.)|/\*.*?\*/", re.DOTALL)
_HIDES = re.compile(
    r"(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|content-visibility\s*:\s*hidden"
    r"|(?:max-)?(?:width|height)\s*:\s*0*\.?0+(?:[a-z]+|%)?\s*(?:!|;|$)"
    r"|(?:font-size|opacity|zoom)\s*:\s*0*\.?0+(?:[a-z]+|%)?\s*(?:!|;|$)"
    r"|(?:left|top|text-indent|margin-left)\s*:\s*-(?:999|\d{4,}))"
).search


def hidden(node: LexborNode, tag: str) -> bool:
    """By its kind, its attributes or its own style. Style sheets are not read: they hide what a click shows."""
    if tag in UNSEEN:
        return True
    known = node.attributes
    if "hidden" in known or (tag == "dialog" and "open" not in known):
        return True
    style = _ESCAPE.sub(_unescaped, (known.get("style") or "").lower())
    return bool(style and _HIDES(style))


def _unescaped(found: re.Match[str]) -> str:
    if found[1]:
        return chr(min(int(found[1], 16), 0x10FFFF))
    return found[2] or ""
