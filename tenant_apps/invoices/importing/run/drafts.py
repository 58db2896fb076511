"""What a reading found → drafts, in a few SQL statements. Residents see nothing of it before the publication.

The rows go by COPY into temporary tables of the session while the file is read, so that memory does not grow with it.
`write` makes drafts of them in one transaction; without it nothing is written.
"""

import json
from collections.abc import Collection, Iterator
from types import TracebackType
from typing import Any, Self

from django.db import connection, transaction

from tenant_apps.invoices.importing.people.matching import Finding
from tenant_apps.invoices.importing.run.chunks import Chunk
from tenant_apps.invoices.importing.run.pdfs import Pdfs
from tenant_apps.invoices.models import Batch
from tenant_apps.invoices.states import OnlineHold
from tenant_apps.residents.models import Payer

_TABLES = {
    "importing_rows": (
        "line integer, product_id bigint, payer text, number text, fiscal_year smallint, reference text, subject text,"
        " issued_on date, due_on date, amount numeric(10,2), online_hold text, debit_on date, document uuid"
    ),
    "importing_people": (
        "seq bigserial, code text, line integer, said jsonb, was jsonb, is_new boolean, changes boolean, asks text,"
        " reasons jsonb, like_id bigint, like_code text"
    ),
    "importing_known": (
        "line integer, invoice_id bigint, was jsonb, becomes jsonb, moves_to text, payer_before bigint, document uuid,"
        " document_before bigint, is_late boolean, credit numeric(10,2), credit_name text, cancels boolean,"
        " reason text, asks boolean"
    ),
}
_COLUMNS = {
    name: [part.split()[0] for part in columns.replace("numeric(10,2)", "numeric").split(",")]
    for name, columns in _TABLES.items()
}
_COLUMNS["importing_people"].remove("seq")

_PAYERS = """
INSERT INTO residents_payer (uuid, source_id, reference, also_written, is_draft, title, last_name, first_name, address,
                             postcode, city)
SELECT gen_random_uuid(), %(source)s, code, '[]', true, '', '', '', '', '', ''
  FROM (SELECT DISTINCT code FROM importing_people WHERE is_new ORDER BY code) AS new
ON CONFLICT (source_id, reference) DO NOTHING
"""
# A later chunk knows all that the earlier rows of the same payer said. A question that is asked again in the same
# words keeps its answer.
_UPDATES = """
INSERT INTO invoices_payerupdate (batch_id, payer_id, line, said, was, is_new, changes, asks, reasons, looks_like_id,
                                  answer, answered_by, answered_at)
SELECT %(batch)s, p.id, u.line, u.said, u.was, u.is_new, u.changes, u.asks, u.reasons, coalesce(u.like_id, l.id),
       coalesce(a.answer, ''), coalesce(a.answered_by, ''), a.answered_at
  FROM (SELECT DISTINCT ON (code) * FROM importing_people ORDER BY code, seq DESC) AS u
  JOIN residents_payer AS p ON p.source_id = %(source)s AND p.reference = u.code
  LEFT JOIN residents_payer AS l ON l.source_id = %(source)s AND l.reference = u.like_code
  LEFT JOIN importing_answers AS a ON a.payer_id = p.id AND u.asks <> '' AND a.asks = u.asks AND a.said = u.said
       AND a.was = u.was AND a.reasons = u.reasons
       AND a.looks_like_id IS NOT DISTINCT FROM coalesce(u.like_id, l.id)
 ORDER BY u.line
"""
_INVOICES = """
INSERT INTO invoices_invoice (uuid, batch_id, product_id, payer_id, number, fiscal_year, reference, subject, issued_on,
                              due_on, online_hold, debit_on, amount, credited, paid, state, document_id)
SELECT gen_random_uuid(), %(batch)s, r.product_id, p.id, r.number, r.fiscal_year, r.reference, r.subject, r.issued_on,
       r.due_on, r.online_hold, r.debit_on, r.amount, 0, 0, 'draft', d.id
  FROM importing_rows AS r
  JOIN residents_payer AS p ON p.source_id = %(source)s AND p.reference = r.payer
  LEFT JOIN invoices_document AS d ON d.uuid = r.document
 ORDER BY r.line
"""
_AMENDMENTS = """
INSERT INTO invoices_amendment (batch_id, invoice_id, line, was, becomes, payer_id, payer_before_id, document_id,
                                document_before_id, credit, credit_name, cancels, reason, asks, answer, answered_by,
                                answered_at)
SELECT %(batch)s, k.invoice_id, k.line, k.was, k.becomes, p.id, k.payer_before, d.id, k.document_before, k.credit,
       k.credit_name, k.cancels, k.reason, k.asks, coalesce(a.answer, ''), coalesce(a.answered_by, ''), a.answered_at
  FROM importing_known AS k
  LEFT JOIN residents_payer AS p ON p.source_id = %(source)s AND p.reference = k.moves_to
  LEFT JOIN invoices_document AS d ON d.uuid = k.document
  LEFT JOIN importing_agreed AS a ON a.invoice_id = k.invoice_id AND k.asks AND a.was = k.was AND a.becomes = k.becomes
       AND a.payer_id IS NOT DISTINCT FROM p.id AND a.document_id IS NOT DISTINCT FROM d.id
 WHERE NOT k.is_late
 ORDER BY k.line
"""
_LATE = """
UPDATE invoices_document AS d SET late_for = k.ids
  FROM (SELECT document, jsonb_agg(invoice_id ORDER BY invoice_id) AS ids FROM importing_known
         WHERE is_late GROUP BY document) AS k
 WHERE d.uuid = k.document
"""
_KEPT = {
    "importing_answers": "SELECT payer_id, asks, said, was, reasons, looks_like_id, answer, answered_by, answered_at"
    " FROM invoices_payerupdate WHERE batch_id = %(batch)s AND applied_at IS NULL AND answer <> ''",
    "importing_agreed": "SELECT invoice_id, was, becomes, payer_id, document_id, answer, answered_by, answered_at"
    " FROM invoices_amendment WHERE batch_id = %(batch)s AND applied_at IS NULL AND answer <> ''",
}


_REPEATED = """
SELECT line, number, reference, first FROM (
  SELECT line, number, reference, least(min(line) OVER (PARTITION BY product_id, fiscal_year, number),
                                        min(line) OVER (PARTITION BY product_id, reference)) AS first
    FROM importing_rows) AS r
 WHERE line > first ORDER BY line
"""


class Drafts:
    """The rows of one reading. Enter it before the drafts of an earlier reading are dropped: answers are kept."""

    def __init__(self, batch: Batch) -> None:
        self._names: dict[str, Any] = {"batch": batch.pk, "source": batch.source_id}

    def __enter__(self) -> Self:
        with connection.cursor() as cursor:
            _drop(cursor)
            for name, columns in _TABLES.items():
                cursor.execute(f"CREATE TEMPORARY TABLE {name} ({columns})")
            for name, query in _KEPT.items():
                cursor.execute(f"CREATE TEMPORARY TABLE {name} AS {query}", self._names)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or connection.is_usable():
            with connection.cursor() as cursor:
                _drop(cursor)

    def add(self, chunk: Chunk, pdfs: Pdfs | None) -> None:
        """Keep the rows of a chunk."""
        documents = pdfs.document_of if pdfs else _no_document
        _copy(
            "importing_rows",
            (
                (
                    row.line,
                    candidate.product.pk,
                    row.payer,
                    row.number,
                    row.fiscal_year,
                    row.reference,
                    row.subject,
                    row.issued_on,
                    row.due_on,
                    row.amount,
                    OnlineHold.DEBIT.value if row.by_debit else "",
                    row.debit_on,
                    documents(candidate.document),
                )
                for row, candidate in ((candidate.row, candidate) for candidate in chunk.new)
            ),
        )
        _copy("importing_people", (_person(code, finding) for code, finding in chunk.people.items()))
        _copy(
            "importing_known",
            (
                (
                    known.line,
                    known.invoice.pk,
                    json.dumps(known.was),
                    json.dumps(known.becomes),
                    known.moves_to or None,
                    known.invoice.payer_id if known.moves_to else None,
                    documents(known.document) if known.is_late or known.replaces_document else None,
                    known.invoice.document_id if known.replaces_document else None,
                    known.is_late and not known.amends,
                    known.credit,
                    known.credit_name,
                    known.cancels,
                    known.reason[:300],
                    known.asks,
                )
                for known in chunk.known
                if known.amends or known.is_late
            ),
        )

    def refuse(self, *, codes: Collection[str], lines: Collection[int]) -> list[tuple[Any, ...]]:
        """Take away the rows of these payers and of these lines; returns (line, number, payer, amount) of each."""
        if not codes and not lines:
            return []
        of: dict[str, Any] = {"codes": list(codes), "lines": list(lines)}
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM importing_people WHERE code = ANY(%(codes)s)", of)
            cursor.execute(
                "DELETE FROM importing_known WHERE line = ANY(%(lines)s) OR moves_to = ANY(%(codes)s)", of
            )
            cursor.execute(
                "DELETE FROM importing_rows WHERE payer = ANY(%(codes)s) OR line = ANY(%(lines)s)"
                " RETURNING line, number, payer, amount",
                of,
            )
            return sorted(cursor.fetchall())

    def repeated(self) -> list[tuple[int, str, str, int]]:
        """Rows that repeat the number or the payment reference of an earlier row of the same régie.

        (line, number, reference, line of the first). The file may name one régie in two ways.
        """
        with connection.cursor() as cursor:
            cursor.execute(_REPEATED)
            return list(cursor.fetchall())

    @transaction.atomic
    def write(self) -> None:
        """Make drafts of the rows. A new payer is a draft without a name; the publication fills it in."""
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(_TABLES)}")
            for statement in (_PAYERS, _UPDATES, _INVOICES, _AMENDMENTS, _LATE):
                cursor.execute(statement, self._names)
            # The publication joins what was just written: without figures the planner takes nested loops.
            cursor.execute(
                "ANALYZE residents_payer, invoices_payerupdate, invoices_invoice, invoices_amendment"
            )


def _no_document(_key: str | None) -> None:
    return None


def _person(code: str, finding: Finding) -> tuple[Any, ...]:
    like = finding.looks_like
    return (
        code,
        finding.person.line,
        json.dumps(finding.person.said, ensure_ascii=False),
        json.dumps(finding.was, ensure_ascii=False),
        finding.payer is None,
        finding.changes,
        str(finding.asks),
        json.dumps(finding.reasons, ensure_ascii=False),
        like.pk if isinstance(like, Payer) else None,
        like if isinstance(like, str) else None,
    )


def _copy(table: str, rows: Iterator[tuple[Any, ...]]) -> None:
    columns = ", ".join(_COLUMNS[table])
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _drop(cursor: Any) -> None:
    for name in (*_TABLES, *_KEPT):
        cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{name}")
