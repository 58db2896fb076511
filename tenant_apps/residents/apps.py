from django.apps import AppConfig

from shared_apps.privacy.personal import given, not_personal
from tenants.declarations import HELD, HELD_OF_A_PERSON


class ResidentsConfig(AppConfig):
    name = "tenant_apps.residents"
    verbose_name = "Redevables"
    town_data = {
        "Source": HELD,
        "Arrival": HELD,
        "Payer": HELD,
        "PayerEmail": HELD_OF_A_PERSON,
        "RemovedEmail": HELD_OF_A_PERSON,
        "Access": HELD_OF_A_PERSON,
        "AccessRequest": HELD_OF_A_PERSON,
    }

    person_data = {
        "Source": not_personal("where billing files come from"),
        "Arrival": not_personal("a file of billing that came by itself: its name, what became of it"),
        "Payer": given("dossiers"),
        "PayerEmail": given(
            "adresses",
            keeps={"email": "as billing gave it: it would be back with the next import; staff are told so"},
        ),
        "RemovedEmail": given(
            "adresses-retirees",
            keeps={"email": "staff took it away: without it the next import would bring it back"},
        ),
        "Access": given("dossiers"),
        "AccessRequest": given("rattachements"),
    }

    def ready(self) -> None:
        from shared_apps.audit import services as audit
        from shared_apps.privacy import personal
        from tenant_apps.residents import personal as mine
        from tenant_apps.residents.erasure import retention
        from tenant_apps.residents.tasks import apply_retention, handle_access_requests, handle_links
        from tenants.work import agenda

        agenda.register("links", handle_links)
        agenda.register("claims", handle_access_requests)
        agenda.register(retention.KIND, apply_retention)
        for verb in retention.SIGNS_OF_LIFE:
            audit.listen(verb, retention.town_lives)
        personal.keep("claims", mine.decided_access_requests, since="decided_at")
        personal.register(self.label, give=mine.give, erase=mine.erase)
