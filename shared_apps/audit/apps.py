from django.apps import AppConfig

from tenants.archive.declarations import HELD
from tenants.personal import given


class AuditConfig(AppConfig):
    name = "shared_apps.audit"
    verbose_name = "Journal"
    town_data = {
        "Entry": HELD,
    }

    person_data = {
        "Entry": given("journal"),
    }

    def ready(self) -> None:
        from shared_apps.audit import personal as mine
        from shared_apps.audit import services
        from tenants import facts, personal

        personal.register(self.label, give=mine.give)

        facts.listen(services.record)
