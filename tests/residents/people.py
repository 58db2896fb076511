"""A resident about whom the town knows everything that it can know."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils import timezone

from shared_apps.accounts.models import Account, Link, LinkPurpose, SecondFactor
from shared_apps.audit import services as audit
from shared_apps.privacy import personal
from tenant_apps.contact.services import send_message
from tenant_apps.invoices.models import Credit, Invoice
from tenant_apps.notices.models import PlannedNotice
from tenant_apps.payments.books.ledger import write_receipt, write_refund
from tenant_apps.payments.models import Attempt, AttemptEvent, Declaration, Finding, Payment, Refund
from tenant_apps.payments.online.moves import move
from tenant_apps.payments.states import AttemptState
from tenant_apps.products.queries import default_product
from tenant_apps.residents.models import Access, AccessRequest, Payer, PayerEmail, RemovedEmail
from toolkit.secrecy.sealing import seal

EMAIL, OLD = "camille.unique@example.net", "camille.jadis@example.net"


@dataclass(frozen=True)
class Known:
    """Their account, the payer they share with Bob, a paid invoice and one that is not."""

    account: Account
    payer: Payer
    paid: Invoice
    open: Invoice
    attempt: Attempt


def known_in_and_out(make_account: Callable[..., Account], make_payer: Any, make_invoice: Any) -> Known:
    """A row of hers in every table that may hold one; Bob's beside, who shares her payer."""
    account, bob = make_account(EMAIL), make_account("bob@example.net")
    account.devices = {"m": {"browser": "Firefox", "system": "Android", "since": _now(), "seen": _now()}}
    account.save()
    payer = make_payer(account, bob, email="bob@example.net", city="Pechabou")
    PayerEmail.objects.create(payer=payer, email=EMAIL)  # billing's
    PayerEmail.objects.create(payer=payer, email=OLD, source="account")
    other = make_payer()
    for email, by in ((EMAIL, "account:staff"), (OLD, "")):  # taken away by staff, and by billing
        RemovedEmail.objects.create(
            payer=other, email=email, source="import", removed_at=timezone.now(), removed_by=by
        )
    Access.objects.filter(account=account).update(through=EMAIL)
    SecondFactor.objects.create(account=account, secret=seal("SECRET"), confirmed_at=timezone.now())
    Link.objects.create(purpose=LinkPurpose.REGRET, email=OLD, account=account, handled_at=timezone.now())
    Link.objects.create(purpose=LinkPurpose.RESET, email=EMAIL)
    paid, open_ = make_invoice(payer), make_invoice(payer, amount="12.00")
    Credit.objects.create(invoice=open_, amount="3", amount_before="15", reason="Repas", made_by="system")
    attempt = _attempt(account, paid)
    payment = _pay(attempt)
    refund = Refund.objects.create(
        payment=payment,
        amount="1",
        refunded_on=paid.due_on,
        means="transfer",
        reason="Trop",
        recorded_by="system",
    )
    refund.refresh_from_db()
    write_refund(refund, actor="system")
    Declaration.objects.create(invoice=open_, account=account)
    for writer, subject in ((account, "Question"), (None, "En visite")):
        send_message(actor=writer, email=EMAIL, subject=subject, body=f"Signé {EMAIL}", invoice=open_)
    AccessRequest.objects.create(
        state="withdrawn", account=account, payer=payer, email=EMAIL, invoice=paid.uuid, number=paid.number
    )
    send_message(actor=bob, email=bob.email, subject="De Bob", body="Bonjour de Bob")
    for email in (EMAIL, OLD, bob.email):
        PlannedNotice.objects.create(
            kind="receipt", key=f"receipt:x:{email}", email=email, subject_uuid=payment.uuid
        )
    audit.record("account.seen", actor="account:someone-of-staff", obj=account.audit_name)
    return Known(account, payer, paid, open_, attempt)


def _now() -> str:
    return timezone.now().isoformat()


def _attempt(account: Account, invoice: Invoice) -> Attempt:
    product = default_product()
    return Attempt.objects.create(
        invoice=invoice,
        account=account,
        product=product,
        provider="payfip",
        merchant=product.numcli,
        fiscal_year="2026",
        reference=invoice.reference,
        label="Facture",
        amount=Decimal("38.50"),
        email=account.email,
        mode="W",
        operation="00000000-secret-idop",
        free_at=timezone.now(),
    )


def _pay(attempt: Attempt) -> Payment:
    """The Treasury said yes, and repeated the address in its answer."""
    raw = {"mel": attempt.email, "resultrans": "P"}
    move(attempt, AttemptState.STARTED, source="start")
    attempt.outcome, attempt.answer = "paid_card", raw
    move(attempt, AttemptState.PAID, source="poller", raw=raw)
    Finding.objects.create(kind="differs", key="k", attempt=attempt, details=raw, last_at=timezone.now())
    payment = Payment.objects.create(
        attempt=attempt,
        product=attempt.product,
        provider="payfip",
        provider_reference=attempt.operation or "",
        means="card",
        amount="38.50",
        paid_on=attempt.invoice.issued_on,
        payer=attempt.invoice.payer,
        recorded_by="system",
    )
    share = payment.allocations.create(invoice=attempt.invoice, amount=attempt.invoice.amount)
    payment.refresh_from_db()
    write_receipt(payment, [share])
    assert AttemptEvent.objects.filter(attempt=attempt, raw__mel=EMAIL).exists()
    return payment


def where_is(*words: str) -> set[tuple[str, str]]:
    """(table, column) of the current schema, whatever its type, where one of `words` is found."""
    found = set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
        )
        for table, column in cursor.fetchall():
            for word in words:
                cursor.execute(
                    f'SELECT 1 FROM "{table}" WHERE "{column}"::text ILIKE %s LIMIT 1', [f"%{word}%"]
                )
                if cursor.fetchone():
                    found.add((table, column))
    return found


def may_stay() -> set[tuple[str, str]]:
    """What was declared with a reason."""
    models, said = personal.town_models(), personal.declared()
    return {
        (models[label]._meta.db_table, column)
        for label, declaration in said.items()
        for column in declaration.keeps
    }
