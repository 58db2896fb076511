from django.apps import AppConfig

from shared_apps.privacy.personal import given
from tenants.declarations import HELD_OF_A_PERSON


class ContactConfig(AppConfig):
    name = "tenant_apps.contact"
    verbose_name = "Contact"
    # Its files are under the prefix `contact`; rows hold no keys of S3 (decision 37).
    town_data = {
        "Message": HELD_OF_A_PERSON,
    }
    person_data = {
        "Message": given("messages"),
    }

    def ready(self) -> None:
        from shared_apps.privacy import personal
        from tenant_apps.contact import personal as mine
        from tenant_apps.contact import tasks
        from tenant_apps.contact.files import stored
        from tenants.work import agenda

        agenda.register(stored.KIND, tasks.sweep_files)
        personal.register(self.label, give=mine.give, erase=mine.erase)
        personal.keep("messages", mine.threads, since="last_at", then=mine.sweep_soon)
