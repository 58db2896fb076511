from django.apps import AppConfig

from tenants.archive.declarations import HELD


class TreasuryConfig(AppConfig):
    name = "shared_apps.treasury"
    verbose_name = "Trésor public"
    town_data = {
        "Route": HELD,
    }
