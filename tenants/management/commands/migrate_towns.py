"""`manage.py migrate_towns [--plan]`: the public schemas, the templates and every town, to the code's version."""

from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants.errors import TownError
from tenants.schema import migrating


class Command(BaseCommand):
    help = __doc__
    # Skip the checks that read every page and template: deployments wait for this command, mostly for nothing.
    requires_system_checks = [Tags.models, Tags.database]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--plan", action="store_true", help="say what would run, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["plan"]:
            self.show_plan()
            return
        try:
            outcome = migrating.migrate_towns(on_progress=self.progress)
        except TownError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{len(outcome.migrated)} commune(s) mise(s) à jour.")
        if outcome.failed:
            raise CommandError("\n".join(f"{slug} : {problem}" for slug, problem in outcome.failed.items()))

    def show_plan(self) -> None:
        """One line per migration, for each group of towns that lack the same ones."""
        groups = list(migrating.pending())
        for group in groups:
            self.stdout.write(f"{len(group.towns)} commune(s) de la base « {group.shard} » :")
            for line in migrating.describe(group):
                self.stdout.write(f"  {line}")
        if not groups:
            self.stdout.write("Toutes les communes sont à jour.")

    def progress(self, done: int, total: int) -> None:
        """One line per 5 % of the towns."""
        if total >= 20 and done % (total // 20) == 0:
            self.stdout.write(f"{done} / {total}")
