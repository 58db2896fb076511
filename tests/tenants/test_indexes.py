"""Each index is paid for at every write, in every town and in every connection that met it: none for nothing."""

from collections import defaultdict

from django.db import connection

from tenants.models import Town

_INDEXES = """
SELECT t.relname, c.relname, i.indisunique, pg_get_expr(i.indpred, i.indrelid), i.indexprs IS NOT NULL,
    i.indkey::text, i.indoption::text
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname = current_schema()
"""


def test_no_index_begins_another(town: Town) -> None:
    tables = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_INDEXES)
        for table, *index in cursor.fetchall():
            tables[table].append(index)
    assert len(tables) > 30
    needless = [
        (name, other)
        for indexes in tables.values()
        for name, unique, partial, expression, columns, order in indexes
        for other, _unique, other_partial, other_expression, other_columns, other_order in indexes
        if name != other
        and not (unique or expression or other_expression)
        and partial == other_partial
        and f"{other_columns} ".startswith(f"{columns} ")
        and f"{other_order} ".startswith(f"{order} ")
    ]
    assert needless == []
