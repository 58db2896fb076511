from django.apps import AppConfig

from tenants.archive.declarations import HELD_OF_A_PERSON


class MailConfig(AppConfig):
    name = "shared_apps.mail"
    verbose_name = "Messages envoyés"
    town_data = {
        "OutgoingMail": HELD_OF_A_PERSON,
    }

    def ready(self) -> None:
        from shared_apps.mail import services
        from shared_apps.mail.tasks import deliver_outbox
        from tenants import agenda
        from tenants.archive import copies

        agenda.register("mail", deliver_outbox)
        copies.calm(services.hold_back_waiting)
