"""Settling a paid answer beside the limit: the same rows locked, changed and written as bare SQL."""

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from uuid import uuid4

import psycopg
from django.db import connection
from django.utils import timezone
from django_tenants.utils import tenant_context
from psycopg.types.json import Json

from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.payments.models import Attempt
from tenant_apps.payments.online.settling import settle
from tenant_apps.payments.providers.base import Outcome, Status
from tenant_apps.products.models import Mode, Product, Protocol
from tenant_apps.products.services import set_up_product
from tenant_apps.residents.models import Payer
from tenant_apps.residents.sources import default_source
from tenant_apps.townhall.services import set_up_townhall
from tenants.life.services import open_town
from tenants.models import Town
from tenants.schema.migrating import migrate_towns
from tenants.work import agenda

WARM, PAIRS = 20, 300
AMOUNT = Decimal("37.50")
RAW = {"resultrans": "P", "montant": "3750", "numcli": "001964", "numauto": "112233", "saisie": "W"}


def settle_paid() -> str:
    """`settle()` on started attempts beside the transaction written by hand; both commit every time."""
    migrate_towns()
    town = open_town(slug=f"s{uuid4().hex[:10]}", name="Essai")
    with tenant_context(town):
        set_up_townhall(actor="system", name="Essai", contact_email="x@example.org")
        product = set_up_product(
            actor="system",
            code="REGIE",
            label="Régie",
            numcli="001964",
            protocol=Protocol.PAYFIP,
            mode=Mode.PRODUCTION,
            is_default=True,
        )
        attempts, bare = _attempts(product), _bare(town)
        ours, beside = [], []
        with agenda.gathered():  # as the poller does: the worker is told once, at the end
            for n in range(WARM + PAIRS):  # in turns, so that a busy machine weighs on both
                took = (_seconds(_ours, next(attempts)), _seconds(bare, next(attempts)))
                if n >= WARM:
                    ours.append(took[0])
                    beside.append(took[1])
    a, b = 1 / statistics.median(ours), 1 / statistics.median(beside)
    return (
        f"settle ours={a:.0f} beside={b:.0f} unit=settles/s ratio={a / b:.2f} goal=>=0.5 "
        f"(the same transaction as bare SQL on one connection, median of {PAIRS} in turns)"
    )


def _seconds(act: Callable[[Attempt], object], attempt: Attempt) -> float:
    start = time.perf_counter()
    act(attempt)
    return time.perf_counter() - start


def _ours(attempt: Attempt) -> None:
    status = Status(
        Outcome.PAID_CARD,
        amount=attempt.amount,
        reference=attempt.reference,
        numcli=attempt.numcli,
        mode=attempt.mode,
        authorization="112233",
        raw=RAW,
    )
    settle(attempt_id=attempt.pk, status=status, source="poller")


def _bare(town: Town) -> Callable[[Attempt], None]:
    """Everything that `settle` leaves behind, in as few statements as it can be said one after the other."""
    raw: psycopg.Connection = connection.connection

    def act(attempt: Attempt) -> None:
        with raw.transaction(), raw.cursor() as cursor:
            run = cursor.execute
            run("SELECT amount, paid FROM invoices_invoice WHERE id = %s FOR UPDATE", [attempt.invoice_id])
            run("SELECT state, amount FROM payments_attempt WHERE id = %s FOR UPDATE", [attempt.pk])
            run(
                "UPDATE payments_attempt SET state = 'paid', reason = '', last_answer = %s, checks = checks + 1, "
                "next_check_at = NULL, settled_at = now() WHERE id = %s",
                [Json(RAW), attempt.pk],
            )
            run(
                "INSERT INTO payments_attemptevent (attempt_id, at, source, old, new, note, raw) "
                "VALUES (%s, now(), 'poller', 'started', 'paid', '', %s)",
                [attempt.pk, Json(RAW)],
            )
            payment = uuid4()
            run(
                "INSERT INTO payments_payment (uuid, attempt_id, product_id, payer_id, provider, provider_reference, "
                'means, amount, paid_on, "authorization", bank, number, drawer, unallocated, recorded_at, '
                "recorded_by, cancelled_by, cancel_reason) VALUES (%s, %s, %s, %s, 'payfip', %s, 'card', %s, %s, "
                "'112233', '', '', '', 0, now(), 'treasury', '', '') RETURNING id",
                [
                    *(payment, attempt.pk, attempt.product_id, attempt.invoice.payer_id),
                    *(attempt.idop, attempt.amount),
                    date.today(),  # noqa: DTZ011
                ],
            )
            row = cursor.fetchone()
            run(
                "INSERT INTO payments_allocation (payment_id, invoice_id, amount) VALUES (%s, %s, %s)",
                [row[0] if row else None, attempt.invoice_id, attempt.amount],
            )
            run(
                "INSERT INTO payments_ledgerline (payment_id, invoice_id, nature, day, amount, recorded_at, "
                "recorded_by) VALUES (%s, %s, 'received', %s, %s, now(), 'treasury')",
                [
                    *(row[0] if row else None, attempt.invoice_id, date.today()),  # noqa: DTZ011
                    attempt.amount,
                ],
            )
            run(
                "INSERT INTO audit_entry (at, actor, verb, object, old, new) VALUES "
                "(now(), 'treasury', 'payment.received', %s, '{}', %s)",
                [f"payment:{payment}", Json({"amount": str(attempt.amount)})],
            )
            run(
                "INSERT INTO alerts_alert (kind, key, email, language, subject_uuid, created_at) "
                "VALUES ('receipt', %s, %s, 'fr', %s, now())",
                [f"receipt:{payment}:{attempt.email}", attempt.email, payment],
            )
            run(
                "INSERT INTO public.tenants_agendaitem (town_id, kind, due_at) VALUES (%s, 'alerts', %s) ON CONFLICT "
                "(town_id, kind) DO UPDATE SET due_at = LEAST(tenants_agendaitem.due_at, EXCLUDED.due_at)",
                [town.pk, timezone.now()],
            )

    return act


def _attempts(product: Product) -> Iterator[Attempt]:
    """Started attempts on invoices of their own, as many as are asked for."""
    payer = Payer.objects.create(
        source=default_source(), reference="P1", last_name="MARTIN", first_name="Camille"
    )
    for n in count(1):
        invoice = Invoice.objects.create(
            product=product,
            payer=payer,
            number=f"2026-{n:06}",
            fiscal_year=2026,
            reference=f"2026{n:010}",
            subject="Essai",
            issued_on=date(2026, 10, 1),
            due_on=date(2026, 12, 31),
            amount=AMOUNT,
            state=InvoiceState.PUBLISHED,
        )
        yield Attempt.objects.create(
            invoice=invoice,
            product=product,
            provider="payfip",
            state="started",
            numcli="001964",
            fiscal_year="2026",
            reference=invoice.reference,
            label="Facture",
            amount=AMOUNT,
            email=f"a{n}@example.net",
            mode="W",
            idop=str(uuid4()),
            started_at=timezone.now(),
            free_at=timezone.now() + timedelta(hours=2),
        )


FIGURES: dict[str, Callable[[], str]] = {"settle": settle_paid}
