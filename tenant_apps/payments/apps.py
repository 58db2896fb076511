from django.apps import AppConfig

from shared_apps.privacy.personal import given, not_personal, withheld
from tenants.declarations import HELD, HELD_OF_A_PERSON


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
        "TestPayment": HELD,
        "Deposit": HELD,
        "Refund": HELD,
        "LedgerLine": HELD,
    }

    person_data = {
        "Attempt": given("tentatives"),
        "AttemptInvoice": given("tentatives"),
        "AttemptEvent": given("suivi-des-tentatives"),
        "Payment": given("reglements"),
        "Allocation": given("reglements"),
        "Declaration": given("declarations"),
        "Finding": withheld("what staff must look at; it says nothing of a person that the attempt does not"),
        "TestPayment": not_personal("a payment of staff's to open a product"),
        "Deposit": not_personal("a docket for the bank"),
        "Refund": given("remboursements"),
        "LedgerLine": withheld("the town's daily accounts of the payments and refunds that are given"),
    }

    def ready(self) -> None:
        from shared_apps.audit import services as audit
        from shared_apps.privacy import personal
        from shared_apps.treasury import services as treasury
        from tenant_apps.payments import personal as mine
        from tenant_apps.payments import tasks
        from tenant_apps.payments.control import auditing
        from tenant_apps.payments.online.incoming import notifications
        from tenant_apps.payments.providers import registry
        from tenant_apps.products import protocols
        from tenants.work import agenda

        personal.register(self.label, give=mine.give, erase=mine.erase)
        agenda.register("payments", tasks.check_due)
        agenda.register("money-audit", tasks.audit_money)
        treasury.register_receiver(notifications.receive)
        protocols.register(registry.takers)
        for verb in auditing.MOVES:
            audit.listen(verb, auditing.money_moved)
