"""What a fact of the trail is about, in words that a clerk knows, with the link to its page.

Each kind of object is read in one statement for any number of them. The caller has checked that the reader is a
manager: a manager sees every régie (decision 62).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from shared_apps.accounts.models import Account
from shared_apps.accounts.team.names import called
from shared_apps.audit import verbs
from shared_apps.mail.models import OutgoingMail
from tenant_apps.contact.models import Message
from tenant_apps.invoices.models import Batch, Invoice
from tenant_apps.invoices.states import BatchState
from tenant_apps.payments.models import Attempt, Deposit, Finding, Payment, TestPayment
from tenant_apps.products.models import Product
from tenant_apps.reconciliation.models import Statement, StatementRow
from tenant_apps.residents.models import AccessRequest, Payer, Source
from toolkit.money import format_euros


@dataclass(frozen=True)
class Thing:
    """An object: the word of its kind, what it is called, and the address of its page; empty when there is none.

    `in_person`: its page is absent for an operator in somebody's place.
    """

    kind: str
    name: str = ""
    link: str = ""
    is_gone: bool = False
    in_person: bool = False

    def __str__(self) -> str:
        """« facture 2026-001 »."""
        return f"{self.kind} {self.name}".strip()


Named = tuple[str, str]  # (what it is called, its page)
Reader = Callable[[set[UUID]], Mapping[UUID, Named]]


def things_of(objects: Iterable[str]) -> dict[str, Thing]:
    """Objects of the trail → what to call them. One statement per kind of object; none for unknown kinds.

    One that no longer exists has only the word of its kind.
    """
    of_kind: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for obj in objects:
        kind, key = verbs.named(obj)
        if key:
            of_kind[kind][obj] = key
    words, found = verbs.kinds(), {}
    for kind, keys in of_kind.items():
        known = _read(kind, set(keys.values()))
        for obj, key in keys.items():
            name, link = known.get(key, ("", ""))
            word = str(words.get(kind, kind))
            found[obj] = Thing(word, name, link, is_gone=key not in known, in_person=kind == "account")
    return found


def _read(kind: str, keys: set[str]) -> Mapping[str, Named]:
    if kind == "product":
        return _products(keys)
    reader = READERS.get(kind)
    if reader is None:
        return {}
    uuids = {}
    for key in keys:
        try:
            uuids[UUID(key)] = key
        except ValueError:
            continue
    return {uuids[uuid]: named for uuid, named in reader(set(uuids)).items()}


def _page(route: str, public_id: UUID) -> str:
    return reverse(f"backoffice:{route}", args=[public_id])


def _products(codes: set[str]) -> dict[str, Named]:
    """A code that no régie has any more stays its name."""
    rows = Product.objects.filter(code__in=codes)
    known = {one.code: (one.full_label, reverse("backoffice:regie", args=[one.pk])) for one in rows}
    return {code: known.get(code, (code, "")) for code in codes}


def _accounts(wanted: set[UUID]) -> dict[UUID, Named]:
    rows = Account.objects.filter(uuid__in=wanted)
    return {one.uuid: (called(one), _page("member", one.uuid) if one.is_town_staff else "") for one in rows}


def _invoices(wanted: set[UUID]) -> dict[UUID, Named]:
    rows: QuerySet[Invoice] = Invoice.objects.filter(uuid__in=wanted).only("uuid", "number")
    return {one.uuid: (one.number, _page("invoice", one.uuid)) for one in rows}


def _batches(wanted: set[UUID]) -> dict[UUID, Named]:
    rows = Batch.objects.filter(uuid__in=wanted).only("uuid", "rows_name", "state")
    return {
        one.uuid: (one.rows_name, "" if one.state == BatchState.DISCARDED else _page("batch", one.uuid))
        for one in rows
    }


def _payments(wanted: set[UUID]) -> dict[UUID, Named]:
    rows = Payment.objects.filter(uuid__in=wanted).select_related("payer")
    return {
        one.uuid: (_sum(one.amount, one.payer.full_name if one.payer else ""), _page("payment", one.uuid))
        for one in rows
    }


def _attempts(wanted: set[UUID]) -> dict[UUID, Named]:
    rows = Attempt.objects.filter(uuid__in=wanted).select_related("invoice__payer")
    return {
        one.uuid: (_sum(one.amount, one.invoice.payer.full_name), _page("invoice", one.invoice.uuid))
        for one in rows
    }


def _sum(amount: Decimal, who: str) -> str:
    euros = format_euros(amount)
    return _("de %(amount)s, %(who)s") % {"amount": euros, "who": who} if who else euros


def _deposits(wanted: set[UUID]) -> dict[UUID, Named]:
    return {
        one.uuid: (one.label, _page("deposit", one.uuid)) for one in Deposit.objects.filter(uuid__in=wanted)
    }


def _findings(wanted: set[UUID]) -> dict[UUID, Named]:
    rows = Finding.objects.filter(uuid__in=wanted).select_related("invoice")
    return {
        one.uuid: (one.get_kind_display(), _page("invoice", one.invoice.uuid) if one.invoice else "")
        for one in rows
    }


def _trials(wanted: set[UUID]) -> dict[UUID, Named]:
    rows = TestPayment.objects.filter(uuid__in=wanted).select_related("product")
    return {
        one.uuid: (
            _sum(one.amount, one.product.full_label),
            reverse("backoffice:regie", args=[one.product_id]),
        )
        for one in rows
    }


def _statements(wanted: set[UUID]) -> dict[UUID, Named]:
    rows = Statement.objects.filter(uuid__in=wanted).only("uuid", "name")
    return {one.uuid: (one.name, _page("statement", one.uuid)) for one in rows}


def _statement_rows(wanted: set[UUID]) -> dict[UUID, Named]:
    rows = StatementRow.objects.filter(uuid__in=wanted).select_related("statement")
    said = _("n° %(number)s de %(file)s")
    return {
        one.uuid: (said % {"number": one.number, "file": one.statement.name}, _page("line", one.uuid))
        for one in rows
    }


def _payers(wanted: set[UUID]) -> dict[UUID, Named]:
    rows = Payer.objects.filter(uuid__in=wanted).only("uuid", "title", "first_name", "last_name", "reference")
    return {one.uuid: (one.full_name, _page("payer", one.uuid)) for one in rows}


def _access_requests(wanted: set[UUID]) -> dict[UUID, Named]:
    rows = AccessRequest.objects.filter(uuid__in=wanted).select_related("payer")
    return {
        one.uuid: (one.payer.full_name, _page("claim", one.uuid)) if one.payer else (one.number, "")
        for one in rows
    }


def _sources(wanted: set[UUID]) -> dict[UUID, Named]:
    return {one.uuid: (one.name, _page("source", one.uuid)) for one in Source.objects.filter(uuid__in=wanted)}


def _messages(wanted: set[UUID]) -> dict[UUID, Named]:
    """Facts name the first message of a thread, or one of its messages."""
    rows = Message.objects.filter(uuid__in=wanted).select_related("thread")
    of = {one.uuid: one.thread or one for one in rows.defer("body", "thread__body")}
    return {uuid: (root.subject, _page("message", root.uuid)) for uuid, root in of.items()}


def _mails(wanted: set[UUID]) -> dict[UUID, Named]:
    return {
        one.uuid: (one.subject, "")
        for one in OutgoingMail.objects.filter(uuid__in=wanted).only("uuid", "subject")
    }


READERS: dict[str, Reader] = {
    "account": _accounts,
    "attempt": _attempts,
    "batch": _batches,
    "claim": _access_requests,
    "deposit": _deposits,
    "finding": _findings,
    "invoice": _invoices,
    "line": _statement_rows,
    "mail": _mails,
    "message": _messages,
    "payer": _payers,
    "payment": _payments,
    "source": _sources,
    "statement": _statements,
    "trial": _trials,
}
OF_TOWNS = {*READERS, "product"}  # each of which has words here
PLATFORMS = {"town", "operation"}  # kinds of the operator's trail, which no town has
