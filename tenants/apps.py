from django.apps import AppConfig


class TenantsConfig(AppConfig):
    name = "tenants"
    verbose_name = "Communes"

    def ready(self) -> None:
        from tenants import operations, renaming

        operations.register(renaming.KIND, renaming.work)
