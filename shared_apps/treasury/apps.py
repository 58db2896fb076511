from django.apps import AppConfig

from tenants.declarations import HELD, left_out, of_the_platform


class TreasuryConfig(AppConfig):
    name = "shared_apps.treasury"
    verbose_name = "Trésor public"
    town_data = {
        "Route": HELD,
        "WaitingBell": left_out("rung within minutes of the end of a move"),
        "Stray": of_the_platform("bells that belong to no town, counted by day"),
    }

    def ready(self) -> None:
        from shared_apps.treasury import tasks
        from tenants.work import agenda

        agenda.register("bells", tasks.ring_waiting)
