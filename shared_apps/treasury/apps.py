from django.apps import AppConfig


class TreasuryConfig(AppConfig):
    name = "shared_apps.treasury"
    verbose_name = "Trésor public"
