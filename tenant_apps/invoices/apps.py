from django.apps import AppConfig

from tenants.archive.declarations import HELD, MAY_BE_GONE, MUST_BE_THERE, held


class InvoicesConfig(AppConfig):
    name = "tenant_apps.invoices"
    verbose_name = "Factures"
    town_data = {
        "Batch": held(
            keys={"rows_key": MAY_BE_GONE, "documents_key": MAY_BE_GONE}
        ),  # given up: its files are gone
        "BatchProblem": HELD,
        "Document": held(keys={"key": MUST_BE_THERE}),
        "Invoice": HELD,
        "Credit": HELD,
    }

    def ready(self) -> None:
        from tenant_apps.invoices.tasks import process_batches
        from tenants import agenda

        agenda.register("imports", process_batches)
