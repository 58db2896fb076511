from django.apps import AppConfig

from tenants.declarations import left_out, of_the_platform


class ConsoleConfig(AppConfig):
    name = "shared_apps.console"
    verbose_name = "Console"
    town_data = {
        "TownFigures": left_out("counted again from the town's own rows"),
        "Platform": of_the_platform("what the platform says of itself"),
    }

    def ready(self) -> None:
        from shared_apps.audit import services as audit
        from shared_apps.console import opening, tasks
        from shared_apps.console.townlist import opening as list_opening
        from shared_apps.console.watch import figures
        from tenants.work import agenda, operations

        agenda.register(figures.KIND, tasks.refresh_figures)
        audit.listen(audit.EVERY, figures.something_happened)
        operations.register(opening.KIND, opening.work)
        operations.register(list_opening.KIND, list_opening.work)
