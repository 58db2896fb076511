"""A town with everything twice: one régie whose every word is marked, and another of the same kind beside it."""

import io
import json
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model

from shared_apps.accounts.models import Account, Role
from shared_apps.accounts.services import create_account
from shared_apps.audit.models import AuditEntry
from shared_apps.mail.models import OutgoingMail
from shared_apps.privacy.personal import town_models
from tenant_apps.contact.files.attachments import Attachment
from tenant_apps.contact.services import send_message
from tenant_apps.invoices import services as invoices
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.models import Amendment, Batch, Document, Invoice, PayerUpdate
from tenant_apps.payments.control.findings import report
from tenant_apps.payments.models import Attempt, Declaration, FindingKind, Means, Payment
from tenant_apps.payments.services import CounterRow, PaymentDetails, book_payment, close_deposit
from tenant_apps.products.models import Product
from tenant_apps.products.queries import default_product
from tenant_apps.products.services import limit_member, set_up_product
from tenant_apps.reconciliation.models import Statement, StatementRow
from tenant_apps.reconciliation.statements import processing as reading
from tenant_apps.reconciliation.statements.services import ask_import, receive_statement
from tenant_apps.residents.models import Access, AccessRequest, Payer, PayerEmail
from toolkit import clock

TITLES = "Numéro;Date;Échéance;Montant;Objet;Exercice;Code redevable;Nom;Prénom;E-mail;Régie\r\n"
JOURNAL = "Date;Montant;idOp;Référence;Autorisation;numcli;Moyen\n"


class Side:
    """Everything that one régie may have. Each word, number and address of it holds `mark`; amounts end in `cents`."""

    def __init__(self, mark: str, *, product: Product | None = None, cents: str, numcli: str) -> None:
        self.mark, self.cents = mark, cents
        self.product = product or set_up_product(
            actor="system",
            code=mark,
            label=f"Régie {mark}",
            numcli=numcli,
            protocol="payfip",
            contact_email=f"regie@{mark.lower()}.example",
        )
        self.own_clerk = create_account(
            actor="system", email=f"clerk@{mark.lower()}.example", role=Role.CLERK
        )
        limit_member(actor="system", account=self.own_clerk, products=[self.product])
        self.resident = create_account(
            actor="system", email=f"resident@{mark.lower()}.example", role=Role.RESIDENT
        )
        self.batch = self._import()
        self.invoice, self.second, self.third = self.batch.invoices.order_by("id")
        self.payer: Payer = self.invoice.payer
        Access.objects.create(account=self.resident, payer=self.payer)
        self._money()
        self._people()
        self._reconciliation()

    def _import(self) -> Batch:
        """An import that is online, with a question that was answered."""
        rows = "".join(
            f"{self.mark}-{n};01/10/2026;31/12/2026;10{n},{self.cents};Objet {self.mark};2026;{self.mark}1;"
            f"{self.mark};Jeanne;payer@{self.mark.lower()}.example;{self.product.code}\r\n"
            for n in (1, 2, 3)
        )
        batch = invoices.create_batch(
            actor="system",
            rows_file=io.BytesIO((TITLES + rows).encode()),
            rows_name=f"{self.mark}.csv",
        )
        processing.process_waiting()
        invoices.publish_batch(actor="system", batch=batch)
        processing.process_waiting()
        batch.refresh_from_db()
        assert batch.state == "published", list(batch.problems.values_list("message", flat=True))
        asked, _new = PayerUpdate.objects.update_or_create(
            batch=batch,
            payer=batch.invoices.all()[0].payer,
            defaults={"line": 2, "asks": "person", "applied_at": clock.now()},
        )
        self.asked = asked.pk
        self.amended = Amendment.objects.create(batch=batch, invoice=batch.invoices.all()[0], line=2).pk
        document = Document.objects.create(
            key=f"{self.mark}.pdf", sha256=self.cents * 32, size=1, pages=1, batch=batch
        )
        batch.invoices.update(document=document)
        return batch

    def _money(self) -> None:
        day, five = date(2026, 11, 2), Decimal("5.00")
        details = PaymentDetails(
            bank=f"Banque {self.mark}", number=f"{self.mark}7", drawer=f"Tireur {self.mark}"
        )

        def cheque(invoice: Invoice, received: str) -> Payment:
            payment, _new = book_payment(
                actor="system",
                lines=[CounterRow(invoice, five)],
                means=Means.CHEQUE,
                paid_on=day,
                received=Decimal(received),
                details=details,
            )
            return payment

        self.payment = cheque(self.invoice, f"6.{self.cents}")
        self.deposit = close_deposit(
            actor="system", means=Means.CHEQUE, payments=[self.payment.uuid], deposited_on=day
        )
        self.in_drawer = cheque(self.invoice, f"7.{self.cents}")
        self.attempt = Attempt.objects.create(
            invoice=self.second,
            account=self.resident,
            product=self.product,
            provider="payfip",
            merchant=self.product.numcli,
            fiscal_year="2026",
            reference=self.second.reference,
            label=f"Facture {self.mark}",
            amount=self.second.amount,
            email=self.resident.email,
            mode="W",
            state="review",
            free_at=clock.now(),
        )
        self.finding = report(
            FindingKind.CLAIM,
            about=self.mark,
            attempt=self.attempt,
            details={"detail": f"Détail {self.mark}"},
        )
        self.closed = report(
            FindingKind.CLOSED, about=f"{self.mark}2", product=self.product, details={"detail": self.mark}
        )
        self.declaration = Declaration.objects.create(invoice=self.third, account=self.resident)

    def _people(self) -> None:
        self.message = send_message(
            actor=self.resident,
            email=self.resident.email,
            subject=f"Question {self.mark}",
            body=f"Merci {self.mark}",
            invoice=self.invoice,
            attachments=[Attachment(f"{self.mark}.pdf", "pdf", b"%PDF-")],
        )
        self.mail = OutgoingMail.objects.get(key=f"contact:{self.message.uuid}")
        OutgoingMail.objects.filter(pk=self.mail.pk).update(state="failed", problem="address")
        asks = create_account(actor="system", email=f"claim@{self.mark.lower()}.example", role=Role.RESIDENT)
        self.access_request = AccessRequest.objects.create(
            state="waiting",
            account=asks,
            payer=self.payer,
            email=asks.email,
            invoice=self.invoice.uuid,
            number=self.invoice.number,
        )
        Payer.objects.filter(pk=self.payer.pk).update(
            access_requests_locked_until=clock.now() + timedelta(days=10)
        )

    def _reconciliation(self) -> None:
        """A journal that the régie's own clerk sent, read to its end, and one that waits for its columns."""
        line = f"02/11/2026;123,{self.cents};;{self.mark}999;{self.mark}8;{self.product.numcli};CB\n"
        self.statement = self._sent(f"journal-{self.mark}.csv", JOURNAL + line)
        ask_import(actor=self.own_clerk, statement=self.statement, mapping=self.statement.mapping)
        reading.process_waiting()
        self.statement.refresh_from_db()
        assert self.statement.state == "done", self.statement.problem
        self.line: StatementRow = self.statement.rows.get()
        self.waiting = self._sent(f"colonnes-{self.mark}.csv", JOURNAL + line + line)

    def _sent(self, name: str, text: str) -> Statement:
        found, new = receive_statement(
            actor=self.own_clerk, kind="journal", file=io.BytesIO(text.encode()), name=name
        )
        assert new
        return found

    def public_id(self, thing: str) -> UUID:
        """Of what a route is about (`THINGS`)."""
        found: UUID = getattr(self, thing).uuid
        return found

    def signs(self) -> list[str]:
        """What gives it away on a page or in a file: its mark, its cents, its public ids."""
        things = (
            *(self.batch, self.invoice, self.second, self.third, self.payer, self.payment, self.in_drawer),
            *(
                self.deposit,
                self.attempt,
                self.finding,
                self.closed,
                self.declaration,
                self.message,
                self.mail,
            ),
            *(self.access_request, self.statement, self.waiting, self.line, self.resident),
        )
        return [self.mark.lower(), f",{self.cents}", *(str(one.uuid) for one in things)]


def regie_a() -> Side:
    """The town's default régie, and its things."""
    return Side("ABEILLE", product=default_product(), cents="11", numcli="001964")


def regie_b() -> Side:
    """The other one."""
    return Side("BALEINE", cents="83", numcli="001977")


def limited(account: Account, side: Side) -> Account:
    """A member of staff who works for that régie only."""
    limit_member(actor="system", account=account, products=[side.product])
    account.refresh_from_db()
    return account


def everything_written() -> str:
    """Every row of the town, and of its trail and its outbox, but for its sessions."""
    own: list[type[Model]] = [
        model for label, model in sorted(town_models().items()) if label != "sessions.Session"
    ]
    rows = {
        model._meta.label: list(model._default_manager.order_by("pk").values())
        for model in {*own, Account, AuditEntry, OutgoingMail, PayerEmail}
    }
    return json.dumps(rows, cls=DjangoJSONEncoder, sort_keys=True, default=str)
