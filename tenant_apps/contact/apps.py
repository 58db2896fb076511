from django.apps import AppConfig

from tenants.archive.declarations import HELD_OF_A_PERSON
from tenants.personal import given


class ContactConfig(AppConfig):
    name = "tenant_apps.contact"
    verbose_name = "Contact"
    # Its files stand under the prefix `contact` and are named by their place, not by a key (decision 37).
    town_data = {
        "Message": HELD_OF_A_PERSON,
    }
    person_data = {
        "Message": given("messages"),
    }

    def ready(self) -> None:
        from tenant_apps.contact import files, tasks
        from tenant_apps.contact import personal as mine
        from tenants import agenda, personal

        agenda.register(files.KIND, tasks.sweep_files)
        personal.register(self.label, give=mine.give, erase=mine.erase)
        personal.keep("messages", mine.threads, since="last_at", then=mine.sweep_soon)
