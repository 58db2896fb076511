"""Amounts, numbers and names as the pages of staff show them."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django import template
from django.core.paginator import Page
from django.template import Context
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _

from shared_apps.audit.services import SYSTEM, TREASURY
from tenant_apps.backoffice.file_columns import has_columns
from tenant_apps.backoffice.journal.history import History
from tenant_apps.backoffice.journal.lines import Line
from tenant_apps.backoffice.words.settings_pages import SettingsPage, pages_for
from tenant_apps.backoffice.words.state_labels import label_classes
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Attempt, Payment
from tenant_apps.payments.payability.words import state_of
from tenant_apps.payments.readers import capabilities_of, evidence, labels_of
from tenant_apps.residents.models import PayerEmail
from toolkit import clock
from toolkit.money import format_euros, format_number
from toolkit.words import current_language, told

register = template.Library()


@register.filter
def euros(amount: Decimal | int) -> str:
    """`37.5` → « 37,50 € »."""
    return format_euros(Decimal(amount))


register.filter("in_words", clock.in_words)
register.filter("number", format_number)
register.filter("told", told)
register.filter("has_columns", has_columns)  # of an import: its columns may be said now
register.filter("evidence", evidence)  # of a finding: (name, value) pairs
register.filter("taker", labels_of)  # what the provider calls things
register.filter("capabilities", capabilities_of)
register.filter("label_classes", label_classes)
register.filter("state", state_of)  # of a payability: `{% with state=invoice.payability|state %}`


@register.filter
def who(actor: str, names: Mapping[str, str]) -> str:
    """What to call an actor of the trail (`History.names`)."""
    return names.get(actor) or _("un auteur inconnu")


@register.filter
def booked_by(payment: Payment, names: Mapping[str, str]) -> str:
    """Who recorded a payment: « en ligne, PayFiP » for one that came by itself, with who confirmed it if need be."""
    if payment.attempt_id is None:
        return who(payment.recorded_by, names)
    online = _("en ligne, %(taker)s") % {"taker": labels_of(payment.provider).name}
    if payment.recorded_by in (SYSTEM, TREASURY):
        return online
    return _("%(online)s, confirmé par %(who)s") % {"online": online, "who": who(payment.recorded_by, names)}


@register.filter
def last_of(history: History, verb: str) -> Line | None:
    """The last fact of that verb among those of the history."""
    return history.last_of(verb)


@register.filter
def megabytes(size: int) -> str:
    """Bytes → « 150 Mo », “150 MB” in English; one decimal below ten."""
    mega = Decimal(size) / (1024 * 1024)
    words = (f"{mega:.1f}" if mega < 10 else f"{mega:.0f}") + "\u00a0Mo"
    return words.replace("Mo", "MB") if current_language() == "en" else words.replace(".", ",")


@register.filter
def addresses(emails: Iterable[PayerEmail]) -> str:
    """« a@exemple.fr, b@exemple.fr »."""
    return ", ".join(one.email for one in emails)


@register.simple_tag
def allocated(payment: Payment, amounts: bool = False) -> str:
    """The numbers of the invoices that `payment` pays, with each amount if `amounts`; « – » for none."""
    pattern = '{} : <span class="num">{}</span>' if amounts else '<span class="num">{}</span>'
    paid = (
        (one.invoice.number, euros(one.amount))[: 2 if amounts else 1] for one in payment.allocations.all()
    )
    return format_html_join(", ", pattern, paid) or "–"


@register.simple_tag
def parts_of(attempt: Attempt, here: Invoice) -> str:
    """The invoices that `attempt` pays at once, with their amounts: `here` in bold, links to the others."""

    def number(invoice: Invoice) -> str:
        if invoice.pk == here.pk:
            return format_html("<strong>{}</strong>", invoice.number)
        return format_html(
            '<a href="{}">{}</a>', reverse("backoffice:invoice", args=[invoice.uuid]), invoice.number
        )

    parts = ((number(part.invoice), euros(part.amount)) for part in attempt.parts.all())
    return format_html_join(", ", '{} (<span class="num">{}</span>)', parts)


@register.inclusion_tag("backoffice/partials/numbered_pages.html", takes_context=True)
def numbered_pages(
    context: Context, pages: Page[Any], *, parameter: str, label: str, anchor: str = ""
) -> dict[str, Any]:
    """Links to the page before and the page after `pages`; nothing for a single page.

    `parameter` of the query string holds the page's number; the other parameters stay. `label` names the links to
    screen readers. `anchor`: id of the element that a link leads to.
    """

    def address(number: int) -> str:
        query = context["request"].GET.copy()
        query[parameter] = str(number)
        return f"?{query.urlencode()}" + (f"#{anchor}" if anchor else "")

    return {
        "pages": pages,
        "label": label,
        "before": address(pages.previous_page_number()) if pages.has_previous() else "",
        "after": address(pages.next_page_number()) if pages.has_next() else "",
    }


@register.simple_tag(takes_context=True)
def settings_pages(context: Context) -> list[SettingsPage]:
    """The pages of « Réglages » that the reader may open."""
    return list(pages_for(context["user"]))
