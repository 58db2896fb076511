"""The Celery application. Every task carries its town's schema in a header and runs in that town."""

import logging
import os
from typing import Any, cast

from celery.signals import task_postrun, worker_process_init
from tenant_schemas_celery.app import CeleryApp
from tenant_schemas_celery.task import TenantTask

log = logging.getLogger(__name__)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class TownTask(TenantTask):
    """A task runs in its town, and leaves at once a town that is being moved: the agenda calls it again after."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from tenants import current

        if current.is_read_only():
            log.info("%s leaves a town that is being moved", self.name)
            return None
        return self.run(*args, **kwargs)


app = CeleryApp("mes-factures", task_cls=TownTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


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
