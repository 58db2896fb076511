from django.apps import AppConfig

from shared_apps.privacy.personal import not_personal, withheld
from tenants.declarations import HELD, MUST_BE_THERE, held

_BOOKS = "a line of the bank's or the Treasury's file: the accountant's evidence, kept with the accounts"


class ReconciliationConfig(AppConfig):
    name = "tenant_apps.reconciliation"
    verbose_name = "Rapprochement"
    town_data = {
        "Statement": held(keys={"key": MUST_BE_THERE}),
        "StatementRow": HELD,
        "StatementRowPayment": HELD,
    }
    person_data = {
        "Statement": not_personal("a file of the bank or of the Treasury"),
        "StatementRowPayment": not_personal("which payments a line of the bank sums up"),
        "StatementRow": withheld(_BOOKS, keeps={"raw": _BOOKS, "label": _BOOKS}),
    }

    def ready(self) -> None:
        from shared_apps.audit import services as audit
        from tenant_apps.reconciliation.listeners import payment_cancelled
        from tenant_apps.reconciliation.tasks import read_statements
        from tenants.work import agenda

        agenda.register("statements", read_statements)
        audit.listen("payment.cancelled", payment_cancelled)
