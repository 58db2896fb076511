from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "tenant_apps.alerts"
    verbose_name = "Alertes"

    def ready(self) -> None:
        from shared_apps.audit import services as audit
        from tenant_apps.alerts import listeners, tasks
        from tenants import agenda

        agenda.register("alerts", tasks.queue_alerts)
        audit.listen("batch.published", listeners.batch_published)
        audit.listen("payment.received", listeners.payment_received)
