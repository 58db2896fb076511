from django.apps import AppConfig

from tenants.archive.declarations import HELD, MUST_BE_THERE, held


class TownhallConfig(AppConfig):
    name = "tenant_apps.townhall"
    verbose_name = "La commune"
    town_data = {
        "TownHall": held(keys={"logo": MUST_BE_THERE, "icon": MUST_BE_THERE}),
        "Product": HELD,
    }
