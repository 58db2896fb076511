"""An import without the worker.

`manage.py import_invoices --town SLUG --file FILE [--documents ZIP] [--source NOM] [--publish] [--set-aside]`

Exit codes: 0, done as asked; 1, nothing is imported; 3, ready, but a person must answer first; 4, not ended in time,
the worker goes on; 5, done, but refused rows are kept aside.
"""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_tenants.utils import tenant_context

from shared_apps.audit.services import SYSTEM
from tenant_apps.invoices import services
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.corrections import amending
from tenant_apps.invoices.decisions import rechecking
from tenant_apps.invoices.errors import InvoiceError
from tenant_apps.invoices.importing import registry
from tenant_apps.invoices.importing.people.questions import sentences
from tenant_apps.invoices.models import Batch
from tenant_apps.invoices.states import BatchState
from tenant_apps.residents import sources
from tenant_apps.residents.models import Source
from tenants.errors import TownError
from tenants.life.services import town_named
from toolkit.money import format_euros

WAITS, UNFINISHED, SET_ASIDE = 3, 4, 5


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
        parser.add_argument(
            "--set-aside",
            action="store_true",
            help="les lignes refusées sont gardées, et les autres ne les attendent pas",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            town = town_named(options["town"])
        except TownError as error:
            raise CommandError(str(error)) from None
        with tenant_context(town):
            batch = self._import(options)
            self._say(batch)
            _conclude(batch, must_publish=options["publish"])

    def _say(self, batch: Batch) -> None:
        for problem in batch.problems.all():
            where = f"ligne {problem.line} : " if problem.line else ""
            self.stderr.write(f"{problem.get_severity_display()} – {where}{problem.message}")
        for update in services.open_questions(batch).select_related("payer", "looks_like"):
            for sentence in sentences(update):
                self.stderr.write(f"à confirmer – {sentence}")
        for change in amending.waiting(batch).select_related("invoice").order_by("line"):
            self.stderr.write(
                f"à confirmer – ligne {change.line} : la facture n° {change.invoice.number}, en ligne, change"
            )
        self.stdout.write(
            f"{batch.get_state_display()} : {batch.new_count} nouvelle(s), {batch.unchanged_count} inchangée(s), "
            f"{batch.amended_count} modifiée(s), {batch.document_count} PDF, {format_euros(batch.amount)}, "
            f"{batch.change_count} redevable(s) changé(s), {batch.refused_count} ligne(s) refusée(s)"
        )

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
        done = _until_done(batch)
        if options["set_aside"] and done.state == BatchState.REFUSED and done.refused_count:
            done = _until_done(rechecking.set_aside(actor=SYSTEM, batch=done))
        return done


def _until_done(batch: Batch) -> Batch:
    return processing.INTAKE.until_done(batch, seconds=settings.IMPORT_SECONDS)


def _conclude(batch: Batch, *, must_publish: bool) -> None:
    """Raise CommandError with its exit code, unless all was done that was asked for."""
    if batch.state == BatchState.REFUSED:
        aside = (
            " Avec --set-aside, les autres lignes n'attendent pas les lignes refusées."
            if batch.refused_count and not batch.sets_aside
            else ""
        )
        raise CommandError(f"Rien n'a été importé : corrigez le fichier, puis recommencez.{aside}")
    if batch.state == BatchState.FAILED:
        raise CommandError(f"Rien n'a été importé. {batch.failure}")
    if batch.state in processing.WAITING:
        raise CommandError(
            "L'import n'est pas terminé : suivez-le dans la gestion, page « Imports ».", returncode=UNFINISHED
        )
    if must_publish and batch.state != BatchState.PUBLISHED and batch.brings_something:
        raise CommandError(_why_it_waits(batch), returncode=WAITS)
    if batch.refused_count:
        raise CommandError(
            f"{batch.refused_count} ligne(s) refusée(s) sont gardées : corrigez-les dans la gestion, page "
            "« Imports ».",
            returncode=SET_ASIDE,
        )


def _why_it_waits(batch: Batch) -> str:
    questions = services.open_questions(batch).count()
    changes = amending.waiting(batch).count()
    waits = [
        *([f"{questions} question(s) sur des redevables"] if questions else []),
        *([f"{changes} accord(s) sur des factures en ligne"] if changes else []),
    ]
    if not waits:
        return "L'import est prêt, mais il n'a pas été publié."
    return (
        f"Rien n'est publié : {' et '.join(waits)} attendent une réponse dans la gestion, page « Imports »."
    )


def _source(name: str | None) -> Source | None:
    """The town's source of that name; without one, its only source. Raises CommandError."""
    found = sources.source_called(name) if name else None
    if found is None and (name or sources.has_several()):
        known = ", ".join(source.name for source in sources.sources())
        raise CommandError(f"Donnez la provenance du fichier avec --source : {known}.")
    return found
