"""The template schema, and towns copied from it as one batch of SQL (docs/scale.md §1)."""

import re

from django.db import connection, transaction

from tenants.current import current_shard, in_shard
from tenants.errors import TemplateMissing
from tenants.models import SchemaSnapshot
from tenants.schema import blueprint, versions

TEMPLATE = "zz_town_template_zz"
SCHEMA_NAME = re.compile(r"t_[a-z0-9_]{1,60}")


def keep_snapshot() -> None:
    """Keep the SQL of the template, which `migrating` has just migrated."""
    wanted = versions.wanted()
    SchemaSnapshot.objects.update_or_create(
        version=wanted.version,
        defaults={"sql": blueprint.sql_of(TEMPLATE), "migrations": list(wanted.names)},
    )


def copy_template(schema: str) -> str:
    """Make `schema`, a copy of this shard's template, in the caller's transaction. Returns the schema's version.

    Raises TemplateMissing when no template was built here for the code's migrations.
    """
    if not SCHEMA_NAME.fullmatch(schema):
        raise ValueError(f"{schema!r} is not the name of a town's schema")
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("copy_template wants the caller's transaction")
    snapshot = SchemaSnapshot.objects.filter(version=versions.wanted().version).first()
    if snapshot is None:
        raise TemplateMissing(
            f"Le schéma modèle de la base « {current_shard()} » n'est pas à jour : "
            "lancez « manage.py migrate_towns »."
        )
    with connection.cursor() as cursor:
        # No parameters: psycopg sends one batch, and reads no placeholder in it.
        cursor.cursor.execute(snapshot.sql.replace(TEMPLATE, schema))
    return snapshot.version


def version_of_schema(schema: str) -> str:
    """The version that a schema is at, from its own table."""
    with in_shard(current_shard(), schema):
        return versions.version_of(versions.applied_names())
