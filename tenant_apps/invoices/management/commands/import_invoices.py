"""`manage.py import_invoices --town SLUG --file FILE [--documents ZIP] [--source NOM] [--publish]`: an import without
the worker."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_tenants.utils import tenant_context

from shared_apps.audit.services import SYSTEM
from tenant_apps.invoices import services
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.errors import InvoiceError
from tenant_apps.invoices.importing import registry
from tenant_apps.invoices.importing.people.questions import sentences
from tenant_apps.invoices.models import Batch
from tenant_apps.invoices.services import open_questions
from tenant_apps.invoices.states import BatchState
from tenant_apps.residents import sources
from tenant_apps.residents.models import Source
from tenants.errors import TownError
from tenants.life.services import town_named
from toolkit.money import format_euros


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--town", required=True)
        known = registry.in_words()
        parser.add_argument(
            "--file", required=True, type=Path, help=f"fichier de facturation, reconnu seul : {known}"
        )
        parser.add_argument("--documents", type=Path)
        parser.add_argument(
            "--source", help="provenance des codes redevables ; la première de la commune par défaut"
        )
        parser.add_argument("--publish", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            town = town_named(options["town"])
        except TownError as error:
            raise CommandError(str(error)) from None
        with tenant_context(town):
            batch = self._import(options)
            for problem in batch.problems.all():
                where = f"ligne {problem.line} : " if problem.line else ""
                self.stderr.write(f"{problem.get_severity_display()} – {where}{problem.message}")
            for update in open_questions(batch).select_related("payer", "looks_like"):
                for sentence in sentences(update):
                    self.stderr.write(f"à confirmer – {sentence}")
            self.stdout.write(
                f"{batch.get_state_display()} : {batch.new_count} nouvelle(s), {batch.unchanged_count} inchangée(s), "
                f"{batch.document_count} PDF, {format_euros(batch.amount)}, "
                f"{batch.change_count} redevable(s) changé(s)"
            )
            if batch.state == BatchState.REFUSED:
                raise CommandError("Rien n'a été importé : corrigez le fichier, puis recommencez.")
            if batch.state == BatchState.FAILED:
                raise CommandError(f"Rien n'a été importé. {batch.failure}")
            if batch.state in processing.WAITING:
                raise CommandError(
                    "L'import n'est pas terminé : suivez-le dans la gestion, page « Imports »."
                )
            if options["publish"] and (waiting := open_questions(batch).count()):
                raise CommandError(
                    f"Rien n'est publié : {waiting} question(s) sur des redevables attendent une réponse dans la "
                    "gestion, page « Imports »."
                )
            if options["publish"] and batch.state != BatchState.PUBLISHED and batch.brings_something:
                raise CommandError("L'import est prêt, mais il n'a pas été publié.")

    def _import(self, options: dict[str, Any]) -> Batch:
        with ExitStack() as files:
            try:
                rows = files.enter_context(options["file"].open("rb"))
                zipped = options["documents"] and files.enter_context(options["documents"].open("rb"))
            except OSError as error:
                raise CommandError(f"{error.filename} : {error.strerror}") from None
            source = _source(options["source"])
            try:
                batch = services.create_batch(
                    actor=SYSTEM,
                    rows_file=rows,
                    rows_name=options["file"].name,
                    source=source,
                    documents_file=zipped or None,
                    documents_name=options["documents"].name if zipped else "",
                    publish_when_ready=options["publish"],
                )
            except InvoiceError as error:
                raise CommandError(str(error)) from None
        return processing.INTAKE.until_done(batch, seconds=settings.IMPORT_SECONDS)


def _source(name: str | None) -> Source | None:
    """The town's source of that name; without one, its only source. Raises CommandError."""
    found = sources.source_called(name) if name else None
    if found is None and (name or sources.has_several()):
        known = ", ".join(source.name for source in sources.sources())
        raise CommandError(f"Donnez la provenance du fichier avec --source : {known}.")
    return found
