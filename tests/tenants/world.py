"""What a town is, seen from outside of the code that carries it: rows, sequences, files, registry."""

import hashlib
import uuid
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Account, Role
from shared_apps.audit import services as audit
from shared_apps.mail.models import OutgoingMail
from shared_apps.treasury import services as treasury
from tenant_apps.invoices.models import Batch, Document, Invoice
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.payments.models import Allocation, Payment
from tenant_apps.products.queries import default_product
from tenant_apps.residents.models import Access, Payer
from tenant_apps.residents.sources import default_source
from tenants.current import REGISTRY, in_shard
from tenants.databases import direct
from tenants.models import Domain, Erasure, Town
from tenants.shards import public_rows, rows
from tenants.work import agenda
from toolkit.files import objects
from toolkit.files.storage import document_key, upload_key

LEFT_OUT = "django_session"


def text_of(schema: str, shard: str = REGISTRY) -> dict[str, Any]:
    """Every table's rows as COPY gives them, and every sequence."""
    found: dict[str, Any] = {}
    with direct.snapshot(shard, schema) as server:
        for table in rows.tables(server):
            pieces: list[bytes] = []
            rows.copy_out(server, table, pieces.append)
            found[table.name] = b"".join(pieces)
        found["sequences"] = rows.sequences(server)
    return found


def public_text_of(town: Town) -> dict[str, bytes]:
    """Its rows of the public schema."""
    found = {}
    with direct.snapshot(town.shard, "public") as server:
        for table in public_rows.tables():
            pieces: list[bytes] = []
            public_rows.copy_out(server, table, town.pk, pieces.append)
            found[table.name] = b"".join(pieces)
    return found


def files_of(town: uuid.UUID) -> dict[str, str]:
    """Key → sha256 of every object of the town."""
    return {
        key: hashlib.sha256(b"".join(objects.read(key))).hexdigest()
        for key, _size in objects.listed(f"{town}/")
    }


def whole(town: Town) -> tuple[Any, ...]:
    """All that an archive must bring back, byte for byte."""
    text = text_of(town.schema_name, town.shard)
    text.pop(LEFT_OUT)
    with in_shard(REGISTRY):
        found = Town.objects.filter(pk=town.pk).values().get()
        hosts = list(
            Domain.objects.filter(tenant=town).order_by("domain").values("domain", "is_primary", "kind")
        )
    for key in ("id", "state", "shard"):
        del found[key]
    return text, public_text_of(town), files_of(town.uuid), found, hosts


def platform() -> tuple[Any, ...]:
    """What a refusal must leave as it was: schemas, registry, certificates, files."""
    with in_shard(REGISTRY):
        with connection.cursor() as cursor:
            cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1")
            schemas = cursor.fetchall()
        return (
            schemas,
            list(Town.objects.order_by("pk").values()),
            list(Domain.objects.order_by("pk").values()),
            list(Erasure.objects.order_by("pk").values()),
            [item.key for item in objects.bucket().objects.all()],
        )


def furnish(town: Town, *, invoices: int = 3) -> None:
    """People, invoices with their PDF, money, an import that was given up, mail that waits, a session."""
    with tenant_context(town):
        alice = Account.objects.create(email="alice@example.net", role=Role.RESIDENT, password="x\t\\N\n«é»")
        payer = Payer.objects.create(
            source=default_source(), reference="P1", last_name="D'ÉTÉ", first_name="Alice"
        )
        Access.objects.create(account=alice, payer=payer)
        batch = Batch.objects.create(
            source=payer.source, created_by="system", format="csv", rows_name="f.csv", rows_key=""
        )
        batch.rows_key = upload_key(town=town.uuid, batch=batch.uuid, name="rows.csv")
        batch.documents_key = upload_key(town=town.uuid, batch=batch.uuid, name="gone.zip")
        batch.save()
        storages["documents"].save(batch.rows_key, ContentFile(b"numero;montant\n"))
        for n in range(invoices):
            name = uuid.uuid4()
            key = document_key(town=town.uuid, year=2026, document=name)
            content = f"%PDF {n} {name}".encode() * 50
            storages["documents"].save(key, ContentFile(content))
            document = Document.objects.create(
                uuid=name, batch=batch, key=key, sha256="0" * 64, size=len(content), pages=1
            )
            invoice = Invoice.objects.create(
                product=default_product(),
                payer=payer,
                number=f"2026-{n:05}",
                fiscal_year=2026,
                reference=f"2026{n:05}",
                subject="Cantine\nd'octobre",
                issued_on=date(2026, 10, 1),
                due_on=date(2026, 12, 31),
                amount=Decimal("37.50"),
                state=InvoiceState.PUBLISHED,
                document=document,
            )
        payment = Payment.objects.create(
            product=invoice.product,
            provider="counter",
            provider_reference="1",
            means="cash",
            amount=Decimal("12.30"),
            paid_on=date(2026, 11, 1),
            recorded_by="system",
        )
        Allocation.objects.create(payment=payment, invoice=invoice, amount=Decimal("12.30"))
        OutgoingMail.objects.create(
            kind="receipt",
            to="alice@example.net",
            subject="Reçu",
            text="…",
            html="…",
            next_try_at=timezone.now(),
        )
        Session.objects.create(
            session_key=uuid.uuid4().hex, session_data="x", expire_date=timezone.now() + timedelta(days=1)
        )
        treasury.add_route(kind="payfip", token=f"of {town.slug}")
        with transaction.atomic():
            audit.record("payment.received_for_the_test", actor="system", obj=f"payment:{payment.uuid}")
            agenda.plan("mail", timezone.now() + timedelta(days=300))


def answer_of(slug: str) -> int:
    """What a browser gets at the town's address."""
    from tenants.hosts import registry

    registry.forget()
    return Client(headers={"host": f"{slug}.localhost"}).get("/").status_code
