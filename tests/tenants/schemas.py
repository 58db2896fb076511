"""What PostgreSQL says a schema is."""

import re

from django.db import connection

_QUERIES = {
    "columns": "SELECT table_name, column_name, data_type, character_maximum_length, column_default, is_nullable "
    "FROM information_schema.columns WHERE table_schema = %s",
    "constraints": "SELECT c.relname, k.conname, pg_get_constraintdef(k.oid), k.condeferrable, k.condeferred "
    "FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid "
    "JOIN pg_namespace n ON n.oid = k.connamespace WHERE n.nspname = %s",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = %s",
    "triggers": "SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON "
    "c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT t.tgisinternal AND n.nspname = %s",
    "sequences": "SELECT c.relname, s.seqtypid::regtype, s.seqstart, s.seqincrement FROM pg_sequence s "
    "JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s",
    "functions": "SELECT proname, prosrc FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
    "WHERE n.nspname = %s",
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
