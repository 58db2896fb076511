from django.apps import AppConfig


class ReconciliationConfig(AppConfig):
    name = "tenant_apps.reconciliation"
    verbose_name = "Rapprochement"
