"""The SQL that recreates a schema, tables and rows, read from the server's catalogues (decision 48).

It needs no client program, which might be older than the server. It refuses what it cannot express, instead of
making half a copy.
Every look-up starts from the schema's own objects, so thousands of other schemas do not slow it down.
"""

from collections.abc import Iterator
from typing import Any, LiteralString

from psycopg.types.numeric import Oid

from tenants.current import current_shard
from tenants.databases import direct
from tenants.databases.direct import Server
from tenants.errors import TemplateMissing

_OBJECTS = """
SELECT classid = 'pg_proc'::regclass, coalesce(relkind, ''), objid
FROM pg_depend LEFT JOIN pg_class c ON classid = 'pg_class'::regclass AND c.oid = objid
WHERE refclassid = 'pg_namespace'::regclass AND refobjid = to_regnamespace(%(schema)s) AND deptype = 'n'
"""
_OPTIONS = """
format('START WITH %%s INCREMENT BY %%s MINVALUE %%s MAXVALUE %%s CACHE %%s',
    s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache) || CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END
"""
_REFUSED = """
SELECT pg_describe_object(classid, objid, 0) FROM pg_depend
WHERE refclassid = 'pg_namespace'::regclass AND refobjid = to_regnamespace(%(schema)s) AND deptype = 'n' AND NOT (
    classid = 'pg_class'::regclass AND objid IN (SELECT oid FROM pg_class WHERE relkind IN ('r', 'S'))
    OR classid = 'pg_proc'::regclass AND objid IN (SELECT oid FROM pg_proc WHERE prokind IN ('f', 'p')))
UNION ALL
SELECT oid::regclass::text FROM pg_class WHERE oid = ANY(%(tables)s) AND (
    relpersistence <> 'p' OR relreplident <> 'd' OR relrowsecurity OR relforcerowsecurity OR reloftype <> 0
    OR relhasrules OR reltablespace <> 0 OR relam <> (SELECT oid FROM pg_am WHERE amname = 'heap')
    OR oid IN (SELECT inhrelid FROM pg_inherits))
UNION ALL
SELECT format('%%s.%%s', attrelid::regclass, attname) FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE attrelid = ANY(%(tables)s) AND attnum > 0 AND NOT attisdropped AND (
    attstorage <> typstorage OR attcompression <> '' OR attoptions IS NOT NULL OR attgenerated NOT IN ('', 's'))
UNION ALL
SELECT conrelid::regclass::text || '.' || conname FROM pg_constraint
WHERE conrelid = ANY(%(tables)s) AND contype NOT IN ('n', 'p', 'u', 'x', 'c', 'f', 't')
UNION ALL
SELECT tgrelid::regclass::text || '.' || tgname FROM pg_trigger
WHERE tgrelid = ANY(%(tables)s) AND NOT tgisinternal AND tgenabled <> 'O'
UNION ALL
SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY(%(tables)s) AND (
    i.indisclustered OR i.indisreplident OR NOT i.indisvalid OR c.reltablespace <> 0)
UNION ALL
SELECT pg_describe_object(classoid, objoid, objsubid) FROM pg_description
WHERE objoid = ANY(%(tables)s) AND classoid <> 'pg_class'::regclass
"""

# Each query returns statements without semicolons, in the order in which they must run.
_BEFORE_ROWS = (
    "SELECT pg_get_functiondef(oid) FROM unnest(%(functions)s) AS oid ORDER BY oid",
    # The sequences of identity columns are created with the columns.
    """
SELECT format('CREATE SEQUENCE %%s AS %%s ', seqrelid::regclass, format_type(seqtypid, NULL)) || <options>
FROM pg_sequence s WHERE seqrelid = ANY(%(sequences)s) AND NOT EXISTS (
    SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = seqrelid AND deptype = 'i')
ORDER BY seqrelid
""".replace("<options>", _OPTIONS),
    """
SELECT format('CREATE TABLE %%s (%%s)%%s', c.oid::regclass, (
    SELECT string_agg(concat_ws(' ', quote_ident(attname), format_type(atttypid, atttypmod),
        CASE WHEN attcollation <> typcollation THEN 'COLLATE ' || attcollation::regcollation END,
        CASE WHEN attgenerated = 's' THEN format('GENERATED ALWAYS AS (%%s) STORED', pg_get_expr(adbin, adrelid))
             WHEN adbin IS NOT NULL THEN 'DEFAULT ' || pg_get_expr(adbin, adrelid) END,
        (SELECT format('GENERATED %%s AS IDENTITY (SEQUENCE NAME %%s ', CASE attidentity WHEN 'a' THEN 'ALWAYS'
             ELSE 'BY DEFAULT' END, seqrelid::regclass) || <options> || ')'
         FROM pg_sequence s JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid
             AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'i'
         WHERE d.refobjid = attrelid AND d.refobjsubid = attnum AND attidentity <> ''),
        CASE WHEN attnotnull THEN (SELECT format('CONSTRAINT %%I ', conname) FROM pg_constraint
             WHERE conrelid = attrelid AND contype = 'n' AND conkey = ARRAY[attnum]) END,
        CASE WHEN attnotnull THEN 'NOT NULL' END), ', ' ORDER BY attnum)
    FROM pg_attribute JOIN pg_type t ON t.oid = atttypid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
    ' WITH (' || array_to_string(c.reloptions, ', ') || ')')
FROM pg_class c WHERE c.oid = ANY(%(tables)s) ORDER BY c.oid
""".replace("<options>", _OPTIONS),
    """
SELECT format('ALTER SEQUENCE %%s OWNED BY %%s.%%I', objid::regclass, attrelid::regclass, attname)
FROM pg_depend d JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'a'
AND objid = ANY(%(sequences)s) AND refobjid = ANY(%(tables)s) ORDER BY objid
""",
)
_CONSTRAINTS = """
SELECT format('ALTER TABLE %%s %%s', conrelid::regclass, string_agg(
    format('ADD CONSTRAINT %%I %%s', conname, pg_get_constraintdef(oid)), ', ' ORDER BY contype DESC, oid))
FROM pg_constraint WHERE conrelid = ANY(%(tables)s) AND contype IN <kinds> GROUP BY conrelid ORDER BY conrelid
"""
_AFTER_ROWS = (
    """
SELECT format('SELECT setval(%%L, %%s)', s.seqrelid::regclass, pg_sequence_last_value(s.seqrelid))
FROM pg_sequence s WHERE seqrelid = ANY(%(sequences)s)
AND pg_sequence_last_value(s.seqrelid) IS NOT NULL ORDER BY seqrelid::regclass::text
""",
    _CONSTRAINTS.replace("<kinds>", "('p', 'u', 'x', 'c')"),
    """
SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = ANY(%(tables)s) AND NOT EXISTS (
    SELECT FROM pg_constraint WHERE conrelid = indrelid AND conindid = indexrelid AND contype IN ('p', 'u', 'x'))
ORDER BY indexrelid
""",
    _CONSTRAINTS.replace("<kinds>", "('f')"),
    "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = ANY(%(tables)s) AND NOT tgisinternal ORDER BY oid",
    """
SELECT CASE WHEN objsubid = 0 THEN format('COMMENT ON TABLE %%s IS %%L', objoid::regclass, description)
    ELSE format('COMMENT ON COLUMN %%s.%%I IS %%L', objoid::regclass, attname, description) END
FROM pg_description LEFT JOIN pg_attribute ON attrelid = objoid AND attnum = objsubid AND attnum > 0
WHERE classoid = 'pg_class'::regclass AND objoid = ANY(%(tables)s) ORDER BY objoid, objsubid
""",
)
_COLUMNS = """
SELECT attrelid::regclass::text, array_agg(quote_ident(attname) ORDER BY attnum) FROM pg_attribute
WHERE attrelid = ANY(%(tables)s) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
GROUP BY attrelid ORDER BY attrelid
"""


def sql_of(schema: str) -> str:
    """All statements that recreate `schema` of the current database as committed; each names the schema in full.

    Raises TemplateMissing when the schema holds something unsupported (a view, a type, a policy…).
    """
    with direct.snapshot(current_shard(), schema) as server:
        server.execute("SET search_path = ''")  # then PostgreSQL prints the schema of every name
        names = _names(server, schema)
        refused = _lines(server, _REFUSED, names)
        if refused:
            raise TemplateMissing(
                "Le schéma modèle contient ce que les communes ne sauraient pas recopier : "
                f"{', '.join(sorted(refused))}."
            )
        statements = [f'CREATE SCHEMA "{schema}"']
        for query in _BEFORE_ROWS:
            statements += _lines(server, query, names)
        statements += _rows(server, names)
        for query in _AFTER_ROWS:
            statements += _lines(server, query, names)
    return "".join(f"{statement.rstrip()};\n" for statement in statements)


def _names(server: Server, schema: str) -> dict[str, Any]:
    """The ids of the schema and of its objects, so that catalogues are read through their indexes."""
    found: dict[str, list[Oid]] = {"tables": [], "sequences": [], "functions": []}
    for is_function, kind, oid in server.execute(_OBJECTS, {"schema": schema}).fetchall():
        name = "functions" if is_function else {"r": "tables", "S": "sequences"}.get(kind)
        if name:
            found[name].append(Oid(oid))
    return {"schema": schema, **found}


def _lines(server: Server, query: LiteralString, names: dict[str, Any]) -> list[str]:
    return [line for (line,) in server.execute(query, names).fetchall()]


def _rows(server: Server, names: dict[str, Any]) -> Iterator[str]:
    for table, columns in server.execute(_COLUMNS, names).fetchall():
        values = ", ".join(f"quote_nullable({column}::text)" for column in columns)
        # The catalogue returns quoted names.
        found = server.execute(f"SELECT concat_ws(', ', {values}) FROM {table} ORDER BY ctid").fetchall()  # noqa: S608
        rows = ",\n".join(f"({row})" for (row,) in found)
        if rows:
            yield f"INSERT INTO {table} ({', '.join(columns)}) OVERRIDING SYSTEM VALUE VALUES\n{rows}"
