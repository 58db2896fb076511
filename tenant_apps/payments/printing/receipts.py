"""The receipt of a payment as a PDF (« justificatif de paiement »). Only the accountant may give quittance."""

import unicodedata
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from tenant_apps.invoices.naming import named
from tenant_apps.payments.models import Allocation, Payment
from tenant_apps.payments.naming import receipt_reference
from tenant_apps.townhall.models import TownHall
from toolkit import clock, colour
from toolkit.money import format_euros
from toolkit.words import current_language

_INK, _QUIET, _PALE = (29, 29, 27), (85, 85, 79), (238, 241, 244)
_MARGIN, _WIDTH = 18, 174  # millimetres on A4


def receipt(payment: Payment, *, townhall: TownHall) -> bytes:
    """One A4 page about `payment`, whose `seen` (payments.queries.payment_for_resident) are the invoices to name."""
    seen: Sequence[Allocation] = payment.seen  # type: ignore[attr-defined]
    page = _Page(townhall)
    page.title_of(_("Justificatif de paiement"), townhall.name)
    payers = sorted({one.invoice.payer.full_name for one in seen})
    page.facts(
        [
            (_("Au nom de"), ", ".join(payers)),
            (_("Date du règlement"), clock.in_words(payment.paid_on)),
            (_("Moyen de paiement"), payment.get_means_display().capitalize()),
            (_("Montant réglé"), format_euros(sum((one.amount for one in seen), start=seen[0].amount * 0))),
            (_("Référence du règlement"), receipt_reference(payment)),
            *([(_("Référence de paiement"), payment.attempt.reference)] if payment.attempt else []),
        ]
    )
    page.lines(seen)
    page.note(
        _(
            "Ce justificatif reprend ce que le service de facturation a enregistré le %(day)s. Il ne remplace pas "
            "la facture. Pour un paiement en ligne, le Trésor public vous a aussi envoyé son ticket de paiement."
        )
        % {"day": clock.in_words(payment.recorded_at)}
    )
    return bytes(page.output())


class _Page(FPDF):
    """A4 in the standard fonts: nothing to embed, about 3 kB."""

    def __init__(self, townhall: TownHall) -> None:
        super().__init__(format="A4")
        self.core_fonts_encoding = "windows-1252"
        self.set_lang({"en": "en-GB"}.get(current_language(), "fr-FR"))
        self.set_margins(_MARGIN, _MARGIN)
        self.add_page()
        red, green, blue = (int(townhall.primary_colour[n : n + 2], 16) for n in (1, 3, 5))
        self.set_fill_color(red, green, blue)
        self.rect(0, 0, 210, 6, style="F")
        self._line(townhall.name, size=15, style="B", height=8)
        for line in [*townhall.address.splitlines(), townhall.phone]:
            if line.strip():
                self._line(line.strip(), size=10, ink=_QUIET, height=5)
        ink = colour.readable_on(townhall.primary_colour, "#ffffff")
        self._town_ink = tuple(int(ink[n : n + 2], 16) for n in (1, 3, 5))

    def title_of(self, title: str, town: str) -> None:
        self.set_title(f"{title} – {town}")
        self.ln(12)
        self._line(title, size=22, style="B", height=11, ink=self._town_ink)
        self.ln(4)

    def facts(self, facts: Sequence[tuple[str, str]]) -> None:
        for label, value in facts:
            self.set_font("helvetica", size=11)
            self.set_text_color(*_QUIET)
            self.cell(52, 8, _plain(label))
            self.set_font("helvetica", "B", 11)
            self.set_text_color(*_INK)
            self.multi_cell(_WIDTH - 52, 8, _plain(value), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(8)

    def lines(self, seen: Sequence[Allocation]) -> None:
        widths = (82, 62, 30)
        self.set_fill_color(*_PALE)
        self.set_font("helvetica", "B", 10)
        heads = zip(widths, (_("Facture"), _("Objet et service"), _("Montant réglé")), "LLR", strict=True)
        for width, head, align in heads:
            self.cell(width, 9, _plain(head), fill=True, align=align)
        self.ln(9)
        self.set_font("helvetica", size=10)
        for one in seen:
            about = f"{one.invoice.subject} ({one.invoice.product.label})"
            self.cell(widths[0], 9, _plain(named(one.invoice)), border="B")
            self.cell(widths[1], 9, _plain(_short(about, 34)), border="B")
            self.cell(widths[2], 9, _plain(format_euros(one.amount)), border="B", align="R")
            self.ln(9)

    def note(self, words: str) -> None:
        self.ln(10)
        self.set_font("helvetica", size=9)
        self.set_text_color(*_QUIET)
        self.multi_cell(140, 5, _plain(words), align="L")

    def _line(self, words: str, *, size: int, height: int, style: str = "", ink: Any = _INK) -> None:
        self.set_font("helvetica", style, size)
        self.set_text_color(*ink)
        self.cell(_WIDTH, height, _plain(words), new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _short(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1] + "…"


def _plain(words: str) -> str:
    """`words` in Windows-1252, which the standard fonts have: a letter that it lacks loses its accent."""
    kept = []
    for letter in words.replace("\u202f", "\u00a0"):
        try:
            letter.encode("cp1252")
        except UnicodeEncodeError:
            letter = unicodedata.normalize("NFKD", letter).encode("cp1252", "ignore").decode("cp1252") or "?"
        kept.append(letter)
    return "".join(kept)
