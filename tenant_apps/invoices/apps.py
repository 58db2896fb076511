from django.apps import AppConfig


class InvoicesConfig(AppConfig):
    name = "tenant_apps.invoices"
    verbose_name = "Factures"

    def ready(self) -> None:
        from tenant_apps.invoices.tasks import process_batches
        from tenants import agenda

        agenda.register("imports", process_batches)
