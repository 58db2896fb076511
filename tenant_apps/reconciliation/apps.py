from django.apps import AppConfig

from tenants.archive.declarations import HELD, MUST_BE_THERE, held


class ReconciliationConfig(AppConfig):
    name = "tenant_apps.reconciliation"
    verbose_name = "Rapprochement"
    town_data = {"Statement": held(keys={"key": MUST_BE_THERE}), "Line": HELD}
