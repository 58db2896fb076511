from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "shared_apps.accounts"
    verbose_name = "Comptes"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_out

        from shared_apps.accounts import impersonation

        user_logged_out.connect(impersonation.signed_out, dispatch_uid="accounts.impersonation")
