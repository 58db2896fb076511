from django.apps import AppConfig

from tenants.archive.declarations import HELD_OF_A_PERSON


class AccountsConfig(AppConfig):
    name = "shared_apps.accounts"
    verbose_name = "Comptes"
    town_data = {
        "Account": HELD_OF_A_PERSON,
        "Link": HELD_OF_A_PERSON,
        # Sealed with the platform's key: elsewhere it is set up anew, or opened by a recovery code.
        "SecondFactor": HELD_OF_A_PERSON,
        # Public halves only. Restored under another address they open nothing there; the person sees it and adds anew.
        "Passkey": HELD_OF_A_PERSON,
        "Impersonation": HELD_OF_A_PERSON,
    }

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in, user_logged_out

        from shared_apps.accounts import impersonation, sessions

        user_logged_in.connect(sessions.signed_in, dispatch_uid="accounts.sessions")
        user_logged_out.connect(impersonation.signed_out, dispatch_uid="accounts.impersonation")
        user_logged_out.connect(sessions.signed_out, dispatch_uid="accounts.sessions")
