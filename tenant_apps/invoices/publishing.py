"""Drafts become visible, set by set: a handful of statements whatever the number of invoices."""

from django.db import connection

from tenant_apps.invoices.locking import hold_invoices
from tenant_apps.invoices.models import Batch, Invoice
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.residents import billing

# What billing says of its payers counts from the publication on, the last row of a payer winning.
_PAYERS = """
UPDATE residents_payer AS p
   SET title = s.staged->>'title', last_name = s.staged->>'last_name', first_name = s.staged->>'first_name',
       address = s.staged->>'address', postcode = s.staged->>'postcode', city = s.staged->>'city'
  FROM (SELECT DISTINCT ON (payer_id) payer_id, staged FROM invoices_invoice
         WHERE batch_id = %(batch)s AND state = 'draft' AND staged ? 'last_name' ORDER BY payer_id, id DESC) AS s
 WHERE s.payer_id = p.id
"""
# A payer of whom the file says nothing (it has no column of addresses) is not among them.
_EMAILS = """
SELECT i.payer_id, array_remove(array_agg(DISTINCT e.email), NULL)
  FROM invoices_invoice AS i LEFT JOIN LATERAL jsonb_array_elements_text(i.staged->'emails') AS e(email) ON true
 WHERE i.batch_id = %(batch)s AND i.state = 'draft' AND i.staged ? 'emails' GROUP BY i.payer_id
"""
_INVOICES = """
UPDATE invoices_invoice SET state = 'published', published_at = now(), staged = '{}'
 WHERE batch_id = %(batch)s AND state = 'draft'
"""


def said_emails(batch: Batch) -> dict[int, list[str]]:
    """What the drafts of `batch` say of their payers' addresses: id → addresses, all its rows together."""
    with connection.cursor() as cursor:
        cursor.execute(_EMAILS, {"batch": batch.pk})
        return dict(cursor.fetchall())


def publish_drafts(batch: Batch) -> int:
    """Publish every draft of `batch` in the caller's transaction; returns how many."""
    if batch.published_at:  # seen before: somebody may hold some of them, in the order of the ids
        hold_invoices(Invoice.objects.filter(batch=batch, state=InvoiceState.DRAFT))
    with connection.cursor() as cursor:
        cursor.execute(_PAYERS, {"batch": batch.pk})
        billing.replace_emails(said_emails(batch), actor=batch.created_by, about=f"batch:{batch.uuid}")
        cursor.execute(_INVOICES, {"batch": batch.pk})
        return int(cursor.rowcount)
