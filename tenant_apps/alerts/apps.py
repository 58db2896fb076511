from django.apps import AppConfig

from tenants.archive.declarations import HELD_OF_A_PERSON


class AlertsConfig(AppConfig):
    name = "tenant_apps.alerts"
    verbose_name = "Alertes"
    town_data = {
        "Alert": HELD_OF_A_PERSON,
    }

    def ready(self) -> None:
        from shared_apps.audit import services as audit
        from tenant_apps.alerts import listeners, reminders, tasks
        from tenants import agenda
        from tenants.archive import copies

        agenda.register("alerts", tasks.queue_alerts)
        agenda.register(reminders.KIND, tasks.send_reminders)
        for verb in reminders.FACTS:
            audit.listen(verb, reminders.something_happened)
        copies.calm(reminders.stay_silent)
        audit.listen("batch.published", listeners.batch_published)
        audit.listen("payment.received", listeners.payment_received)
