"""What an import costs."""

import io
import resource
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
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
from tenants.models import Town
from tenants.schema.migrating import migrate_towns


def import_3000() -> str:
    """Check, stage and publish 3,000 invoices beside the limit: one bare bulk insert of the same rows."""
    migrate_towns()
    with tenant_context(_a_town()):
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


def import_100000() -> str:
    """100,000 rows from the file to published, beside raw COPY of the same records into an empty town."""
    migrate_towns()
    town = _a_town()
    with tenant_context(town), tempfile.TemporaryFile() as rows:
        samples.write_csv(samples.batch(100_000), rows)
        rows.seek(0)
        batch = create_batch(actor="system", rows_file=rows, rows_name="f.csv", publish_when_ready=True)
        ours = timed(lambda: processing.process_batch(batch=batch))
        batch.refresh_from_db()
        assert (batch.state, batch.new_count) == ("published", 100_000), batch.state
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        beside = _copied_into(_a_town(), town)
    what = f"raw COPY of its 100,000 invoices, payers, addresses; peak memory of the process {memory} MB"
    return line("import_100000", ours, beside, ">=0.33", what)


# What an import writes, in an order that the foreign keys allow.
_WRITTEN = (
    "residents_payer",
    "residents_payeremail",
    "invoices_batch",
    "invoices_payerupdate",
    "invoices_invoice",
)


def _copied_into(empty: Town, full: Town) -> float:
    """Seconds that COPY takes for the same records. What the import has deleted since is not copied."""
    with ExitStack() as files, connection.cursor() as cursor:
        tables = []
        for name in _WRITTEN:
            kept = files.enter_context(tempfile.TemporaryFile())
            with cursor.copy(f'COPY "{full.schema_name}".{name} TO STDOUT (FORMAT binary)') as out:
                for data in out:
                    kept.write(data)
            kept.seek(0)
            tables.append((f'"{empty.schema_name}".{name}', kept))
        cursor.execute(f'TRUNCATE "{empty.schema_name}".residents_payer CASCADE')

        def copy() -> None:
            with transaction.atomic():
                for name, kept in tables:
                    with cursor.copy(f"COPY {name} FROM STDIN (FORMAT binary)") as into:
                        while data := kept.read(256 * 1024):
                            into.write(data)

        return timed(copy)


def _a_town() -> Town:
    town = open_town(slug=f"i{uuid4().hex[:10]}", name="Essai")
    with tenant_context(town):
        set_up_townhall(actor="system", name="Essai", contact_email="x@example.org")
        set_up_product(actor="system", code="REGIE", label="Régie", is_default=True)
    return town


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


FIGURES: dict[str, Callable[[], str]] = {"import_3000": import_3000, "import_100000": import_100000}
