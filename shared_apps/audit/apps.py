from django.apps import AppConfig

from shared_apps.privacy.personal import given
from tenants.declarations import HELD


class AuditConfig(AppConfig):
    name = "shared_apps.audit"
    verbose_name = "Journal"
    town_data = {
        "AuditEntry": HELD,
    }

    person_data = {
        "AuditEntry": given("journal"),
    }

    def ready(self) -> None:
        from shared_apps.audit import personal as mine
        from shared_apps.audit import services, verbs
        from shared_apps.privacy import personal
        from tenants import facts

        personal.register(self.label, give=mine.give)

        verbs.load()
        facts.listen(services.record)
