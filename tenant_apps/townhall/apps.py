from django.apps import AppConfig


class TownhallConfig(AppConfig):
    name = "tenant_apps.townhall"
    verbose_name = "La commune"
