"""The town that the connection is on. django-tenants keeps it there; here it has a type."""

from typing import Any, cast

from django.db import connection

from tenants.models import Town

PUBLIC = "public"


def current_schema() -> str:
    """The schema that statements run in."""
    return str(cast(Any, connection).schema_name)


def current_town() -> Town:
    """The town of the current schema. Raises LookupError on the public one: there is no town there."""
    town = cast(Any, connection).tenant
    if not isinstance(town, Town):
        raise LookupError(f"no town is current (schema {current_schema()})")
    return town


def enter(town: Town) -> None:
    """Stay on that town's schema until told otherwise; only the middleware does this."""
    cast(Any, connection).set_tenant(town)


def leave() -> None:
    """Back to the public schema."""
    cast(Any, connection).set_schema_to_public()
