from django.apps import AppConfig

from tenants.archive.declarations import HELD_OF_A_PERSON


class ContactConfig(AppConfig):
    name = "tenant_apps.contact"
    verbose_name = "Contact"
    # Its files stand under the prefix `contact` and are named by their place, not by a key (decision 37).
    town_data = {
        "Message": HELD_OF_A_PERSON,
    }

    def ready(self) -> None:
        from tenant_apps.contact import files, tasks
        from tenants import agenda

        agenda.register(files.KIND, tasks.sweep_files)
