from django.apps import AppConfig

from shared_apps.privacy.personal import not_personal
from tenants.declarations import HELD


class ProductsConfig(AppConfig):
    name = "tenant_apps.products"
    verbose_name = "Les régies, titres et rôles"
    town_data = {"Product": HELD}
    person_data = {"Product": not_personal("what the town sells")}
