from django.apps import AppConfig

from tenants.archive.declarations import HELD


class TownhallConfig(AppConfig):
    name = "tenant_apps.townhall"
    verbose_name = "La commune"
    town_data = {
        "TownHall": HELD,
        "Product": HELD,
    }
