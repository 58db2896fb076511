"""What it costs a browser to draw a cleaned SVG: a few lines can ask for millions of nested shapes.

A `use` draws its shape again; a pattern is drawn in each tile; each dash is a stroke.
"""

import re
from collections.abc import Iterator

from lxml import etree

MOST_SHAPES = 5000  # shapes drawn, repetitions included
MOST = 1_000_000  # the largest number in a drawing
_LEAST = 0.01  # the smallest side of a tile, or dash
_HREF = ("href", "{http://www.w3.org/1999/xlink}href")
_NUMBER = re.compile(r"[-+]?(?:\d*\.\d+|\d+)(?:e[-+]?\d+)?", re.I)
_LINK = re.compile(r"url\(\s*[\"']?#([^\"')\s]+)")
_PLAIN = {
    "linearGradient",
    "radialGradient",
    "stop",
}  # what a stylesheet may refer to: elements without shapes


def is_a_bomb(root: "etree._Element") -> bool:
    """Whether it repeats itself without end or too often, or has absurd numbers."""
    named = {str(one.get("id")): one for one in root.iter() if one.get("id")}
    if any(_is_wild(one) for one in root.iter()) or not _styles_are_plain(root, named):
        return True
    try:
        return _shapes(root, named, {}, ()) > MOST_SHAPES
    except RecursionError:  # an element that contains itself
        return True


def _shapes(
    element: "etree._Element",
    named: "dict[str, etree._Element]",
    known: "dict[etree._Element, int]",
    inside: "tuple[etree._Element, ...]",
) -> int:
    """The number of shapes drawn for `element`, including what it uses. Raises RecursionError if it uses itself."""
    if element in known:
        return known[element]
    if element in inside:
        raise RecursionError
    within = (*inside, element)
    total = 1 + sum(_shapes(child, named, known, within) for child in element)
    for name in _links(element):
        if name in named:
            total += _shapes(named[name], named, known, within)
    known[element] = min(total, MOST_SHAPES + 1)
    return known[element]


def _links(element: "etree._Element") -> Iterator[str]:
    for name, value in element.attrib.items():
        if name in _HREF:
            yield str(value).strip().removeprefix("#")
        else:
            yield from _LINK.findall(str(value))


def _styles_are_plain(root: "etree._Element", named: "dict[str, etree._Element]") -> bool:
    """Whether stylesheet rules refer to gradients only, since a rule may apply to any element."""
    for element in root.iter():
        if _kind(element) == "style":
            found = [named[name] for name in _LINK.findall(element.text or "") if name in named]
            if any(_kind(one) not in _PLAIN for target in found for one in target.iter()):
                return False
    return True


def _is_wild(element: "etree._Element") -> bool:
    for name, value in element.attrib.items():
        if name in ("id", "class", "version", *_HREF):
            continue
        numbers = [abs(float(number)) for number in _NUMBER.findall(_without_colours(str(value)))]
        if any(number > MOST for number in numbers):
            return True
        tiny = any(0 < number < _LEAST for number in numbers)
        dashed = name == "stroke-dasharray" or "dasharray" in str(value)
        tiled = _kind(element) == "pattern" and name in ("width", "height", "patternTransform")
        if tiny and (dashed or tiled):
            return True
    return False


def _without_colours(text: str) -> str:
    return re.sub(r"#[\w-]+", "", text)


def _kind(element: "etree._Element") -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""
