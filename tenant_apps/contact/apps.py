from django.apps import AppConfig


class ContactConfig(AppConfig):
    name = "tenant_apps.contact"
    verbose_name = "Contact"
