from django.apps import AppConfig

from tenants.archive.declarations import HELD_OF_A_PERSON
from tenants.personal import given


class ContactConfig(AppConfig):
    name = "tenant_apps.contact"
    verbose_name = "Contact"
    town_data = {
        "Message": HELD_OF_A_PERSON,
    }
    person_data = {
        "Message": given("messages"),
    }

    def ready(self) -> None:
        from tenant_apps.contact import personal as mine
        from tenants import personal

        personal.register(self.label, give=mine.give, erase=mine.erase)
        personal.keep("messages", mine.messages, since="created_at")
