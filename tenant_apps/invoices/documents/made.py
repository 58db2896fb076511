"""The PDF of an invoice that billing sent without one: its data under the town's letterhead.

The same data always give the same bytes, so that making it twice changes nothing.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Protocol

from django.utils.translation import gettext as _
from fpdf.image_datastructures import ImageCache
from PIL import Image, UnidentifiedImageError

from tenant_apps.townhall.models import TownHall
from tenant_apps.townhall.sheet import QUIET, Sheet
from toolkit import clock
from toolkit.money import format_euros
from toolkit.words import in_french

_WINDOW = (105, 46)  # mm from the left and the top: the window of a French envelope
_LOGO = (60, 16)  # mm, the box that the logo fits in
_LINES = 6  # of an address, at most
_SHOWN = 60  # signs of one of its lines


class Billed(Protocol):
    """What the PDF says of an invoice. A row of a file (importing.records.kinds.InvoiceRow) is such a thing."""

    @property
    def number(self) -> str: ...
    @property
    def issued_on(self) -> date: ...
    @property
    def due_on(self) -> date: ...
    @property
    def amount(self) -> Decimal: ...
    @property
    def subject(self) -> str: ...
    @property
    def fiscal_year(self) -> int: ...
    @property
    def reference(self) -> str: ...
    @property
    def payer(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def last_name(self) -> str: ...
    @property
    def first_name(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def postcode(self) -> str: ...
    @property
    def city(self) -> str: ...
    @property
    def by_debit(self) -> bool: ...
    @property
    def debit_on(self) -> date | None: ...


@dataclass(frozen=True)
class Letterhead:
    """The town on paper. `portal`: its address on the web. `logo`: a picture, decoded and compressed once, or None."""

    town: TownHall
    portal: str
    logo: Image.Image | None = None
    pictures: ImageCache = field(default_factory=ImageCache)

    @classmethod
    def of(cls, town: TownHall, *, portal: str, logo: bytes = b"") -> "Letterhead":
        """`logo`: the bytes of a PNG; a drawing (SVG) is left out, as are bytes that are no picture."""
        return cls(town, portal, _picture(logo))


@in_french
def made_document(invoice: Billed, letterhead: Letterhead, *, regie: str, online: bool) -> bytes:
    """One A4 page. `regie`: its label; `online`: whether it can be paid on the portal.

    Memory and time do not depend on the other invoices of a file.
    """
    title = _("Facture n° %(number)s") % {"number": invoice.number}
    sheet = Sheet(letterhead.town, title, datetime.combine(invoice.issued_on, time(), UTC))
    _draw_logo(sheet, letterhead)
    _write_address(sheet, invoice)
    sheet.write_line(title, size=18, bold=True, colour=sheet.town_ink, after=4)
    sheet.facts(
        [
            (_("Objet"), invoice.subject),
            (_("Régie"), regie),
            (_("Date"), clock.in_words(invoice.issued_on)),
            (_("Exercice"), str(invoice.fiscal_year)),
            (_("Échéance"), clock.in_words(invoice.due_on)),
            (_("Code redevable"), invoice.payer),
            (_("Référence de paiement"), invoice.reference),
        ]
    )
    amount = _("Montant à payer : %(amount)s") % {"amount": format_euros(invoice.amount)}
    sheet.write_line(amount, size=16, bold=True, after=5)
    for sentence in _how_to_pay(invoice, letterhead, online=online):
        sheet.write_line(sentence, after=2)
    sheet.ln(4)
    sentence = _("Document établi par le portail à partir des données de facturation.")
    sheet.write_line(sentence, size=9, colour=QUIET)
    return bytes(sheet.output())


def _how_to_pay(invoice: Billed, letterhead: Letterhead, *, online: bool) -> Iterator[str]:
    if invoice.by_debit:
        day = clock.in_words(invoice.debit_on or invoice.due_on)
        yield _("Cette somme sera prélevée le %(day)s : vous n'avez rien à faire.") % {"day": day}
        return
    if online:
        sentence = _("Pour payer en ligne : %(portal)s, avec la référence de paiement %(reference)s.")
        yield sentence % {"portal": letterhead.portal, "reference": invoice.reference}
    else:
        yield _("Pour la retrouver en ligne : %(portal)s.") % {"portal": letterhead.portal}
    contact = ", ".join(filter(None, [letterhead.town.phone, letterhead.town.contact_email]))
    sentence = _("Pour un autre moyen de paiement ou une question, écrivez ou téléphonez : %(contact)s.")
    yield sentence % {"contact": contact}


def _write_address(sheet: Sheet, invoice: Billed) -> None:
    name = " ".join(filter(None, [invoice.title, invoice.first_name, invoice.last_name]))
    place = " ".join(filter(None, [invoice.postcode, invoice.city]))
    lines = [line[:_SHOWN] for line in (name, *invoice.address.splitlines(), place) if line.strip()]
    left, top = _WINDOW
    sheet.set_xy(left, top)
    sheet.set_font("helvetica", size=11)
    for line in lines[:_LINES]:
        sheet.set_x(left)
        sheet.cell(0, 5.5, line, new_x="LMARGIN", new_y="NEXT")
    sheet.set_y(top + _LINES * 5.5 + 6)


def _draw_logo(sheet: Sheet, letterhead: Letterhead) -> None:
    logo = letterhead.logo
    if logo is None:
        return
    sheet.image_cache = letterhead.pictures
    scale = min(_LOGO[0] / logo.width, _LOGO[1] / logo.height)
    width, height = logo.width * scale, logo.height * scale
    sheet.image(logo, sheet.w - sheet.r_margin - width, 12, width, height, alt_text=sheet.town.name)


def _picture(content: bytes) -> Image.Image | None:
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as found:
            return found.convert("RGB") if not found.has_transparency_data else _on_white(found)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None


def _on_white(picture: Image.Image) -> Image.Image:
    ground = Image.new("RGB", picture.size, "white")
    drawn = picture.convert("RGBA")
    ground.paste(drawn, mask=drawn)
    return ground
