from django.apps import AppConfig


class InvoicesConfig(AppConfig):
    name = "tenant_apps.invoices"
    verbose_name = "Factures"
