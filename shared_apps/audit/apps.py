from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "shared_apps.audit"
    verbose_name = "Journal"

    def ready(self) -> None:
        from shared_apps.audit import services
        from tenants import facts

        facts.listen(services.record)
