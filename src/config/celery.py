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
    """Start each task in French, whatever the previous one left; messages use their reader's language."""
    from django.conf import settings
    from django.utils import translation

    if not task.request.is_eager:
        translation.activate(settings.LANGUAGE_CODE)


@task_postrun.connect(dispatch_uid="tenants.leave")
def _leave(task: Any, **_: object) -> None:
    """After the library has left the town, go back to the registry's database too."""
    from tenants import current

    if not task.request.is_eager:  # an eager task's caller is still in the town
        current.leave()


@worker_process_init.connect(dispatch_uid="tenants.abandon")
def _abandon(**_: object) -> None:
    """In a worker's child process: forget the parent's waiting connections; Celery forgets the current one."""
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        cast(Any, connection).abandon_others()
