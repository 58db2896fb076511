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
        from tenant_apps.alerts import listeners, tasks
        from tenants import agenda

        agenda.register("alerts", tasks.queue_alerts)
        audit.listen("batch.published", listeners.batch_published)
        audit.listen("payment.received", listeners.payment_received)
