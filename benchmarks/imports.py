"""What an import costs."""

import io
from collections.abc import Callable
from uuid import uuid4

from django.db import connection, transaction
from django_tenants.utils import tenant_context

from benchmarks.lines import line, timed
from sandbox.samples import batch as samples
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.services import create_batch
from tenant_apps.products.services import set_up_product
from tenant_apps.townhall.services import set_up_townhall
from tenants.life.services import open_town
from tenants.schema.migrating import migrate_towns


def import_3000() -> str:
    """Check, stage and publish 3,000 invoices beside the limit: one bare bulk insert of the same rows."""
    migrate_towns()
    town = open_town(slug=f"i{uuid4().hex[:10]}", name="Essai")
    with tenant_context(town):
        set_up_townhall(actor="system", name="Essai", contact_email="x@example.org")
        set_up_product(actor="system", code="REGIE", label="Régie", is_default=True)
        rows, documents = io.BytesIO(), io.BytesIO()
        bills = list(samples.batch(3000))
        samples.write_csv(bills, rows)
        samples.write_zip(bills, documents, "Essai")
        rows.seek(0)
        documents.seek(0)
        batch = create_batch(
            actor="system",
            rows_file=rows,
            rows_name="f.csv",
            documents_file=documents,
            documents_name="f.zip",
            publish_when_ready=True,
        )
        ours = timed(lambda: processing.process_batch(batch=batch))
        beside = timed(_insert_again)
    return line("import_3000", ours, beside, "-", "bulk_create of the same 3,000 rows, no file and no check")


def _insert_again() -> None:
    """The same rows written bare, and taken back."""
    invoices = list(Invoice.objects.all())
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE invoices_invoice DROP CONSTRAINT invoice_once")
            cursor.execute("ALTER TABLE invoices_invoice DROP CONSTRAINT invoice_reference_once")
        for invoice in invoices:
            invoice.pk, invoice.uuid = None, uuid4()
        Invoice.objects.bulk_create(invoices)
        transaction.set_rollback(True)


FIGURES: dict[str, Callable[[], str]] = {"import_3000": import_3000}
