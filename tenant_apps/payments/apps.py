from django.apps import AppConfig

from tenants.archive.declarations import HELD, HELD_OF_A_PERSON


class PaymentsConfig(AppConfig):
    name = "tenant_apps.payments"
    verbose_name = "Règlements"
    town_data = {
        "Attempt": HELD,
        "AttemptInvoice": HELD,
        "AttemptEvent": HELD,
        "Payment": HELD,
        "Allocation": HELD,
        "Declaration": HELD_OF_A_PERSON,
        "Finding": HELD,
        "Trial": HELD,
        "Deposit": HELD,
        "Refund": HELD,
    }

    def ready(self) -> None:
        from shared_apps.audit import services as audit
        from shared_apps.treasury import services as treasury
        from tenant_apps.payments import auditing, bells, tasks
        from tenants import agenda

        agenda.register("payments", tasks.check_due)
        agenda.register("money-audit", tasks.audit_money)
        treasury.register_bell("payfip", bells.hear_payfip_bell)
        treasury.register_bell("tipi", bells.hear_tipi_bell)
        for verb in auditing.MOVES:
            audit.listen(verb, auditing.money_moved)
