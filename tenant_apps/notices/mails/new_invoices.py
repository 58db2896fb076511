"""« De nouvelles factures »: one message per address for all that a batch put online (docs/manual.md, M14)."""

from collections.abc import Mapping
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from shared_apps.accounts.models import Account
from shared_apps.audit.models import AuditEntry
from shared_apps.mail.content import Content, Sender
from shared_apps.mail.notices import Audience, Choice, Example, Notice, On, Said, Setting, declare
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.notices.examples import made_up
from tenant_apps.notices.models import PlannedNotice
from tenant_apps.notices.told import planning
from tenant_apps.notices.told.publications import one_before, publications
from tenant_apps.notices.told.rights import everybody_of, item_of, payers_of
from tenant_apps.notices.told.statement import NEW
from tenant_apps.notices.words import SHOWN, Payabilities, of_invoice, why
from tenant_apps.payments.payability.deciding import Payability
from tenant_apps.payments.payability.reading import payabilities_of, total
from tenant_apps.townhall.models import AlertAudience, TownHall
from toolkit.money import format_euros


def _words(
    sender: Sender, *, invoices: list[Invoice], payabilities: Payabilities, has_account: bool
) -> Content:
    n = len(invoices)
    lines = [
        _("%(subject)s, n° %(number)s : %(amount)s, %(what)s")
        % of_invoice(invoice, invoice.amount, payabilities[invoice.pk])
        for invoice in invoices[:SHOWN]
    ]
    if n > SHOWN:
        lines.append(_("… et %(n)d autres.") % {"n": n - SHOWN})
    return Content(
        subject=ngettext("Une nouvelle facture – %(town)s", "%(n)d nouvelles factures – %(town)s", n)
        % {"n": n, "town": sender.town},
        sentence=_announced([payabilities[invoice.pk] for invoice in invoices]),
        button_label=_("Voir mes factures") if has_account else _("Activer mon compte"),
        button_url=f"{sender.address}/factures/" if has_account else f"{sender.address}/activation/",
        more=tuple(lines),
        why=why(has_account),
    )


def _announced(payabilities: list[Payability]) -> str:
    n, awaited = len(payabilities), [one for one in payabilities if one.what.is_awaited]
    words = {"n": n, "total": format_euros(total(awaited))}
    if not awaited:
        sentence = ngettext(
            "Une nouvelle facture est sur le portail. Vous n'avez rien à régler pour l'instant.",
            "%(n)d nouvelles factures sont sur le portail. Vous n'avez rien à régler pour l'instant.",
            n,
        )
    elif len(awaited) < n:
        sentence = _("%(n)d nouvelles factures vous attendent sur le portail, dont %(total)s à régler.")
    else:
        sentence = ngettext(
            "Une nouvelle facture vous attend sur le portail : %(total)s.",
            "%(n)d nouvelles factures vous attendent sur le portail, pour un total de %(total)s.",
            n,
        )
    return sentence % words


def _plan(entry: AuditEntry) -> None:
    batch = UUID(entry.object.removeprefix("batch:"))
    planning.plan_new(batch=batch, key=NEW_INVOICES.key, just_now=True, since=one_before(entry))


def plan_new_invoice_notices(*, batch: UUID) -> int:
    """Plan one notice per address for the invoices of `batch` that it was not told about. Returns how many.

    In the caller's transaction.
    """
    return planning.plan_new(batch=batch, key=NEW_INVOICES.key)


def _tell(publication: UUID, addresses: list[str]) -> dict[str, Said]:
    """Address → its message. An address whose invoices were all taken back meanwhile is left out.

    The planned notices then name what is said and no more: the rest may still be told by a later publication.
    """
    rows = PlannedNotice.objects.filter(subject_uuid=publication, kind=NEW, email__in=addresses)
    planned = {row.email: row for row in rows}
    invoices = _by_address(publication, planned)
    active = set(
        Account.objects.filter(email__in=addresses, activated_at__isnull=False).values_list(
            "email", flat=True
        )
    )
    payabilities = payabilities_of(
        {invoice.pk: invoice for told in invoices.values() for invoice in told}.values()
    )
    _keep_what_is_said(planned, invoices)
    return {
        email: NEW_INVOICES.about(invoices=told, payabilities=payabilities, has_account=email in active).of(
            *(invoice.product_id for invoice in told)
        )
        for email, told in invoices.items()
        if told
    }


def _keep_what_is_said(planned: Mapping[str, PlannedNotice], said: Mapping[str, list[Invoice]]) -> None:
    changed = []
    for email, row in planned.items():
        items = sorted(item_of(invoice) for invoice in said[email])
        if row.items is not None and items != sorted(row.items):
            row.items = items
            changed.append(row)
    if changed:
        PlannedNotice.objects.bulk_update(changed, ["items"])


def _by_address(publication: UUID, planned: Mapping[str, PlannedNotice]) -> dict[str, list[Invoice]]:
    """Address → the published invoices of its notice that it may be told about. A fixed number of queries."""
    payers = payers_of(planned)
    found: dict[str, list[Invoice]] = {address: [] for address in planned}
    named = [item.split("/", 2)[2] for row in planned.values() for item in row.items or ()]
    meant = Q(number__in=named)
    if any(row.items is None for row in planned.values()):
        meant |= Q(batch__uuid=publication)
    invoices = Invoice.objects.filter(meant, state=InvoiceState.PUBLISHED, payer__in=list(payers))
    for invoice in invoices.select_related("batch").order_by("due_on", "id"):
        for address in payers[invoice.payer_id]:
            if _is_meant(invoice, planned[address], publication):
                found[address].append(invoice)
    return found


def _is_meant(invoice: Invoice, planned: PlannedNotice, publication: UUID) -> bool:
    if planned.items is None:
        return invoice.batch is not None and invoice.batch.uuid == publication
    items: list[str] = planned.items
    return item_of(invoice) in items


def _keys_about(invoice: Invoice) -> list[str]:
    """Those of all publications that told of it: of its import, and of imports that moved it to another payer."""
    moved = invoice.amendments.filter(applied_at__isnull=False, payer__isnull=False)
    batches = {*moved.values_list("batch__uuid", flat=True)}
    if invoice.batch is not None:
        batches.add(invoice.batch.uuid)
    people = everybody_of(invoice.payer_id) if batches else set()
    keys = {
        NEW_INVOICES.key_of(about=one, email=email)
        for batch in batches
        for one in publications(batch)
        for email in people
    }
    others = PlannedNotice.objects.filter(key__in=keys, items__isnull=False)
    return sorted(keys - {row.key for row in others if item_of(invoice) not in (row.items or ())})


def _example() -> Said:
    invoices, payabilities = made_up((20, "37.50"), (20, "12.00"))
    return NEW_INVOICES.about(invoices=invoices, payabilities=payabilities, has_account=True)


AUDIENCE = Setting(
    "alert_audience",
    gettext_lazy("Qui prévenir quand de nouvelles factures sont en ligne"),
    error=gettext_lazy("Choisissez une réponse de la liste."),
    rank=10,
)


def _offered(townhall: TownHall) -> str | None:
    if townhall.alert_audience == AlertAudience.NOBODY:
        return None
    return _("de nouvelles factures sont mises en ligne")


NEW_INVOICES = declare(
    Notice(
        kind="alert-new-invoices",
        title=gettext_lazy("Nouvelles factures"),
        audience=Audience.PAYER,
        when="a batch is put online: once for each invoice, also when the batch is published again",
        words=_words,
        key="new_invoices:{about}:{email}",
        choices=(
            Choice(
                NEW,
                gettext_lazy("de nouvelles factures sont mises en ligne"),
                10,
                offered=_offered,
            ),
        ),
        settings=(AUDIENCE,),
        examples=(Example(gettext_lazy("De nouvelles factures"), NEW, _example),),
        on=On("batch.published", _plan, _tell),
        unsubscribe=True,
        called_off=True,
        keys_about=_keys_about,
    )
)
