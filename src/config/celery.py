"""The Celery application. Every task carries its town's schema in a header and runs in that town."""

import os

from tenant_schemas_celery.app import CeleryApp

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = CeleryApp("mes-factures")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
