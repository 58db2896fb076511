"""`manage.py open_town SLUG NAME --contact ADDRESS …`, or `--from LIST.csv`: open a town, or every town of a list.

An opening is an operation, done in the foreground: after a kill, the same command goes on where it was. What is open
already is left as it is. `--check` only reads the list, and says what would be opened. The exit code is 0 only when
every town of the list is open.
"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shared_apps.audit.services import SYSTEM
from shared_apps.console.opening import NewTown, open_now
from shared_apps.console.townlist import opening, outcomes, reading, report
from shared_apps.console.townlist.outcomes import Outcome, What
from tenants.current import REGISTRY
from tenants.errors import TownError
from tenants.hosts import registry
from tenants.life import services
from tenants.models import Operation
from toolkit.reading.errors import FileError


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", nargs="?", default="")
        parser.add_argument("name", nargs="?", default="")
        self.add_details(parser)
        parser.add_argument("--from", dest="list", type=Path, help="a list of towns (CSV)")
        parser.add_argument("--check", action="store_true", help="read the list, open nothing")
        parser.add_argument("--partial", action="store_true", help="leave out the lines that are wrong")
        parser.add_argument("--report", type=Path, help="where the report goes (CSV)")
        parser.add_argument(
            "--at-once", type=int, default=opening.AT_ONCE, help="towns opened at the same time"
        )

    def add_details(self, parser: CommandParser) -> None:
        """The details of one town."""
        parser.add_argument("--contact", default="", help="where residents' messages go")
        parser.add_argument("--manager", default="", help="the first manager, invited by e-mail")
        parser.add_argument("--siren", default="")
        parser.add_argument("--insee", default="")
        parser.add_argument("--legal-name", default="")
        parser.add_argument("--regie", default="", help="the label of its first régie")
        parser.add_argument("--number", default="", help="the number of this régie at the Treasury")
        parser.add_argument("--shard", default=REGISTRY, help="the database where it will live")

    def handle(self, *args: Any, **options: Any) -> None:
        if options.get("list"):
            if options["slug"]:
                raise CommandError("Donnez une commune, ou une liste avec --from : pas les deux.")
            self._open_list(options)
        elif options["slug"] and options["name"]:
            self._open_one(options)
        else:
            raise CommandError("Donnez l'adresse et le nom de la commune, ou une liste avec --from.")

    def _open_one(self, options: dict[str, Any]) -> None:
        contact = options["contact"] or options["manager"]
        if not contact:
            raise CommandError("Indiquez --contact ou --manager : l'adresse du service de facturation.")
        new = NewTown(
            slug=options["slug"],
            name=options["name"],
            contact_email=contact,
            manager=options["manager"],
            siren=options["siren"],
            insee=options["insee"],
            legal_name=options["legal_name"],
            shard=options["shard"],
            regie=options["regie"],
            number=options["number"],
        )
        try:
            open_now(actor=SYSTEM, new=new, watch=self.show)
        except TownError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(registry.address_of(services.town_named(new.slug)))

    def show(self, operation: Operation) -> None:
        """Print each step on a line."""
        self.stdout.write(f"{operation.done}/{operation.total} {operation.step}")

    def _open_list(self, options: dict[str, Any]) -> None:
        found = _read(options["list"])
        if options["check"] or (found.problems and not options["partial"]):
            seen = sorted(
                [*outcomes.expected(found.lines), *outcomes.of_problems(found.problems)],
                key=lambda outcome: outcome.number,
            )
            self._end(seen, options["report"], opened=False)
            return
        try:
            done = opening.open_list_now(
                actor=SYSTEM,
                lines=found.lines,
                problems=found.problems,
                at_once=options["at_once"],
                watch=self.show,
            )
        except TownError as error:
            raise CommandError(str(error)) from None
        self._end(opening.outcomes_of(done), options["report"], opened=True)

    def _end(self, found: list[Outcome], path: Path | None, *, opened: bool) -> None:
        """Say what became of each town, write the report, and end with an error unless all is well."""
        for one in found:
            if one.what in outcomes.BAD:
                self.stderr.write(f"Ligne {one.number}, {one.slug} : {one.label}. {one.words}")
        if path is not None:
            _write(path, found)
            self.stdout.write(f"Rapport : {path}")
        counts = outcomes.counts_of(found)
        said = report.summary(counts)
        bad = counts[What.REFUSED] + counts[What.WAITING]
        if bad and not opened:
            raise CommandError(f"Rien n'a été ouvert : {said}. Corrigez la liste, puis relancez la commande.")
        if bad:
            raise CommandError(
                f"Tout n'est pas ouvert : {said}. Corrigez la liste, puis relancez la commande."
            )
        self.stdout.write(said)


def _read(path: Path) -> reading.TownList:
    try:
        if path.stat().st_size > reading.MOST_BYTES:
            raise CommandError(f"{path} pèse plus de 1 Mo : ce n'est sans doute pas une liste de communes.")
        with path.open("rb") as file:
            return reading.read(file)
    except OSError as error:
        raise CommandError(f"{path} ne peut pas être lu : {error.strerror}.") from None
    except FileError as error:
        raise CommandError(str(error)) from None


def _write(path: Path, found: list[Outcome]) -> None:
    try:
        with path.open("wb") as file:
            report.write(file, found)
    except OSError as error:
        raise CommandError(f"{path} ne peut pas être écrit : {error.strerror}.") from None
