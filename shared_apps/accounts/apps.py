from django.apps import AppConfig

from shared_apps.privacy.personal import given, withheld
from tenants.declarations import HELD_OF_A_PERSON


class AccountsConfig(AppConfig):
    name = "shared_apps.accounts"
    verbose_name = "Comptes"
    town_data = {
        "Account": HELD_OF_A_PERSON,
        "Link": HELD_OF_A_PERSON,
        # Sealed with the platform's key: on another platform, set it up again or use a recovery code.
        "SecondFactor": HELD_OF_A_PERSON,
        # Public keys only. Under another address they do not work; the person sees that and adds new ones.
        "Passkey": HELD_OF_A_PERSON,
        "Impersonation": HELD_OF_A_PERSON,
    }

    person_data = {
        "Account": given("compte", "appareils"),
        "Link": given("liens"),
        "SecondFactor": given("compte"),
        "Passkey": given("cles"),
        "Impersonation": withheld("the operator in the place of staff, never of a resident"),
    }

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in, user_logged_out

        from shared_apps.accounts import erasing, retention
        from shared_apps.accounts import personal as mine
        from shared_apps.accounts.sessions import devices, impersonation, recent
        from shared_apps.accounts.throttling import known_browsers
        from shared_apps.privacy import personal

        personal.register(self.label, give=mine.give, erase=erasing.erase, late=1)
        personal.keep("links", retention.links, since="requested_at")
        personal.keep("unused", retention.unused_accounts, since="created_at")
        user_logged_in.connect(recent.signed_in, dispatch_uid="accounts.recent")
        user_logged_in.connect(known_browsers.signed_in, dispatch_uid="accounts.known_browsers")
        user_logged_out.connect(impersonation.signed_out, dispatch_uid="accounts.impersonation")
        user_logged_out.connect(devices.signed_out, dispatch_uid="accounts.sessions")
