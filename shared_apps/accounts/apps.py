from django.apps import AppConfig

from tenants.archive.declarations import HELD_OF_A_PERSON


class AccountsConfig(AppConfig):
    name = "shared_apps.accounts"
    verbose_name = "Comptes"
    town_data = {
        "Account": HELD_OF_A_PERSON,
        "Link": HELD_OF_A_PERSON,
    }
