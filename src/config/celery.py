"""The Celery application. Every task carries its town's schema in a header and runs in that town (tenants.work)."""

import os

from celery.signals import task_postrun
from tenant_schemas_celery.app import CeleryApp

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = CeleryApp("mes-factures", task_cls="tenants.work.TownTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@task_postrun.connect(dispatch_uid="tenants.leave")
def _leave(**_: object) -> None:
    """After the library has left the town: go back to the registry's database too, before the next task."""
    from tenants import current

    current.leave()
