from django.apps import AppConfig

from tenants.declarations import HELD, left_out, of_the_platform


class TreasuryConfig(AppConfig):
    name = "shared_apps.treasury"
    verbose_name = "Trésor public"
    town_data = {
        "Route": HELD,
        "WaitingNotification": left_out("delivered within minutes of the end of a move"),
        "UnmatchedNotification": of_the_platform("notifications for operations of no town, counted by day"),
    }

    def ready(self) -> None:
        from shared_apps.treasury import services, tasks
        from tenants.work import agenda

        agenda.register(services.AGENDA, tasks.deliver_waiting)
