"""One message per person and day for all their reminders: invoices due soon, and invoices past their due date.

`notices.reminders` decides who is reminded, and when.
"""

from datetime import date
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from shared_apps.mail.content import Content, Sender
from shared_apps.mail.notices import Audience, Choice, Example, Notice, Said, Setting, declare
from tenant_apps.invoices.models import Invoice
from tenant_apps.notices.examples import made_up
from tenant_apps.notices.models import PlannedNotice
from tenant_apps.notices.words import SHOWN, Payabilities, of_invoice, why
from tenant_apps.townhall.models import AlertAudience, TownHall
from toolkit import clock
from toolkit.money import format_euros

SOON, LATE = "reminder", "late"  # the two choices, also the `kind` of their planned notices
KINDS = (SOON, LATE)


def _words(
    sender: Sender, *, payabilities: Payabilities, soon: list[Invoice], late: list[Invoice], has_account: bool
) -> Content:
    invoices = [*late, *soon]
    only = invoices[0] if len(invoices) == 1 else None
    lines = [
        _("En retard : %(subject)s, n° %(number)s : %(amount)s, %(what)s")
        % of_invoice(invoice, invoice.balance, payabilities[invoice.pk])
        for invoice in late[:SHOWN]
    ]
    lines += [
        _("%(subject)s, n° %(number)s : %(amount)s, %(what)s")
        % of_invoice(invoice, invoice.balance, payabilities[invoice.pk])
        for invoice in soon[:SHOWN]
    ]
    if len(invoices) > len(lines):
        lines.append(_("… et %(n)d autres.") % {"n": len(invoices) - len(lines)})
    lines.append(
        _("Si vous venez de régler, ne tenez pas compte de ce message : il a pu croiser votre règlement.")
    )
    where = (
        f"{sender.address}/factures/{only.uuid}/" if only else f"{sender.address}/factures/?etat=non-reglees"
    )
    label = _("Voir la facture") if only else _("Voir mes factures à régler")
    return Content(
        subject=_subject(soon, late) % {"n": len(invoices), "town": sender.town},
        sentence=_sentence(soon, late),
        button_label=label if has_account else _("Activer mon compte"),
        button_url=where if has_account else f"{sender.address}/activation/",
        more=tuple(lines),
        why=why(has_account),
    )


def _subject(soon: list[Invoice], late: list[Invoice]) -> str:
    n = len(soon) + len(late)
    if not late:
        return ngettext(
            "Rappel : une facture arrive à échéance – %(town)s",
            "Rappel : %(n)d factures arrivent à échéance – %(town)s",
            n,
        )
    return ngettext(
        "Rappel : une facture reste à régler – %(town)s",
        "Rappel : %(n)d factures restent à régler – %(town)s",
        n,
    )


def _sentence(soon: list[Invoice], late: list[Invoice]) -> str:
    n = len(soon) + len(late)
    values = {
        "late": len(late),
        "n": n,
        "total": _total([*soon, *late]),
        "due": clock.in_words(soon[0].due_on) if soon else "",
    }
    if not late:
        sentence = ngettext(
            "Une facture est à régler avant le %(due)s : %(total)s.",
            "%(n)d factures sont à régler, pour un total de %(total)s : la première avant le %(due)s.",
            n,
        )
    elif not soon:
        sentence = ngettext(
            "L'échéance d'une facture est passée, et son règlement ne nous est pas parvenu : %(total)s.",
            "L'échéance de %(n)d factures est passée, et leur règlement ne nous est pas parvenu : %(total)s.",
            n,
        )
    else:
        sentence = _(
            "%(n)d factures restent à régler, pour un total de %(total)s. L'échéance est passée pour %(late)d."
        )
    return sentence % values


def _total(invoices: list[Invoice]) -> str:
    return format_euros(sum((invoice.balance for invoice in invoices), Decimal(0)))


def day_of(key: str) -> date:
    """The day in the key of such a message."""
    return date.fromisoformat(key.split(":")[1])


def _keys_about(invoice: Invoice) -> list[str]:
    told = PlannedNotice.objects.filter(subject_uuid=invoice.uuid, kind__in=KINDS).values_list(
        "email", "queued_at"
    )
    return [REMINDER.key_of(day=timezone.localdate(moment), email=email) for email, moment in told]


def _soon_example() -> Said:
    invoices, payabilities = made_up((7, "37.50"))
    return REMINDER.about(payabilities=payabilities, soon=invoices, late=[], has_account=True)


def _late_example() -> Said:
    invoices, payabilities = made_up((-7, "37.50"))
    return REMINDER.about(payabilities=payabilities, soon=[], late=invoices, has_account=True)


def _soon_offered(townhall: TownHall) -> str | None:
    days = townhall.remind_before
    if townhall.alert_audience == AlertAudience.NOBODY or not days:
        return None
    return ngettext(
        "une facture doit être réglée dans %(days)d jour",
        "une facture doit être réglée dans %(days)d jours",
        days,
    ) % {"days": days}


def _late_offered(townhall: TownHall) -> str | None:
    days = townhall.remind_after
    if townhall.alert_audience == AlertAudience.NOBODY or not days:
        return None
    return ngettext(
        "une facture n'est pas réglée %(days)d jour après son échéance",
        "une facture n'est pas réglée %(days)d jours après son échéance",
        days,
    ) % {"days": days}


_DAYS = gettext_lazy("Indiquez un nombre de jours, de 1 à 60, ou laissez vide.")

REMINDER = declare(
    Notice(
        kind="alert-reminder",
        title=gettext_lazy("Rappel"),
        audience=Audience.PAYER,
        when="some days before the due date of an invoice, and after it, at nine in the morning",
        words=_words,
        key="reminders:{day}:{email}",
        choices=(
            Choice(SOON, gettext_lazy("une facture arrive à échéance"), 20, offered=_soon_offered),
            Choice(
                LATE,
                gettext_lazy("une facture n'est pas réglée après son échéance"),
                30,
                offered=_late_offered,
            ),
        ),
        settings=(
            Setting(
                "remind_before",
                gettext_lazy("Rappeler les factures à régler, en jours avant l'échéance"),
                error=_DAYS,
                rank=20,
                help=gettext_lazy(
                    "De 1 à 60, aux mêmes personnes que les nouvelles factures. Laissez vide pour ne pas écrire."
                ),
            ),
            Setting(
                "remind_after",
                gettext_lazy("Rappeler les factures en retard, en jours après l'échéance"),
                error=_DAYS,
                rank=30,
                help=gettext_lazy(
                    "De 1 à 60 : un seul message par facture. Laissez vide pour ne pas écrire."
                ),
            ),
        ),
        examples=(
            Example(gettext_lazy("Le rappel avant l'échéance"), SOON, _soon_example),
            Example(gettext_lazy("Le rappel après l'échéance"), LATE, _late_example),
        ),
        unsubscribe=True,
        called_off=True,
        keys_about=_keys_about,
    )
)
