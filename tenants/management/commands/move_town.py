"""`manage.py move_town SLUG --to ALIAS`: a town goes to live in another database; it is read-only meanwhile."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from tenants.errors import TownError
from tenants.life.services import town_named
from tenants.management.operation_command import OperationCommand
from tenants.shards import moving


class Command(OperationCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--to", required=True, metavar="ALIAS", help="a name of SHARD_URLS, or default")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            town = town_named(options["slug"])
            operation = moving.move_town(town=town, to=options["to"], watch=self.watch)
        except TownError as error:
            raise CommandError(str(error)) from None
        if operation is None:
            self.stdout.write(f"{town.name} est déjà dans la base « {options['to']} » : rien à faire.")
        else:
            self.stdout.write(
                f"{town.name} est dans la base « {options['to']} » "
                f"({operation.result.get('rows', 0)} lignes vérifiées)."
            )
