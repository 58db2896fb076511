from django.apps import AppConfig

from tenants.archive.declarations import HELD_OF_A_PERSON


class ContactConfig(AppConfig):
    name = "tenant_apps.contact"
    verbose_name = "Contact"
    town_data = {
        "Message": HELD_OF_A_PERSON,
    }
