from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "tenant_apps.portal"
    verbose_name = "Portail"
