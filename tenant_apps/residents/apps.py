from django.apps import AppConfig


class ResidentsConfig(AppConfig):
    name = "tenant_apps.residents"
    verbose_name = "Redevables"

    def ready(self) -> None:
        from tenant_apps.residents.tasks import handle_links
        from tenants import agenda

        agenda.register("links", handle_links)
