from django.apps import AppConfig

from shared_apps.privacy.personal import given
from tenants.declarations import HELD_OF_A_PERSON


class NoticesConfig(AppConfig):
    name = "tenant_apps.notices"
    verbose_name = "Messages prévus"
    town_data = {
        "PlannedNotice": HELD_OF_A_PERSON,
    }

    person_data = {
        "PlannedNotice": given("alertes"),
    }

    def ready(self) -> None:
        from shared_apps.audit import services as audit
        from shared_apps.privacy import personal
        from tenant_apps.notices import calling_off, reminders, tasks
        from tenant_apps.notices import personal as mine
        from tenants.archive import copies
        from tenants.work import agenda

        personal.register(self.label, give=mine.give, erase=mine.erase)
        personal.keep("alerts", mine.told, since="created_at")
        agenda.register("notices", tasks.queue_planned)
        agenda.register(reminders.KIND, tasks.send_reminders)
        for verb in reminders.FACTS:
            audit.listen(verb, reminders.something_happened)
        for verb in calling_off.FACTS:
            audit.listen(verb, calling_off.address_went)
        copies.calm(reminders.stay_silent)
