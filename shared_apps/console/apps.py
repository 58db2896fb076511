from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "shared_apps.console"
    verbose_name = "Console"

    def ready(self) -> None:
        from shared_apps.console import opening
        from tenants import operations

        operations.register(opening.KIND, opening.work)
