from django.apps import AppConfig

from tenants.archive.declarations import HELD


class AuditConfig(AppConfig):
    name = "shared_apps.audit"
    verbose_name = "Journal"
    town_data = {
        "Entry": HELD,
    }

    def ready(self) -> None:
        from shared_apps.audit import services
        from tenants import facts

        facts.listen(services.record)
