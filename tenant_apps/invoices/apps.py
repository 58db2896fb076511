from django.apps import AppConfig

from shared_apps.privacy.personal import given, not_personal, withheld
from tenants.declarations import HELD, MAY_BE_GONE, MUST_BE_THERE, held

_FILE = "billing's own file, about everybody in it; what came of it for a person is in « factures »"


class InvoicesConfig(AppConfig):
    name = "tenant_apps.invoices"
    verbose_name = "Factures"
    town_data = {
        "Batch": held(
            keys={"rows_key": MAY_BE_GONE, "documents_key": MAY_BE_GONE}
        ),  # discarded: its files are gone
        "BatchProblem": HELD,
        "RefusedRow": HELD,
        "Amendment": HELD,
        "Document": held(keys={"key": MUST_BE_THERE}),
        "Invoice": HELD,
        "Credit": HELD,
        "PayerUpdate": HELD,
    }

    person_data = {
        "Batch": not_personal("an import: who made it, how far it is"),
        "BatchProblem": withheld(_FILE, keeps={"value": _FILE, "message": _FILE}),
        "RefusedRow": withheld(_FILE, keeps={"cells": _FILE, "corrected": _FILE}),
        "Amendment": given("modifications"),
        "Document": given("factures"),
        "Invoice": given("factures"),
        "Credit": given("avoirs"),
        "PayerUpdate": withheld(_FILE, keeps={"said": _FILE, "was": _FILE, "reasons": _FILE}),
    }

    def ready(self) -> None:
        from shared_apps.audit import services as audit
        from shared_apps.privacy import personal
        from tenant_apps.invoices import personal as mine
        from tenant_apps.invoices.inbox import following
        from tenant_apps.invoices.tasks import process_batches, watch_inboxes
        from tenants.work import agenda

        personal.register(self.label, give=mine.give)
        agenda.register("imports", process_batches)
        agenda.register(following.KIND, watch_inboxes)
        audit.listen("source.watched", following.settings_changed)
        for verb in following.SIGNS:
            audit.listen(verb, following.hear)
