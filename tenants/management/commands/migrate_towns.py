"""`manage.py migrate_towns`: public, the template schema and every town, to the code's version."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants import services


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        results = services.migrate_towns()
        failures = [(town, problem) for town, problem in results if problem]
        self.stdout.write(f"{len(results) - len(failures)} commune(s) mise(s) à jour.")
        if failures:
            raise CommandError("\n".join(f"{town.slug} : {problem}" for town, problem in failures))
