"""« Une facture modifiée »: one message per address for all that a publication changed on online invoices.

An invoice that moved to another payer is new for that payer (new_invoices). Its former payer learns that it left, and
nothing about the other one.
"""

from datetime import date
from decimal import Decimal
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from shared_apps.accounts.models import Account
from shared_apps.audit.models import AuditEntry
from shared_apps.mail.content import Content, Sender
from shared_apps.mail.notices import Audience, Choice, Example, Notice, On, Said, declare
from tenant_apps.invoices.documents.naming import named
from tenant_apps.invoices.models import Amendment, Invoice
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.notices.examples import made_up
from tenant_apps.notices.mails.new_invoices import AUDIENCE
from tenant_apps.notices.models import PlannedNotice
from tenant_apps.notices.told import planning
from tenant_apps.notices.told.publications import one_before, publications
from tenant_apps.notices.told.rights import everybody_of, payers_of
from tenant_apps.notices.told.statement import AMENDED
from tenant_apps.notices.words import SHOWN, why
from tenant_apps.townhall.models import AlertAudience, TownHall
from toolkit import clock
from toolkit.money import format_euros


def _words(sender: Sender, *, changed: list[Amendment], gone: list[Amendment], has_account: bool) -> Content:
    n = len(changed) + len(gone)
    lines = [_changed(one) for one in changed]
    if changed:
        lines += [
            _("La facture n° %(number)s n'est plus à votre nom : vous n'avez rien à régler pour elle.")
            % {"number": named(one.invoice)}
            for one in gone
        ]
    else:
        lines += [_("Facture n° %(number)s") % {"number": named(one.invoice)} for one in gone]
    if n > SHOWN:
        lines = [*lines[:SHOWN], _("… et %(n)d autres.") % {"n": n - SHOWN}]
    return Content(
        subject=ngettext("Une facture modifiée – %(town)s", "%(n)d factures modifiées – %(town)s", n)
        % {"n": n, "town": sender.town},
        sentence=_sentence(len(changed), len(gone)),
        button_label=_("Voir mes factures") if has_account else _("Activer mon compte"),
        button_url=f"{sender.address}/factures/" if has_account else f"{sender.address}/activation/",
        more=tuple(lines),
        why=why(has_account),
    )


def _sentence(changed: int, gone: int) -> str:
    n = changed + gone
    if not changed:
        sentence = ngettext(
            "Le service de facturation a corrigé une facture : elle n'est plus à votre nom, et vous n'avez rien à "
            "régler pour elle.",
            "Le service de facturation a corrigé %(n)d factures : elles ne sont plus à votre nom, et vous n'avez rien "
            "à régler pour elles.",
            n,
        )
    else:
        sentence = ngettext(
            "Le service de facturation a corrigé une facture qui était déjà en ligne.",
            "Le service de facturation a corrigé %(n)d factures qui étaient déjà en ligne.",
            n,
        )
    return sentence % {"n": n}


def _changed(one: Amendment) -> str:
    """« Votre facture n° 12 a été modifiée : montant 30,00 € au lieu de 25,00 €. »"""
    parts = []
    if "amount" in one.becomes:
        parts.append(
            _("montant %(new)s au lieu de %(old)s")
            % {
                "new": format_euros(Decimal(one.becomes["amount"])),
                "old": format_euros(Decimal(one.was["amount"])),
            }
        )
    if "due_on" in one.becomes:
        parts.append(
            _("échéance le %(new)s au lieu du %(old)s")
            % {"new": _day(one.becomes["due_on"]), "old": _day(one.was["due_on"])}
        )
    sentence = _("Votre facture n° %(number)s a été modifiée : %(changes)s.")
    return sentence % {"number": named(one.invoice), "changes": ", ".join(parts)}


def _day(iso: str) -> str:
    return clock.in_words(date.fromisoformat(iso))


def _plan(entry: AuditEntry) -> None:
    """All changes of a publication at once: a fact `invoice.amended` each would be a statement each."""
    if entry.new.get("amended"):
        batch = UUID(entry.object.removeprefix("batch:"))
        planning.plan_amended(batch=batch, key=INVOICES_AMENDED.key, since=one_before(entry))


def _tell(publication: UUID, addresses: list[str]) -> dict[str, Said]:
    """Address → its message. Invoices that are not online any more, or not theirs, are left out."""
    rows = PlannedNotice.objects.filter(subject_uuid=publication, kind=AMENDED, email__in=addresses)
    planned = {row.email: {int(item) for item in row.items or ()} for row in rows}
    changes = Amendment.objects.filter(
        pk__in={pk for items in planned.values() for pk in items}, invoice__state=InvoiceState.PUBLISHED
    )
    changes_by_pk = {one.pk: one for one in changes.select_related("invoice").order_by("line", "id")}
    payers = payers_of(planned)
    active = set(
        Account.objects.filter(email__in=addresses, activated_at__isnull=False).values_list(
            "email", flat=True
        )
    )
    said = {}
    for email, items in planned.items():
        theirs = [one for pk, one in changes_by_pk.items() if pk in items]
        changed = [one for one in theirs if one.payer_id is None and email in payers[one.invoice.payer_id]]
        gone = [one for one in theirs if one.payer_id is not None and _has_left(one, email, payers)]
        if changed or gone:
            words = INVOICES_AMENDED.about(changed=changed, gone=gone, has_account=email in active)
            said[email] = words.of(*(one.invoice.product_id for one in (*changed, *gone)))
    return said


def _has_left(one: Amendment, email: str, payers: dict[int, set[str]]) -> bool:
    if one.payer_before_id is None or email in payers[one.invoice.payer_id]:
        return False
    return email in payers[one.payer_before_id]


def _keys_about(invoice: Invoice) -> list[str]:
    changes = list(invoice.amendments.filter(applied_at__isnull=False).select_related("batch"))
    if not changes:
        return []
    payers = {invoice.payer_id, *(one.payer_before_id for one in changes if one.payer_before_id)}
    people = {email for payer in payers for email in everybody_of(payer)}
    batches = {one.batch.uuid for one in changes}
    keys = {
        INVOICES_AMENDED.key_of(about=about, email=email)
        for batch in batches
        for about in publications(batch)
        for email in people
    }
    ours = {str(one.pk) for one in changes}
    rows = PlannedNotice.objects.filter(key__in=keys)
    return sorted(row.key for row in rows if ours.intersection(row.items or ()))


def _example() -> Said:
    (invoice,), _payabilities = made_up((20, "30.00"))
    change = Amendment(
        invoice=invoice,
        was={"amount": "25.00", "due_on": invoice.issued_on.isoformat()},
        becomes={"amount": "30.00", "due_on": invoice.due_on.isoformat()},
    )
    return INVOICES_AMENDED.about(changed=[change], gone=[], has_account=True)


def _offered(townhall: TownHall) -> str | None:
    if townhall.alert_audience == AlertAudience.NOBODY:
        return None
    return _("une de mes factures est modifiée")


INVOICES_AMENDED = declare(
    Notice(
        kind="alert-invoices-amended",
        title=gettext_lazy("Factures modifiées"),
        audience=Audience.PAYER,
        when="a publication changes the amount or the due date of online invoices, or takes them from the payer",
        words=_words,
        key="amended:{about}:{email}",
        choices=(Choice(AMENDED, gettext_lazy("une facture est modifiée"), 15, offered=_offered),),
        settings=(AUDIENCE,),
        examples=(Example(gettext_lazy("Une facture modifiée"), AMENDED, _example),),
        on=On("batch.published", _plan, _tell),
        unsubscribe=True,
        called_off=True,
        keys_about=_keys_about,
    )
)
