from django.apps import AppConfig

from tenants.archive.declarations import HELD, of_the_platform


class TreasuryConfig(AppConfig):
    name = "shared_apps.treasury"
    verbose_name = "Trésor public"
    town_data = {
        "Route": HELD,
        "Stray": of_the_platform("bells that belong to no town, counted by day"),
    }
