"""`manage.py restore_town FILE [--slug NEW] [--shard ALIAS]`: a town comes back from its archive."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from tenants import facts
from tenants.archive import restoring
from tenants.current import REGISTRY
from tenants.errors import TownError
from tenants.management.operation_command import OperationCommand
from tenants.states import TownState


class Command(OperationCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--slug", default="", help="another address than the one it had")
        parser.add_argument("--shard", default=REGISTRY, help="the database where it will live")
        parser.add_argument(
            "--from-elsewhere", action="store_true", help="another platform made it, and you know which"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = restoring.restore(
                path=options["file"],
                slug=options["slug"],
                shard=options["shard"],
                from_elsewhere=options["from_elsewhere"],
                actor=facts.SYSTEM,
                watch=self.watch,
            )
        except TownError as error:
            raise CommandError(str(error)) from None
        result = done.result
        state = TownState(result["state"])
        self.stdout.write(
            f"{', '.join(result['hosts'])} : {result['rows']} lignes, {result['objects']} fichiers."
        )
        if state == TownState.SUSPENDED:
            why = "c'est une copie" if result["copy"] else "elle n'était pas ouverte"
            self.stdout.write(
                f"Suspendue ({why}) : regardez-la, puis manage.py resume_town {result['slug']}."
            )
