"""The letters to payers whom no message reaches: one A4 page each, for an envelope with a window.

Text and headings are tagged, so that a screen reader follows a letter.
"""

import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from PIL import Image, UnidentifiedImageError

from tenant_apps.invoices.states import OnlineHold
from tenant_apps.notices.told.forecast import Bill, Untold
from tenant_apps.products.models import Product
from tenant_apps.townhall.models import AccessRequestMode, TownHall
from tenant_apps.townhall.sheet import INK, QUIET, Ink, Sheet
from toolkit import clock
from toolkit.money import format_euros
from toolkit.words import in_french

MOST = 3000  # letters in one file
_WINDOW = (110.0, 45.0)  # mm, where the address begins; the window of the envelope ends 40 mm below
_LINES, _SIGNS = 6, 42  # of an address
_BODY = 98.0  # mm, below the window and the fold
_BILLS = 12  # on one page
_LOGO = (60, 16)  # mm, the box that the logo fits in
_KEPT = 500  # sentences whose lines are remembered
_COLUMNS = (60, 62, 28, 24)  # mm


@dataclass(frozen=True)
class Sender:
    """The town on paper. `portal`: its address on the web; `logo`: the bytes of a PNG, or nothing."""

    town: TownHall
    portal: str
    products: Mapping[int, Product] = field(default_factory=dict)
    logo: bytes = b""


@in_french
def letters(payers: Iterable[Untold], sender: Sender) -> bytes:
    """One PDF with a page for each of `payers`, who have their bills. At least one is needed."""
    sheet = _Letters(sender)
    for payer in payers:
        sheet.add_letter(payer)
    return bytes(sheet.output())


class _Letters(Sheet):
    """Pages without numbers: each is the letter of another family."""

    def __init__(self, sender: Sender) -> None:
        self.sender, self.logo = sender, _picture(sender.logo)
        self._next_mark = 0
        self._wrapped: dict[tuple[str, float, str], list[str]] = {}
        super().__init__(sender.town, _("Courriers"), clock.now())
        self.set_auto_page_break(False)
        self.set_draw_color(200, 198, 190)
        self._is_blank = True

    def header(self) -> None:
        self._next_mark = 0
        self.set_fill_color(*self.town_ink)
        self.rect(0, 0, self.w, 5, style="F")
        self.set_xy(self.l_margin, 12)
        if self.logo is not None:
            scale = min(_LOGO[0] / self.logo.width, _LOGO[1] / self.logo.height)
            width, height = self.logo.width * scale, self.logo.height * scale
            # without a text beside it: the name of the town follows
            self.image(self.logo, self.l_margin, 10, width, height)
            self.set_y(10 + height + 2)
        self.say(self.town.name, size=13, bold=True, kind="H1", width=85)
        for line in filter(None, [*self.town.address.splitlines(), self.town.phone]):
            self.say(line, size=9, colour=QUIET, width=85)

    def footer(self) -> None:
        """Nothing."""

    def add_letter(self, payer: Untold) -> None:
        """Write the letter of one payer on a page of its own."""
        if not self._is_blank:
            self.add_page()
        self._is_blank = False
        self._write_address(payer)
        self.set_y(_BODY)
        self.say(clock.in_words(clock.today()), colour=QUIET, after=4)
        n = payer.invoices
        title = ngettext("Une facture à votre nom", "%(n)d factures à votre nom", n) % {"n": n}
        self.say(title, size=15, bold=True, colour=self.town_ink, kind="H2", after=3)
        self.say(_("Madame, Monsieur,"), after=2)
        for sentence in _opening(n):
            self.say(sentence, after=2)
        self.ln(2)
        self._write_bills(payer.bills)
        self._write_how(payer)

    def _write_address(self, payer: Untold) -> None:
        place = f"{payer.postcode} {payer.city}".strip()
        lines = [line for line in (payer.name, *payer.address.splitlines(), place) if line.strip()]
        if len(lines) > _LINES:
            lines = [*lines[: _LINES - 1], lines[-1]]  # the town of the address is never left out
        left, top = _WINDOW
        with self.tagged("P"):
            self.set_font("helvetica", size=11)
            self.set_text_color(*INK)
            for n, line in enumerate(lines):
                self.text(left, top + 4 + 5.5 * n, line[:_SIGNS])

    def _write_bills(self, bills: list[Bill]) -> None:
        self._row((_("Numéro"), _("Objet"), _("Montant"), _("Échéance")), bold=True)
        for bill in bills[:_BILLS]:
            due = clock.in_figures(bill.due_on)
            if bill.hold == OnlineHold.DEBIT:
                due = _("prélèvement")
            self._row((bill.number, bill.subject, format_euros(bill.amount), due))
        if len(bills) > _BILLS:
            more = len(bills) - _BILLS
            sentence = ngettext("… et %(n)d autre facture.", "… et %(n)d autres factures.", more)
            self.say(sentence % {"n": more}, colour=QUIET)
        self.ln(5)

    def _row(self, texts: tuple[str, ...], *, bold: bool = False) -> None:
        with self.tagged("P"):
            self.set_font("helvetica", "B" if bold else "", 9.5)
            self.set_text_color(*(QUIET if bold else INK))
            left, line = self.l_margin, self.y + 4.2
            for text, width, is_right in zip(texts, _COLUMNS, (False, False, True, True), strict=True):
                shown = self._fitting(text, width - 2)
                self.text(left + width - self._width(shown) if is_right else left, line, shown)
                left += width
        self.line(self.l_margin, self.y + 6, left, self.y + 6)
        self.ln(6)

    def _fitting(self, text: str, width: float) -> str:
        while text and self._width(text) > width:
            text = text[:-1]
        return text

    def _write_how(self, payer: Untold) -> None:
        self.say(_("Les voir et les régler en ligne"), size=12, bold=True, kind="H2", after=1)
        portal = self.sender.portal.removeprefix("https://").removeprefix("http://")
        open_it = _("1. Ouvrez %(portal)s.") % {"portal": portal}
        if payer.bills and self.town.payer_claims != AccessRequestMode.OFF:
            bill = payer.bills[0]
            self.say(open_it)
            self.say(_("2. Choisissez « Utilisez une facture papier »."))
            sentence = _(
                "3. Recopiez ces trois indications : le numéro %(number)s, le montant %(amount)s et la référence de "
                "paiement %(reference)s."
            )
            words = {
                "number": bill.number,
                "amount": format_euros(bill.amount),
                "reference": bill.reference,
            }
            self.say(sentence % words, after=3)
        else:
            self.say(open_it)
            self.say(_("2. Demandez au service de facturation de vous en ouvrir l'accès."), after=3)
        self.say(
            _("Vous pouvez aussi régler comme d'habitude : les autres moyens sont écrits sur vos factures."),
            after=3,
        )
        self.say(_("Une question ? Donner une adresse e-mail ?"), size=12, bold=True, kind="H2", after=1)
        for line in self._contacts(payer):
            self.say(line)

    def _contacts(self, payer: Untold) -> Iterator[str]:
        """Each régie of the letter, with its own address when it has one."""
        for product_id in dict.fromkeys(bill.product_id for bill in payer.bills):
            product = self.sender.products.get(product_id)
            if product is not None and product.contact_email:
                yield f"{product.label} : {product.contact_email}"
        yield ", ".join(filter(None, [self.town.name, self.town.phone, self.town.contact_email]))

    def say(
        self,
        text: str,
        *,
        size: float = 10.5,
        bold: bool = False,
        colour: Ink = INK,
        after: float = 0,
        kind: str = "P",
        width: float = 0,
    ) -> None:
        """A paragraph with its tag. Letters repeat most sentences: each is broken into lines once."""
        style = "B" if bold else ""
        self.set_font("helvetica", style, size)
        self.set_text_color(*colour)
        height = size * 0.5
        with self.tagged(kind):
            for n, line in enumerate(self._lines(text, size, style, width)):
                self.text(self.l_margin, self.y + height * (n + 0.75), line)
        self.ln(height * (n + 1) + after)

    def _lines(self, text: str, size: float, style: str, width: float) -> list[str]:
        known = self._wrapped.get((text, size, style))
        if known is None:
            known = list(self._split(text, width or self.w - self.l_margin - self.r_margin))
            if len(self._wrapped) < _KEPT:
                self._wrapped[text, size, style] = known
        return known

    def _split(self, text: str, room: float) -> Iterator[str]:
        line = ""
        for word in text.split(" "):
            longer = f"{line} {word}" if line else word
            if line and self._width(longer) > room:
                yield line
                longer = word
            line = longer
        yield line

    def _width(self, text: str) -> float:
        """In mm. `get_string_width` looks for styles inside the text first, which takes ten times longer."""
        assert self.current_font is not None
        signs = self.normalize_text(text)
        return float(self.current_font.get_text_width(signs, self.font_size_pt, None)[1] / self.k)

    @contextmanager
    def tagged(self, kind: str) -> Iterator[None]:
        """What is drawn inside is one element of the document. fpdf2 tags pictures only; this is its own way."""
        mark, self._next_mark = self._next_mark, self._next_mark + 1
        self._add_marked_content(struct_type=f"/{kind}", mcid=mark)
        self._out(f"/{kind} <</MCID {mark}>> BDC")
        yield
        self._out("EMC")


def _opening(n: int) -> Iterator[str]:
    yield ngettext(
        "Le service de facturation met une facture à votre disposition sur le portail de la commune. Nous n'avons "
        "pas pu vous prévenir par e-mail : cette lettre vous l'annonce.",
        "Le service de facturation met %(n)d factures à votre disposition sur le portail de la commune. Nous n'avons "
        "pas pu vous prévenir par e-mail : cette lettre vous les annonce.",
        n,
    ) % {"n": n}


def _picture(content: bytes) -> Image.Image | None:
    """The picture of a PNG on white, decoded once; None for a drawing (SVG) and for anything else."""
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as found:
            drawn = found.convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    ground = Image.new("RGB", drawn.size, "white")
    ground.paste(drawn, mask=drawn)
    return ground
