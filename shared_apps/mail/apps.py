from django.apps import AppConfig

from shared_apps.privacy.personal import given
from tenants.declarations import HELD_OF_A_PERSON

UNTIL_IT_LEFT = "the message that says the person was erased, until it has left or was given up"


class MailConfig(AppConfig):
    name = "shared_apps.mail"
    verbose_name = "Messages envoyés"
    town_data = {
        "OutgoingMail": HELD_OF_A_PERSON,
    }

    person_data = {
        "OutgoingMail": given("courriels", keeps={"to": UNTIL_IT_LEFT, "last_error": UNTIL_IT_LEFT}),
    }

    def ready(self) -> None:
        from shared_apps.mail import notices, services
        from shared_apps.mail import personal as mine
        from shared_apps.mail.tasks import deliver_outbox
        from shared_apps.privacy import personal
        from tenants.archive import copies
        from tenants.work import agenda

        notices.load()
        personal.register(self.label, give=mine.give, erase=mine.erase, late=2)
        personal.keep("mails", mine.settled, since="created_at")

        agenda.register("mail", deliver_outbox)
        copies.calm(services.stop_waiting)
