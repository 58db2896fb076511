from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "tenant_apps.alerts"
    verbose_name = "Alertes"
