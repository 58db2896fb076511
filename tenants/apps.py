from django.apps import AppConfig

from tenants.declarations import HELD, of_the_platform


class TenantsConfig(AppConfig):
    name = "tenants"
    verbose_name = "Communes"
    town_data = {
        "Town": HELD,
        "Domain": HELD,
        "AgendaItem": HELD,
        "SchemaSnapshot": of_the_platform("how a schema is made; no town's data"),
        "SchemaStep": of_the_platform("how a schema is made; no town's data"),
        "Operation": of_the_platform("who asked what of which town, and what came of it"),
        "Erasure": of_the_platform("the certificate, which outlives the town"),
    }

    def ready(self) -> None:
        from tenants import tasks
        from tenants.archive import erasing, exporting, restoring
        from tenants.life import renaming
        from tenants.shards import moving
        from tenants.work import agenda, operations

        for room in (exporting, restoring, erasing, renaming, moving):
            operations.register(room.KIND, room.work)
        agenda.register("leftovers", tasks.drop_leftovers)
