from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "shared_apps.console"
    verbose_name = "Console"

    def ready(self) -> None:
        from shared_apps.audit import services as audit
        from shared_apps.console import figures, opening, tasks
        from tenants import agenda, operations

        agenda.register(figures.KIND, tasks.refresh_figures)
        audit.listen(audit.EVERY, figures.something_happened)
        operations.register(opening.KIND, opening.work)
