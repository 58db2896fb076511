from django.apps import AppConfig


class MailConfig(AppConfig):
    name = "shared_apps.mail"
    verbose_name = "Messages envoyés"

    def ready(self) -> None:
        from shared_apps.mail.tasks import deliver_outbox
        from tenants import agenda

        agenda.register("mail", deliver_outbox)
