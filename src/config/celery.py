"""The Celery application. Every task carries its town's schema in a header and runs in that town (`town_tasks`)."""

import os
from typing import Any, cast

from celery.signals import task_postrun, task_prerun, worker_process_init
from tenant_schemas_celery.app import CeleryApp

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = CeleryApp("mes-factures", task_cls="tenants.work.town_tasks.TownTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@task_prerun.connect(dispatch_uid="config.web.language")
def _speak(task: Any, **_: object) -> None:
    """A task begins in French, whatever the one before it left; what it writes to a person is in that person's."""
    from django.conf import settings
    from django.utils import translation

    if not task.request.is_eager:
        translation.activate(settings.LANGUAGE_CODE)


@task_postrun.connect(dispatch_uid="tenants.leave")
def _leave(task: Any, **_: object) -> None:
    """After the library has left the town: go back to the registry's database too, before the next task."""
    from tenants import current

    if not task.request.is_eager:  # its caller is still in the town
        current.leave()


@worker_process_init.connect(dispatch_uid="tenants.abandon")
def _abandon(**_: object) -> None:
    """In a worker's child, before Celery forgets the parent's current connection: forget the waiting ones."""
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        cast(Any, connection).abandon_others()
