from django.apps import AppConfig

from shared_apps.privacy.personal import not_personal
from tenants.declarations import MUST_BE_THERE, held


class TownhallConfig(AppConfig):
    name = "tenant_apps.townhall"
    verbose_name = "La commune"
    town_data = {
        # Its OpenID secret is sealed with the platform's key: elsewhere it is typed anew, and a copy loses it.
        "TownHall": held(keys={"logo": MUST_BE_THERE, "icon": MUST_BE_THERE}),
    }
    person_data = {
        "TownHall": not_personal("the town about itself"),
    }

    def ready(self) -> None:
        from shared_apps.mail import notifying
        from tenant_apps.townhall import identity_provider, queries
        from tenants.archive import copies

        notifying.write_under(queries.letterhead)
        copies.calm(identity_provider.forget_secret)
