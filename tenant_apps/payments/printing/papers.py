"""Our own papers as PDF: the justificatif de paiement and the bordereau de remise. Never a « quittance ».

The same rows give the same bytes whenever a paper is printed again.
"""

import unicodedata
from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from fpdf import FPDF
from fpdf.fonts import FontFace

from tenant_apps.invoices.naming import named
from tenant_apps.payments.models import Deposit, Means, Payment
from tenant_apps.payments.naming import receipt_reference
from tenant_apps.townhall.models import TownHall
from toolkit import clock
from toolkit.money import NARROW_NBSP, NBSP, format_euros
from toolkit.words import in_french

_STROKED = str.maketrans("ŁłĐđĦħı", "LlDdHhi")  # letters that no decomposition makes plain
_INK, _QUIET, _LINE = (29, 29, 27), (85, 85, 79), (200, 198, 190)


class _Sheet(FPDF):
    """A4 in the standard fonts, the town's name on top, the page number at the foot."""

    def __init__(self, town: TownHall, title: str, made_at: datetime) -> None:
        super().__init__(format="A4")
        self.town, self.core_fonts_encoding = town, "windows-1252"
        self.set_title(f"{title} – {town.name}")
        self.set_lang("fr-FR")
        self.set_creation_date(made_at)
        self.set_margins(18, 16)
        self.set_auto_page_break(True, 20)
        self.add_page()

    def normalize_text(self, text: str) -> str:
        return str(super().normalize_text(plain(text)))

    def header(self) -> None:
        red, green, blue = (int(self.town.primary_colour[n : n + 2], 16) for n in (1, 3, 5))
        self.set_fill_color(red, green, blue)
        self.rect(0, 0, self.w, 5, style="F")
        self.set_y(14)
        self.write_line(self.town.name, size=15, bold=True)
        for line in filter(None, [*self.town.address.splitlines(), self.town.phone]):
            self.write_line(line, size=9, colour=_QUIET)
        self.ln(6)

    def footer(self) -> None:
        self.set_y(-14)
        self.set_font("helvetica", size=8)
        self.set_text_color(*_QUIET)
        self.cell(0, 5, _("Page %(n)d sur {nb}") % {"n": self.page_no()}, align="R")

    def write_line(
        self,
        text: str,
        *,
        size: float = 10.5,
        bold: bool = False,
        colour: tuple[int, int, int] = _INK,
        after: float = 0,
    ) -> None:
        self.set_font("helvetica", "B" if bold else "", size)
        self.set_text_color(*colour)
        self.multi_cell(0, size * 0.5, text, align="L", new_x="LMARGIN", new_y="NEXT")
        self.ln(after)

    def facts(self, rows: Iterable[tuple[str, str]]) -> None:
        for label, value in rows:
            self.set_font("helvetica", size=10)
            self.set_text_color(*_QUIET)
            self.cell(48, 6.5, label)
            self.set_font("helvetica", "B", 10.5)
            self.set_text_color(*_INK)
            self.multi_cell(0, 6.5, value, align="L", new_x="LMARGIN", new_y="NEXT")
        self.ln(4)

    def rows(
        self, titles: tuple[str, ...], widths: tuple[int, ...], lines: Iterable[tuple[str, ...]]
    ) -> None:
        """A table whose titles come back on each page; its last column is an amount."""
        self.set_font("helvetica", size=9.5)
        self.set_draw_color(*_LINE)
        self.set_text_color(*_INK)
        align = ("L",) * (len(titles) - 1) + ("R",)
        head = FontFace(emphasis="BOLD", color=_QUIET)
        with self.table(
            col_widths=widths, text_align=align, borders_layout="HORIZONTAL_LINES", line_height=6,
            headings_style=head, padding=(0.6, 1),
        ) as table:  # fmt: skip
            for cells in (titles, *lines):
                row = table.row()
                for text in cells:
                    row.cell(text)
        self.ln(4)


@in_french
def receipt(payment: Payment, town: TownHall) -> bytes:
    """What a person takes home. `payment` comes with its allocations, their invoices and its refunds."""
    title = _("Justificatif de paiement")
    sheet = _Sheet(town, title, payment.cancelled_at or payment.recorded_at)
    sheet.write_line(title, size=20, bold=True)
    sheet.write_line(_("N° %(number)s") % {"number": receipt_reference(payment)}, colour=_QUIET, after=5)
    if payment.cancelled_at:
        sentence = _("ANNULÉ le %(day)s : %(reason)s")
        words = sentence % {"day": clock.in_words(payment.cancelled_at), "reason": payment.cancel_reason}
        sheet.write_line(words, size=13, bold=True, colour=(155, 28, 28), after=4)
    sheet.write_line(format_euros(payment.amount), size=26, bold=True, after=3)
    facts = [
        (_("Reçu de"), payment.drawer or (payment.payer.full_name if payment.payer else "")),
        (_("Le"), clock.in_words(payment.paid_on)),
        (_("Par"), means_in_words(payment)),
        (_("Enregistré le"), clock.in_words(payment.recorded_at)),
    ]
    sheet.facts((label, value) for label, value in facts if value)
    lines = [
        (named(a.invoice), a.invoice.subject, a.invoice.payer.full_name, format_euros(a.amount))
        for a in payment.allocations.all()
    ]
    if lines:
        sheet.rows((_("Facture"), _("Objet"), _("Redevable"), _("Réglé")), (36, 62, 46, 30), lines)
    if payment.left_over:
        sentence = _(
            "%(amount)s ne sont affectés à aucune facture : le service de facturation vous contactera."
        )
        sheet.write_line(sentence % {"amount": format_euros(payment.left_over)}, after=3)
    if payment.means == Means.CHEQUE:
        sheet.write_line(_("Chèque reçu sous réserve de son encaissement."), size=9.5, after=2)
    sheet.write_line(
        _(
            "Ce document dit ce que le portail des factures a enregistré. Il ne remplace pas un reçu du comptable "
            "public."
        ),
        size=9,
        colour=_QUIET,
    )
    return bytes(sheet.output())


@in_french
def docket(deposit: Deposit, payments: Iterable[Payment], town: TownHall) -> bytes:
    """The bordereau de remise that goes to the bank with the cheques or the cash."""
    cheques = deposit.means == Means.CHEQUE
    title = _("Bordereau de remise de chèques") if cheques else _("Bordereau de remise d'espèces")
    sheet = _Sheet(town, title, deposit.closed_at)
    sheet.write_line(title, size=20, bold=True)
    sheet.write_line(_("N° %(number)s") % {"number": deposit.label}, size=12, colour=_QUIET, after=4)
    sheet.write_line(format_euros(deposit.total), size=26, bold=True, after=2)
    count = ngettext("%(n)d règlement", "%(n)d règlements", deposit.count) % {"n": deposit.count}
    sheet.facts(
        [
            (_("Régie"), deposit.product.label),
            (_("Date de la remise"), clock.in_words(deposit.deposited_on)),
            (_("Nombre"), count),
        ]
    )
    if cheques:
        titles: tuple[str, ...] = (
            _("Rang"),
            _("Tireur"),
            _("Banque"),
            _("N° du chèque"),
            _("Factures"),
            _("Montant"),
        )
        widths: tuple[int, ...] = (12, 46, 34, 26, 34, 24)
    else:
        titles, widths = (
            (_("Rang"), _("Reçu le"), _("Redevable"), _("Factures"), _("Montant")),
            (12, 28, 60, 50, 26),
        )
    sheet.rows(titles, widths, (_docket_line(n, one, cheques) for n, one in enumerate(payments, 1)))
    total = _("Total : %(total)s") % {"total": format_euros(deposit.total)}
    sheet.write_line(total, size=13, bold=True, after=12)
    sheet.write_line(_("Signature du régisseur :"), size=10, colour=_QUIET)
    return bytes(sheet.output())


def _docket_line(rank: int, payment: Payment, cheques: bool) -> tuple[str, ...]:
    invoices = ", ".join(named(allocation.invoice) for allocation in payment.allocations.all())
    who = payment.drawer or (payment.payer.full_name if payment.payer else "")
    amount = format_euros(payment.amount)
    if cheques:
        return str(rank), who, payment.bank, payment.number, invoices, amount
    return str(rank), f"{payment.paid_on:%d/%m/%Y}", who, invoices, amount


def means_in_words(payment: Payment) -> str:
    """« chèque n° 123, Banque des Coteaux »."""
    parts = [str(payment.get_means_display())]
    if payment.number:
        parts[0] += _(" n° %(number)s") % {"number": payment.number}
    return ", ".join(filter(None, [*parts, payment.bank]))


def plain(text: str) -> str:
    """`text` in the signs that the standard fonts have (Windows-1252): accents go rather than letters."""
    text = text.replace(NARROW_NBSP, NBSP)
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        text = text.translate(_STROKED)
        folded = (sign if _fits(sign) else unicodedata.normalize("NFKD", sign) for sign in text)
        return "".join(folded).encode("cp1252", "ignore").decode("cp1252")
    return text


def _fits(sign: str) -> bool:
    return len(sign.encode("cp1252", "ignore")) == 1
