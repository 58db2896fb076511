"""Make drafts visible, with a few SQL statements whatever the number of invoices."""

from django.db import connection
from django.db.models import Q, QuerySet

from tenant_apps.invoices.locking import lock_without_reading
from tenant_apps.invoices.models import Batch, Document, Invoice
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.residents.emails import billing

# True when what the batch was checked against has changed, because another import was published since: the name or
# address of a payer shown to the clerk, a payer that was new, a payer that looks like a new one, or a PDF. Or because
# the town has closed a product or changed its number since.
_CHANGED = """
SELECT EXISTS (
  SELECT 1 FROM invoices_payerupdate AS u
    JOIN residents_payer AS p ON p.id = CASE WHEN u.is_new THEN u.looks_like_id ELSE u.payer_id END
   WHERE u.batch_id = %(batch)s AND u.applied_at IS NULL
     AND (u.was->>'last_name' <> p.last_name OR u.was->>'first_name' <> p.first_name OR u.was->>'title' <> p.title
          OR u.was->>'address' <> p.address OR u.was->>'postcode' <> p.postcode OR u.was->>'city' <> p.city)
) OR EXISTS (
  SELECT 1 FROM invoices_payerupdate AS u
    JOIN residents_payer AS p ON p.id = u.payer_id
   WHERE u.batch_id = %(batch)s AND u.applied_at IS NULL AND u.is_new AND NOT p.is_draft
) OR EXISTS (
  SELECT 1 FROM invoices_payerupdate AS u
    JOIN residents_payer AS p ON p.id = u.payer_id
    JOIN residents_payer AS q ON q.source_id = p.source_id AND NOT q.is_draft AND q.id <> p.id
         AND ltrim(lower(q.reference), '0') = ltrim(lower(p.reference), '0')
    LEFT JOIN residents_payer AS l ON l.id = u.looks_like_id
   WHERE u.batch_id = %(batch)s AND u.applied_at IS NULL AND u.is_new AND (l.id IS NULL OR l.is_draft)
) OR EXISTS (
  SELECT 1 FROM invoices_payerupdate AS u
    JOIN residents_payer AS p ON p.id = u.payer_id
    JOIN residents_payer AS q ON q.source_id = p.source_id AND q.also_written <> '[]' AND q.also_written ? p.reference
   WHERE u.batch_id = %(batch)s AND u.applied_at IS NULL AND u.is_new AND q.id IS DISTINCT FROM u.looks_like_id
) OR EXISTS (
  SELECT 1 FROM (
      SELECT i.payer_id, i.document_id FROM invoices_invoice AS i
       WHERE i.batch_id = %(batch)s AND i.state = 'draft' AND i.document_id IS NOT NULL
       UNION ALL
      SELECT i.payer_id, l.id
        FROM invoices_document AS l, jsonb_array_elements_text(l.late_for) AS late(id)
        JOIN invoices_invoice AS i ON i.id = late.id::bigint
       WHERE l.batch_id = %(batch)s
    ) AS mine
    JOIN invoices_document AS d ON d.id = mine.document_id
    JOIN invoices_document AS e ON e.sha256 = d.sha256
    JOIN invoices_invoice AS theirs ON theirs.document_id = e.id AND theirs.payer_id <> mine.payer_id
         AND theirs.state = 'published'
    LEFT JOIN invoices_payerupdate AS u ON u.batch_id = %(batch)s AND u.payer_id = mine.payer_id
   WHERE theirs.payer_id IS DISTINCT FROM u.looks_like_id
) OR EXISTS (
  SELECT 1 FROM invoices_invoice AS i
    JOIN products_product AS t ON t.id = i.product_id
   WHERE i.batch_id = %(batch)s AND i.state = 'draft' AND t.ended_at IS NOT NULL
)
"""
# What the file says about which payer. A code that a person recognised as another spelling belongs to that payer.
_SAID = """
WITH said AS (
  SELECT CASE WHEN b.borrowed THEN u.looks_like_id ELSE u.payer_id END AS payer_id, u.said, u.line, b.borrowed
    FROM invoices_payerupdate AS u, LATERAL (
         SELECT u.answer = 'same' AND u.looks_like_id IS NOT NULL AS borrowed) AS b
   WHERE u.batch_id = %(batch)s AND u.applied_at IS NULL
)
"""
_MERGED = """
UPDATE invoices_invoice AS i SET payer_id = u.looks_like_id
  FROM invoices_payerupdate AS u
 WHERE u.batch_id = %(batch)s AND u.applied_at IS NULL AND u.answer = 'same' AND u.looks_like_id IS NOT NULL
   AND i.batch_id = %(batch)s AND i.state = 'draft' AND i.payer_id = u.payer_id
"""
_ALIASES = """
UPDATE residents_payer AS p SET also_written = p.also_written || found.codes
  FROM (SELECT u.looks_like_id AS payer_id, jsonb_agg(q.reference ORDER BY q.reference) AS codes
          FROM invoices_payerupdate AS u JOIN residents_payer AS q ON q.id = u.payer_id
          JOIN residents_payer AS l ON l.id = u.looks_like_id
         WHERE u.batch_id = %(batch)s AND u.applied_at IS NULL AND u.answer = 'same'
           AND NOT l.also_written ? q.reference
         GROUP BY u.looks_like_id) AS found
 WHERE p.id = found.payer_id
"""
_MERGED_MOVES = """
UPDATE invoices_amendment AS m SET payer_id = u.looks_like_id
  FROM invoices_payerupdate AS u
 WHERE u.batch_id = %(batch)s AND u.applied_at IS NULL AND u.answer = 'same' AND u.looks_like_id IS NOT NULL
   AND m.batch_id = %(batch)s AND m.applied_at IS NULL AND m.payer_id = u.payer_id
"""
# A column that the file lacks changes nothing. The payer's own row wins over the row of a recognised code.
_PAYERS = """
UPDATE residents_payer AS p
   SET title = coalesce(s.said->>'title', p.title), last_name = coalesce(s.said->>'last_name', p.last_name),
       first_name = coalesce(s.said->>'first_name', p.first_name), address = coalesce(s.said->>'address', p.address),
       postcode = coalesce(s.said->>'postcode', p.postcode), city = coalesce(s.said->>'city', p.city), is_draft = false
  FROM (SELECT DISTINCT ON (payer_id) payer_id, said FROM said ORDER BY payer_id, borrowed, line DESC) AS s
 WHERE s.payer_id = p.id
"""
# Payers about whom the file says nothing (no column of addresses) are left out.
_EMAILS = """
SELECT s.payer_id, array_remove(array_agg(DISTINCT e.email), NULL)
  FROM said AS s LEFT JOIN LATERAL jsonb_array_elements_text(s.said->'emails') AS e(email) ON true
 WHERE s.said ? 'emails' GROUP BY s.payer_id
"""
_DOCUMENTS = """
UPDATE invoices_invoice AS i SET document_id = d.id
  FROM invoices_document AS d, jsonb_array_elements_text(d.late_for) AS late(id)
 WHERE d.batch_id = %(batch)s AND i.id = late.id::bigint AND i.document_id IS NULL
"""
# Keep the rows that changed or asked something, for people to read; delete the others.
_SPOKEN = """
DELETE FROM invoices_payerupdate WHERE batch_id = %(batch)s AND applied_at IS NULL AND NOT changes AND asks = ''
"""
_APPLIED = (
    "UPDATE invoices_payerupdate SET applied_at = now() WHERE batch_id = %(batch)s AND applied_at IS NULL"
)
_INVOICES = """
UPDATE invoices_invoice SET state = 'published', published_at = now() WHERE batch_id = %(batch)s AND state = 'draft'
"""


def has_changed(batch: Batch) -> bool:
    """Whether what `batch` was checked against has changed since. The caller holds the lock of its source."""
    with connection.cursor() as cursor:
        cursor.execute(_CHANGED, {"batch": batch.pk})
        return bool(cursor.fetchone()[0])


def said_emails(batch: Batch) -> dict[int, list[str]]:
    """Payer id → e-mail addresses that `batch` gives, all its rows together."""
    with connection.cursor() as cursor:
        cursor.execute(_SAID + _EMAILS, {"batch": batch.pk})
        return dict(cursor.fetchall())


def publish_drafts(batch: Batch) -> int:
    """Publish every draft of `batch` in the caller's transaction; returns how many.

    E-mail addresses come first: what is given because of an address locks payers after it (residents.emails.billing).
    """
    billing.replace_emails(said_emails(batch), actor=batch.created_by, about=f"batch:{batch.uuid}")
    seen = Q(pk__in=[pk for late in _late(batch) for pk in late.late_for])
    # they were visible once: a payment may hold some of them, so lock them in the order of their ids
    if batch.published_at:
        seen |= Q(batch=batch, state=InvoiceState.DRAFT)
    lock_without_reading(Invoice.objects.filter(seen))
    steps = (_MERGED, _MERGED_MOVES, _ALIASES, _SAID + _PAYERS, _DOCUMENTS, _SPOKEN, _APPLIED, _INVOICES)
    with connection.cursor() as cursor:
        for statement in steps:
            cursor.execute(statement, {"batch": batch.pk})
        return int(cursor.rowcount)


def detach_late_documents(batch: Batch) -> None:
    """Remove the PDFs that `batch` attached to invoices of other imports, in the caller's transaction."""
    attached = Invoice.objects.filter(document__in=_late(batch)).exclude(batch=batch)
    lock_without_reading(attached)
    attached.update(document=None)


def _late(batch: Batch) -> QuerySet[Document]:
    return Document.objects.filter(batch=batch).exclude(late_for=[])
