"""The rows of a list of invoices, and icons.

A row has some twenty variables. As a template, twenty rows took a third of the time of the page, so these are
f-strings: `escape` escapes every text that comes from billing, and all other text is ours.
"""

from collections.abc import Iterable
from html import escape

from django import template
from django.conf import settings
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from tenant_apps.payments.payability.deciding import Act
from tenant_apps.portal.lists.rows import ListRow
from toolkit.words import current_language

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon of partials/icons.html, which the page must include. Words always stand beside it."""
    return mark_safe(_icon(name))  # noqa: S308 - a name in our templates


@register.simple_tag
def invoice_rows(rows: Iterable[ListRow], with_pay: bool = False) -> SafeString:
    """A `<tr>` per row: five columns (docs/manual.md, M6) and the state in words; on a phone, a card."""
    words = _Words(with_pay)
    return mark_safe("\n".join(words.line(row) for row in rows))  # noqa: S308 - see `_Words.line`


def _icon(name: str) -> str:
    return f'<svg class="icon" aria-hidden="true" focusable="false"><use href="#i-{name}"/></svg>'


class _Words:
    """The words that all rows share, translated once."""

    def __init__(self, with_pay: bool) -> None:
        self.due, self.number, self.rest = _("Échéance :"), _("Numéro :"), _("reste à régler")
        self.paid = ' class="paid"'
        # Marks billing's words as French on a page in another language.
        self.theirs = (
            "" if current_language() == settings.LANGUAGE_CODE else f' lang="{settings.LANGUAGE_CODE}"'
        )
        self.the_invoice, self.choose = _("la facture"), _("Cocher")
        look = ("", "btn-plain phone-only", _("Voir"))
        self.acts = dict.fromkeys(Act, look)
        if with_pay:  # only acts that are possible now: no « Régler » that is then refused
            look = ("", "btn-plain", _("Voir"))
            self.acts = dict.fromkeys(Act, look) | {
                Act.PAY: ("payer/", "btn-town", _("Régler")),
                Act.RESUME: ("payer/", "btn-town", _("Reprendre")),
            }

    def line(self, row: ListRow) -> str:
        """One row. Escapes what comes from outside (number, subject, payer)."""
        href, number = f"/factures/{row.uuid}/", escape(row.number)
        rest = f"<small>{self.rest} {row.rest}</small>" if row.rest else ""
        hidden = f'<span class="visually-hidden"> {self.the_invoice} {number}</span>'
        box = f'<input class="form-check-input" type="checkbox" name="facture" value="{row.uuid}">'
        page, kind, act = self.acts[row.act]
        note = f'<small class="quiet">{row.state.note}</small>' if row.state.note else ""
        tick = f'<label class="tick">{box}{self.choose}{hidden}</label>' if row.tick else ""
        payer = f'<small class="quiet">{escape(row.payer)}</small>' if row.payer else ""
        return (
            f'<tr{self.paid if row.is_paid else ""}><td class="issued num">{row.issued}</td>'
            f'<td class="due num" data-label="{self.due}">{row.due}</td>'
            f'<td class="amount num">{row.amount}{rest}</td>'
            f'<td class="number num" data-label="{self.number}"><a href="{href}">{number}</a></td>'
            f'<td class="subject"{self.theirs}>{escape(row.subject)}{payer}</td>'
            f'<td class="status"><span class="state state-{row.state.kind}">{_icon(row.state.icon)}'
            f'{row.state.words}</span>{note}{tick}<a class="btn {kind}" href="{href}{page}">{act}'
            f"{hidden}</a></td></tr>"
        )
