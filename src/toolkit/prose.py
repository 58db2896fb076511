"""Plain text with a few marks, as in the town's texts and the manual, to HTML. Anything else is escaped.

A blank line ends a paragraph; `## Title`, `- item`, `1. item`, `![description](picture.png)` start their own;
`**bold**`, `[words](address)` and bare addresses may be inside. Addresses are http(s), mailto, or of this host.
"""

import re
from collections.abc import Callable, Iterator
from html import escape
from itertools import count

from django.utils.safestring import SafeString, mark_safe

Picture = Callable[[str, str], str]  # (file, description) → HTML
_INLINE = re.compile(
    r"\*\*(?P<bold>.+?)\*\*"
    r"|\[(?P<words>[^\]]+)\]\((?P<to>(?:https?://|mailto:|/|#)[^\s)]+)\)"
    r"|(?P<bare>https?://[^\s<>]*[^\s<>.,;:!?)»])"
    r"|(?P<mail>[\w.+-]+@[\w-]+\.[\w.-]*\w)"
)
_BEFORE = re.compile(r" (?=[»:;!?€%](?:\W|$))")
_PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)$")


def html(text: str, *, picture: Picture | None = None, level: int = 0) -> SafeString:
    """`text` as HTML; `#` is a `<h1>`, or `level` steps lower. Without `picture`, pictures are left out."""
    blocks = re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip())
    numbers = count(1)
    parts = (_block(block.strip("\n"), picture, level, numbers) for block in blocks if block.strip())
    return mark_safe("\n".join(parts))  # noqa: S308 - every piece was escaped below


def titles(text: str) -> list[tuple[str, str]]:
    """(id, words) of each `## `, for a table of contents, with the ids that `html` writes."""
    numbers = count(1)
    found = []
    for line in text.splitlines():
        if match := re.match(r"(#{1,4}) +(.+)", line):
            name = f"t{next(numbers)}"
            if match[1] == "##":
                found.append((name, spaced(match[2].strip())))
    return found


def _block(block: str, picture: Picture | None, level: int, numbers: Iterator[int]) -> str:
    lines = block.split("\n")
    if match := re.match(r"(#{1,4}) +(.+)", lines[0]):
        depth = min(len(match[1]) + level, 6)
        title = f'<h{depth} id="t{next(numbers)}">{_inline(spaced(match[2].strip()))}</h{depth}>'
        rest = "\n".join(lines[1:]).strip()
        return title + (_block(rest, picture, level, numbers) if rest else "")
    if match := _PICTURE.match(block.strip()):
        return picture(match[2], match[1]) if picture else ""
    for mark, tag in ((r"[-*] +", "ul"), (r"\d+[.)] +", "ol")):
        if re.match(mark, lines[0]):
            items = re.split(rf"(?m)^{mark}", block)[1:]
            return f"<{tag}>" + "".join(f"<li>{_lines(item)}</li>" for item in items) + f"</{tag}>"
    return f"<p>{_lines(block)}</p>"


def spaced(text: str) -> str:
    """`text` with French non-breaking spaces: inside « », before : ; ! ? and €."""
    return _BEFORE.sub("\u00a0", text.replace("« ", "«\u00a0"))


def _lines(text: str) -> str:
    """Keep line breaks, which people use in addresses."""
    return "<br>".join(_inline(spaced(" ".join(line.split()))) for line in text.strip().split("\n"))


def _inline(text: str) -> str:
    out, at = [], 0
    for match in _INLINE.finditer(text):
        out.append(escape(text[at : match.start()]))
        out.append(_marked(match))
        at = match.end()
    return "".join(out) + escape(text[at:])


def _marked(match: re.Match[str]) -> str:
    if match["bold"]:
        return f"<strong>{_inline(match['bold'])}</strong>"
    if match["words"]:
        return f'<a href="{escape(match["to"])}">{escape(match["words"])}</a>'
    address = match["bare"] or f"mailto:{match['mail']}"
    return f'<a href="{escape(address)}">{escape(match["bare"] or match["mail"])}</a>'
