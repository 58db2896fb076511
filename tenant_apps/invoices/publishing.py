"""Drafts become visible, set by set: a handful of statements whatever the number of invoices."""

from django.db import connection

from tenant_apps.invoices.models import Batch

# What billing says of its payers counts from the publication on, the last row of a payer winning.
_PAYERS = """
UPDATE residents_payer AS p
   SET title = s.staged->>'title', last_name = s.staged->>'last_name', first_name = s.staged->>'first_name',
       address = s.staged->>'address', postcode = s.staged->>'postcode', city = s.staged->>'city'
  FROM (SELECT DISTINCT ON (payer_id) payer_id, staged FROM invoices_invoice
         WHERE batch_id = %(batch)s AND state = 'draft' AND staged ? 'last_name' ORDER BY payer_id, id DESC) AS s
 WHERE s.payer_id = p.id
"""
_EMAILS = """
INSERT INTO residents_payeremail (payer_id, email, source, added_at)
SELECT DISTINCT i.payer_id, e.email, 'import', now()
  FROM invoices_invoice AS i, jsonb_array_elements_text(i.staged->'emails') AS e(email)
 WHERE i.batch_id = %(batch)s AND i.state = 'draft' AND i.staged ? 'emails'
ON CONFLICT (payer_id, email) DO NOTHING
"""
# A resident who activated an account sees the payers that billing names under that address from now on;
# an access that was ever given, also one that staff cut, is left alone.
_ACCESSES = """
INSERT INTO residents_access (account_id, payer_id, granted_at)
SELECT DISTINCT a.id, e.payer_id, now()
  FROM residents_payeremail AS e
  JOIN accounts_account AS a ON a.email = e.email AND a.role = 'resident' AND a.activated_at IS NOT NULL
 WHERE e.payer_id IN (SELECT payer_id FROM invoices_invoice WHERE batch_id = %(batch)s)
   AND NOT EXISTS (SELECT 1 FROM residents_access AS x WHERE x.account_id = a.id AND x.payer_id = e.payer_id)
ON CONFLICT DO NOTHING
"""
_INVOICES = """
UPDATE invoices_invoice SET state = 'published', published_at = now(), staged = '{}'
 WHERE batch_id = %(batch)s AND state = 'draft'
"""


def publish_drafts(batch: Batch) -> int:
    """Publish every draft of `batch` in the caller's transaction; returns how many."""
    with connection.cursor() as cursor:
        for statement in (_PAYERS, _EMAILS, _ACCESSES, _INVOICES):
            cursor.execute(statement, {"batch": batch.pk})
        return int(cursor.rowcount)
