"""What we lean on inside django-tenants and tenant-schemas-celery, so that a new version is read before it is taken.

These are not public promises of theirs. When a version changes, read the code that this file names, then move it on.
"""

import inspect
from importlib.metadata import version

from celery import Celery
from django.db import connection
from django_tenants.models import TenantMixin
from django_tenants.postgresql_backend import base
from tenant_schemas_celery.app import CeleryApp
from tenant_schemas_celery.task import TenantTask, headers_with_schema

from tenants.databases.postgresql.base import DatabaseWrapper
from tenants.work.town_tasks import TownTask


def test_the_versions_that_were_read() -> None:
    assert (version("django-tenants"), version("tenant-schemas-celery")) == ("4.0.1", "5.0.0")


def test_the_backend_that_ours_stands_on() -> None:
    """`set_tenant` and `set_schema` name the schema; the search path is set when a cursor is opened."""
    assert issubclass(DatabaseWrapper, base.DatabaseWrapper)
    theirs = base.DatabaseWrapper
    assert list(inspect.signature(theirs.set_tenant).parameters) == ["self", "tenant", "include_public"]
    assert list(inspect.signature(theirs.set_schema).parameters)[:3] == [
        "self",
        "schema_name",
        "include_public",
    ]
    for name in ("set_schema_to_public", "set_settings_schema", "_cursor"):
        assert callable(getattr(theirs, name))
    assert "search_path_set_schemas" in inspect.getsource(theirs)  # carried from one connection to the other
    assert callable(base._check_schema_name)  # a migration names it


def test_the_models_and_tasks_that_ours_stand_on() -> None:
    assert TenantMixin.auto_create_schema is True
    assert {"auto_create_schema", "auto_drop_schema"} <= set(vars(TenantMixin))
    assert issubclass(TownTask, TenantTask)
    assert issubclass(CeleryApp, Celery)
    assert (
        headers_with_schema({})["_schema_name"] == connection.schema_name
    )  # the header that carries the schema
