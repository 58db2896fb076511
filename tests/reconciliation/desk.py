"""What the tests of this room share: files of the Treasury, payments, and a file that is read to its end."""

import io
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from django.utils import timezone

from shared_apps.accounts.models import Account
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.books.ledger import write_receipt
from tenant_apps.payments.counter.booking import CounterRow as Part
from tenant_apps.payments.counter.booking import PaymentDetails, book_payment
from tenant_apps.payments.models import Allocation, Attempt, Means, Payment
from tenant_apps.reconciliation.errors import CannotRead
from tenant_apps.reconciliation.models import Statement
from tenant_apps.reconciliation.statements import processing
from tenant_apps.reconciliation.statements.services import ask_import, look_again, receive_statement

DAY = date(2026, 11, 12)
TITLES = "Date;Montant;idOp;Refdet;Numauto;Numcli;Moyen\n"
JOURNAL = "Date;Montant;idOp;Refdet;Résultat\n"


def euros(amount: Decimal) -> str:
    return f"{amount:.2f}".replace(".", ",")


def balance(invoice: Invoice) -> Decimal:
    invoice.refresh_from_db()
    return invoice.balance


def tried(invoice: Invoice, account: Account, state: str = "paid", *, protocol: str = "payfip") -> Attempt:
    return Attempt.objects.create(
        invoice=invoice, account=account, product=invoice.product, provider=protocol, state=state,
        merchant="001964", fiscal_year="2026", reference=invoice.reference, label="Facture", mode="W",
        amount=invoice.amount, email=account.email, free_at=timezone.now(),
        operation=f"op-{invoice.pk}" if protocol == "payfip" else None,
    )  # fmt: skip


def online(invoice: Invoice, account: Account, *, day: date = DAY, protocol: str = "payfip") -> Payment:
    attempt = tried(invoice, account, protocol=protocol)
    payment = Payment.objects.create(
        attempt=attempt, product=attempt.product, provider=protocol,
        provider_reference=attempt.operation or str(attempt.uuid), means=Means.CARD, amount=invoice.amount,
        paid_on=day, recorded_by="treasury", authorization="A1", payer=invoice.payer,
    )  # fmt: skip
    write_receipt(
        payment, [Allocation.objects.create(payment=payment, invoice=invoice, amount=invoice.amount)]
    )
    return payment


def transfer(
    desk: SimpleNamespace, invoice: Invoice, *, number: str = "", means: Means = Means.TRANSFER
) -> Payment:
    return book_payment(
        actor=desk.clerk,
        lines=[Part(invoice, invoice.amount)],
        means=means,
        paid_on=DAY,
        details=PaymentDetails(number=number),
    )[0]


def csv_line(
    invoice: Invoice,
    *,
    idop: str = "",
    amount: str = "",
    day: date = DAY,
    reference: str = "",
    number: str = "A1",
) -> str:
    money = amount or f"{invoice.amount}".replace(".", ",")
    return f"{day:%d/%m/%Y};{money};{idop};{reference or invoice.reference};{number};001964;CB\n"


def paid(invoice: Invoice, state: str, *, idop: str = "", day: date = DAY, sign: str = "") -> str:
    return f"{day:%d/%m/%Y};{sign}{euros(invoice.amount)};{idop};{invoice.reference};{state}\n"


def bring(
    desk: SimpleNamespace, text: str, kind: str = "journal", name: str = "journal.csv", **more: str
) -> Statement:
    """Send a file and let the worker read it to its end, with the guessed columns."""
    file = io.BytesIO(text.encode())
    statement, _new = receive_statement(actor=desk.clerk, kind=kind, file=file, name=name, **more)
    return read(desk, statement)


def read(desk: SimpleNamespace, statement: Statement, **more: Any) -> Statement:
    """Import with the statement's own mapping, or the given one. Raises CannotRead."""
    asked = {"mapping": statement.mapping, **more}
    found = ask_import(actor=desk.clerk, statement=statement, **asked)
    processing.process_waiting()
    found.refresh_from_db()
    if found.problem:
        raise CannotRead(found.problem)
    return found


def read_all() -> None:
    processing.process_waiting()


def again(desk: SimpleNamespace, statement: Statement) -> int:
    """« Chercher de nouveau ». Returns how many more rows are matched."""
    before = statement.rows.filter(state="matched").count()
    look_again(actor=desk.clerk, statement=statement)
    processing.process_waiting()
    statement.refresh_from_db()
    return statement.rows.filter(state="matched").count() - before


def states(statement: Statement) -> list[str]:
    return list(statement.rows.values_list("state", flat=True))
