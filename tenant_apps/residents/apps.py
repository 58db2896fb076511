from django.apps import AppConfig

from tenants.archive.declarations import HELD, HELD_OF_A_PERSON


class ResidentsConfig(AppConfig):
    name = "tenant_apps.residents"
    verbose_name = "Redevables"
    town_data = {
        "Payer": HELD,
        "PayerEmail": HELD_OF_A_PERSON,
        "Access": HELD_OF_A_PERSON,
        "Claim": HELD_OF_A_PERSON,
    }

    def ready(self) -> None:
        from tenant_apps.residents.tasks import handle_claims, handle_links
        from tenants import agenda

        agenda.register("links", handle_links)
        agenda.register("claims", handle_claims)
