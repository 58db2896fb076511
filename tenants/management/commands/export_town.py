"""`manage.py export_town SLUG --to FILE`: one town in one archive."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from tenants import facts
from tenants.archive import exporting
from tenants.errors import TownError
from tenants.life import services
from tenants.management.operation_command import OperationCommand


class Command(OperationCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--to", required=True, type=Path, help="the file to write")
        parser.add_argument("--overwrite", action="store_true", help="even if the file exists")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["to"].absolute()
        if path.exists() and not options["overwrite"]:
            raise CommandError(f"{path} existe déjà : donnez un autre nom, ou --overwrite.")
        try:
            town = services.town_named(options["slug"])
            done = exporting.export_to_file(town=town, path=path, actor=facts.SYSTEM, watch=self.watch)
        except TownError as error:
            raise CommandError(str(error)) from None
        result = done.result
        self.stdout.write(
            f"{town.name} : {result['rows']} lignes, {result['objects']} fichiers, {result['size']} octets\n"
            f"sha256 {result['sha256']}\n{path}"
        )
