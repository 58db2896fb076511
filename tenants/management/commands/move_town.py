"""`manage.py move_town SLUG --to ALIAS`: a town goes to live in another database; it is read-only meanwhile."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants import moving
from tenants.errors import TownError
from tenants.models import Operation
from tenants.services import town_named


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--to", required=True, metavar="ALIAS", help="a name of SHARD_URLS, or default")

    def handle(self, *args: Any, **options: Any) -> None:
        self.shown = ""
        try:
            town = town_named(options["slug"])
            operation = moving.move_town(town=town, to=options["to"], watch=self.progress)
        except TownError as error:
            raise CommandError(str(error)) from None
        if operation is None:
            self.stdout.write(f"{town.name} est déjà dans la base « {options['to']} » : rien à faire.")
        else:
            self.stdout.write(
                f"{town.name} est dans la base « {options['to']} » "
                f"({operation.result.get('rows', 0)} lignes vérifiées)."
            )

    def progress(self, operation: Operation) -> None:
        """A line a step, and for a long one a line about every quarter."""
        quarter = operation.done * 4 // operation.total if operation.total else 0
        line = f"{operation.step} ({quarter * 25} %)" if operation.total else operation.step
        if line != self.shown:
            self.shown = line
            self.stdout.write(line)
            self.stdout.flush()
