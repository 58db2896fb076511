"""What is measured. Each figure stands beside a peer or a limit measured in the same run."""

import io
import statistics
import time
from collections.abc import Callable
from uuid import uuid4

from django.db import connection, transaction
from django_tenants.utils import tenant_context

from benchmarks.listing import list_page
from sandbox import samples
from tenant_apps.invoices import processing
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.services import create_batch
from tenant_apps.townhall.services import set_up_product, set_up_townhall
from tenants.migrating import migrate_towns
from tenants.models import Town
from tenants.services import open_town


def line(name: str, ours: float, beside: float, goal: str, what: str) -> str:
    """One figure in seconds, in the fixed form; the ratio says how many times faster ours is."""
    return f"{name} ours={ours:.3f} beside={beside:.3f} unit=s ratio={beside / ours:.2f} goal={goal} ({what})"


def timed(act: Callable[[], object]) -> float:
    """Seconds of wall clock."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def open_a_town() -> str:
    """A copy of the template beside django-tenants' own way: create the schema, run every migration."""
    migrate_towns()

    def theirs() -> None:
        town = Town(slug=f"p{uuid4().hex[:10]}", name="x", schema_name=f"t_p{uuid4().hex[:10]}")
        town.save()
        town.create_schema(check_if_exists=True, verbosity=0)

    ours = statistics.median(
        timed(lambda: open_town(slug=f"o{uuid4().hex[:10]}", name="x")) for _ in range(9)
    )
    beside = statistics.median(timed(theirs) for _ in range(3))
    return line("open_town", ours, beside, ">=8", "django-tenants create_schema on the same apps")


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


FIGURES: dict[str, Callable[[], str]] = {
    "open_town": open_a_town,
    "import_3000": import_3000,
    "list_page": list_page,
}
