"""Logos and icons that staff send, made small, static and harmless.

A PNG is drawn again, so only the picture of the file is kept. An SVG is read by a strict parser and written
again from a list of allowed elements, without scripts, external links, embedded pictures and animations.
"""

import io
import re
from dataclasses import dataclass
from hashlib import sha256

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from lxml import etree
from PIL import Image, UnidentifiedImageError

from tenant_apps.townhall import drawing

MOST_BYTES = 1024 * 1024  # of the file sent
_KEPT_BYTES = 30_000  # of the file served: a page weighs less than 60 kB with it
_MOST_PIXELS = 5000  # per side
_LOGO, _ICON = (240, 56), (96, 96)  # the boxes they fit in, in CSS pixels

_SVG = "http://www.w3.org/2000/svg"
_HREF = {"href", "{http://www.w3.org/1999/xlink}href"}
_ELEMENTS = set(
    """svg g defs symbol use title desc path rect circle ellipse line polyline polygon text tspan style
    linearGradient radialGradient stop clipPath mask pattern""".split()  # noqa: SIM905 - thirty names read better so
)
_ATTRIBUTES = set(
    """id class style viewBox preserveAspectRatio version width height x y x1 y1 x2 y2 cx cy r rx ry fx fy dx dy d
    points transform opacity fill fill-opacity fill-rule stroke stroke-width stroke-linecap stroke-linejoin
    stroke-miterlimit stroke-dasharray stroke-dashoffset stroke-opacity clip-path clip-rule clipPathUnits mask
    maskUnits maskContentUnits gradientUnits gradientTransform spreadMethod offset stop-color stop-opacity
    patternUnits patternTransform patternContentUnits font-family font-size font-weight font-style text-anchor
    letter-spacing display visibility color""".split()  # noqa: SIM905
)


@dataclass(frozen=True)
class Picture:
    """What is stored, and the size at which it is shown, in CSS pixels."""

    content: bytes
    extension: str  # png or svg
    width: int
    height: int

    @property
    def digest(self) -> str:
        return sha256(self.content).hexdigest()[:32]


def logo_from(content: bytes) -> Picture:
    """The logo to keep. Raises ValidationError with a sentence that says what to send instead."""
    return _picture(content, _LOGO)


def icon_from(content: bytes) -> Picture:
    """The icon of the browser's tab, square. Raises ValidationError."""
    return _picture(content, _ICON, square=True)


def _picture(content: bytes, box: tuple[int, int], *, square: bool = False) -> Picture:
    if len(content) > MOST_BYTES:
        raise ValidationError(_("Cette image pèse plus de 1 Mo : envoyez-en une version plus légère."))
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(content, box, square=square)
    if re.match(rb"(\xef\xbb\xbf)?\s*<(\?xml|!--|svg)", content):
        return _svg(content, box)
    raise ValidationError(_("Cette image n'est ni un PNG ni un SVG : envoyez un fichier .png ou .svg."))


def _png(content: bytes, box: tuple[int, int], *, square: bool) -> Picture:
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as sent:
            if max(sent.size) > _MOST_PIXELS:
                raise ValidationError(_("Cette image dépasse 5 000 pixels de côté : réduisez-la."))
            drawn = sent.convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise ValidationError(_("Ce fichier PNG est abîmé : exportez l'image de nouveau.")) from None
    scale = 1 if square else 2  # sharp on screens of double density
    drawn.thumbnail((box[0] * scale, box[1] * scale))
    if square:
        ground = Image.new("RGBA", box, (0, 0, 0, 0))
        ground.paste(drawn, ((box[0] - drawn.width) // 2, (box[1] - drawn.height) // 2))
        drawn = ground
    kept = _written(drawn)
    if len(kept) > _KEPT_BYTES:  # a photograph: reduce it to 256 colours
        kept = _written(drawn.quantize(256, method=Image.Quantize.FASTOCTREE))
    if len(kept) > _KEPT_BYTES:
        raise ValidationError(_("Cette image reste trop lourde une fois réduite : simplifiez-la."))
    return Picture(kept, "png", max(1, drawn.width // scale), max(1, drawn.height // scale))


def _written(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _svg(content: bytes, box: tuple[int, int]) -> Picture:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError:
        raise ValidationError(_("Ce fichier SVG est abîmé : exportez l'image de nouveau.")) from None
    if root.tag != f"{{{_SVG}}}svg" or root.getroottree().docinfo.internalDTD is not None:
        raise ValidationError(
            _("Ce fichier n'est pas un dessin SVG simple : exportez-le en « SVG optimisé ».")
        )
    _clean(root)
    width, height = _size(root)
    if drawing.is_a_bomb(root):
        raise ValidationError(
            _(
                "Ce dessin SVG répète ses formes trop de fois : exportez-le en aplatissant les symboles et les motifs."
            )
        )
    share = min(box[0] / width, box[1] / height)
    kept: bytes = etree.tostring(root, encoding="utf-8")
    if len(kept) > _KEPT_BYTES:
        raise ValidationError(
            _("Ce dessin SVG est trop lourd (30 ko au plus) : simplifiez-le ou envoyez un PNG.")
        )
    return Picture(kept, "svg", max(1, round(width * share)), max(1, round(height * share)))


def _clean(element: "etree._Element") -> None:
    for name, value in list(element.attrib.items()):
        allowed = (
            str(value).lstrip().startswith("#") if name in _HREF else name in _ATTRIBUTES and _is_tame(value)
        )
        if not allowed:
            del element.attrib[name]
    for child in list(element):
        name = etree.QName(child).localname if isinstance(child.tag, str) else ""
        known = name in _ELEMENTS and etree.QName(child).namespace == _SVG
        if not known or (name == "style" and not _is_tame(child.text or "")):
            element.remove(child)  # the text after it is only whitespace
        else:
            _clean(child)


def _is_tame(value: object) -> bool:
    """Whether the value neither fetches nor runs anything: `url(` only refers to the drawing itself."""
    text = re.sub(r"url\(\s*[\"']?#", "", str(value).lower())
    return not re.search(r"url\(|@import|expression|javascript|data:|\\|<|&", text)


def _size(root: "etree._Element") -> tuple[float, float]:
    numbers = re.findall(r"-?\d*\.?\d+(?:e-?\d+)?", str(root.get("viewBox") or ""), re.I)
    sides = numbers[2:4] if len(numbers) == 4 else [_length(root.get(name)) for name in ("width", "height")]
    width, height = (float(side or 0) for side in sides)
    if not (0 < width < 1e6 and 0 < height < 1e6):
        raise ValidationError(_("Ce dessin SVG ne dit pas sa taille : exportez-le avec un « viewBox »."))
    return width, height


def _length(text: object) -> str:
    match = re.match(r"\s*(\d*\.?\d+)", str(text or ""))
    return match[1] if match else ""
