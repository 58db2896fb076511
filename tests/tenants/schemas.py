"""What PostgreSQL says a schema is."""

import re

from django.db import connection

_QUERIES = {
    "columns": "SELECT c.relname, attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, "
    "attcollation::regcollation, pg_get_expr(adbin, adrelid), col_description(c.oid, attnum) "
    "FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
    "LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum "
    "WHERE n.nspname = %s AND c.relkind = 'r' AND attnum > 0 AND NOT attisdropped",
    "tables": "SELECT relname, reloptions, obj_description(c.oid) FROM pg_class c "
    "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND relkind = 'r'",
    "constraints": "SELECT c.relname, k.conname, pg_get_constraintdef(k.oid), k.condeferrable, k.condeferred "
    "FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid "
    "JOIN pg_namespace n ON n.oid = k.connamespace WHERE n.nspname = %s",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = %s",
    "triggers": "SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON "
    "c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT t.tgisinternal AND n.nspname = %s",
    "sequences": "SELECT c.relname, s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, "
    "s.seqcycle, d.deptype, d.refobjid::regclass FROM pg_sequence s "
    "JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_depend d "
    "ON d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') WHERE n.nspname = %s",
    "functions": "SELECT proname, pg_get_functiondef(p.oid) FROM pg_proc p "
    "JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = %s",
}


def description(schema: str) -> dict[str, list[str]]:
    """Columns, constraints, indexes, triggers, sequences and functions, without the schema's own name."""
    found = {}
    with connection.cursor() as cursor:
        for name, query in _QUERIES.items():
            cursor.execute(query, [schema])
            found[name] = sorted(_plain(str(line), schema) for line in cursor.fetchall())
    return found


def _plain(definition: str, schema: str) -> str:
    """PostgreSQL prints a schema by whether it is in the search path, and casts again what it read back."""
    return re.sub(r"::(text|character varying)(\[\])?|[()\[\]]", "", definition.replace(f"{schema}.", ""))
