"""The lists of the console, all read-only: pages in `views` write through services."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import models
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import date as date_format
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from shared_apps.audit.models import AuditEntry
from shared_apps.console import queries
from shared_apps.console.look import words
from shared_apps.console.look.filters import KindFilter, ShardFilter, TroubleFilter, VerbFilter
from shared_apps.console.models import TownFigures
from shared_apps.treasury.models import UnmatchedNotification
from tenant_apps.firstday.lines import TOTAL
from tenants.current import shard_aliases
from tenants.hosts import registry
from tenants.models import Erasure, Operation, Town
from toolkit import clock
from toolkit.money import format_euros

NOTHING = "–"
LONG_AGO = Value(datetime(1970, 1, 1, tzinfo=UTC), output_field=models.DateTimeField())


class ReadOnly(ModelAdmin):
    """A read-only list, page by page, without counting the rows."""

    change_list_template = "console/change_list.html"
    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 50
    list_fullwidth = True
    actions = None
    operators: Mapping[str, str] = {}

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Read the operators' names once per page."""
        self.operators = words.operators()
        return super().changelist_view(request, extra_context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


def _figures(town: Town) -> TownFigures | None:
    return getattr(town, "figures", None)


class TownAdmin(ReadOnly):
    """The towns and their figures."""

    list_display = (
        "shown_name",
        "shown_state",
        "invoices",
        "unpaid",
        "last_import",
        "last_payment",
        "failed_mails",
        "queue",
        "storage",
        "schema",
        "first_steps",
    )
    list_display_links = None
    list_filter = ("state", TroubleFilter, ShardFilter)
    list_before_template = "console/partials/town_list_acts.html"
    search_fields = ("name", "slug", "siren", "insee")
    search_help_text = "Nom, adresse, SIREN ou code INSEE"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Town]:
        return queries.towns()

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Show the shard when there is more than one."""
        return (*self.list_display, "shown_shard") if len(shard_aliases()) > 1 else self.list_display

    def get_list_filter(self, request: HttpRequest) -> tuple[Any, ...]:
        return self.list_filter if len(shard_aliases()) > 1 else self.list_filter[:-1]

    @display(description="Base", ordering="shard")
    def shown_shard(self, town: Town) -> str:
        return town.shard

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Redirect to the town's page."""
        town = Town.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        if town is None or not self.has_view_permission(request):
            raise Http404
        return redirect("admin:town", slug=town.slug)

    @display(description="Commune", ordering="name")
    def shown_name(self, town: Town) -> str:
        page = reverse("admin:town", args=[town.slug])
        address = registry.address(town.host) if town.host else ""
        return format_html(
            '<a class="console-town" href="{}">{}</a> {}<br><span class="console-quiet">{}</span>',
            page,
            town.name,
            words.tag("copie", "warn") if town.is_copy else "",
            address.partition("://")[2],
        )

    @display(description="État", ordering="state")
    def shown_state(self, town: Town) -> SafeString:
        return words.tag(town.get_state_display(), words.STATE_TONES.get(town.state, ""))

    @display(description="Prêt", ordering=Coalesce("figures__first_steps", 0))
    def first_steps(self, town: Town) -> str:
        figures = _figures(town)
        return f"{figures.first_steps}/{TOTAL}" if figures and figures.first_steps is not None else NOTHING

    @display(description="Factures", ordering=Coalesce("figures__published_invoices", 0))
    def invoices(self, town: Town) -> str:
        figures = _figures(town)
        return words.number(figures.published_invoices) if figures else NOTHING

    @display(description="À régler", ordering=Coalesce("figures__unpaid", Value(0, models.DecimalField())))
    def unpaid(self, town: Town) -> str:
        figures = _figures(town)
        return format_euros(figures.unpaid) if figures else NOTHING

    @display(description="Import", ordering=Coalesce("figures__last_import_at", LONG_AGO))
    def last_import(self, town: Town) -> str:
        figures = _figures(town)
        return words.day(figures.last_import_at) if figures else NOTHING

    @display(description="Règlement", ordering=Coalesce("figures__last_payment_at", LONG_AGO))
    def last_payment(self, town: Town) -> str:
        figures = _figures(town)
        return words.day(figures.last_payment_at) if figures else NOTHING

    @display(description="Échecs", ordering=Coalesce("figures__failed_mails", 0))
    def failed_mails(self, town: Town) -> str | SafeString:
        figures = _figures(town)
        if not figures:
            return NOTHING
        return words.tag(words.number(figures.failed_mails), "bad") if figures.failed_mails else "0"

    @display(description="PDF", ordering=Coalesce("figures__storage_bytes", 0))
    def storage(self, town: Town) -> str:
        figures = _figures(town)
        return filesizeformat(figures.storage_bytes) if figures else NOTHING

    @display(description="File", ordering=F("figures__waiting_since").asc(nulls_last=True))
    def queue(self, town: Town) -> str | SafeString:
        figures = _figures(town)
        if not figures or figures.waiting_since is None:
            return NOTHING
        return words.age(figures.waiting_since)

    @display(description="Schéma", ordering="schema_version")
    def schema(self, town: Town) -> SafeString:
        return words.tag("en retard", "warn") if queries.is_late(town) else words.tag("à jour", "ok")


class OperationAdmin(ReadOnly):
    """Operations on towns, newest first."""

    list_display = (
        "shown_kind",
        "subject",
        "shown_state",
        "step",
        "shown_actor",
        "requested_at",
        "finished_at",
    )
    list_display_links = None
    list_before_template = "console/partials/operation_list_acts.html"
    list_filter = ("state", KindFilter)
    search_fields = ("subject",)
    search_help_text = "Adresse de la commune"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Operation]:
        return Operation.objects.defer("arguments", "result")  # a list of towns holds much

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Redirect to the operation's page, with its progress."""
        found = Operation.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        if found is None or not self.has_view_permission(request):
            raise Http404
        return redirect("admin:operation", public_id=found.uuid)

    @display(description="Opération", ordering="kind")
    def shown_kind(self, operation: Operation) -> str:
        page = reverse("admin:operation", args=[operation.uuid])
        return format_html('<a class="console-town" href="{}">{}</a>', page, words.kind(operation.kind))

    @display(description="État", ordering="state")
    def shown_state(self, operation: Operation) -> SafeString:
        return words.tag(operation.get_state_display(), words.OPERATION_TONES.get(operation.state, ""))

    @display(description="Demandée par")
    def shown_actor(self, operation: Operation) -> str:
        return words.actor(operation.requested_by, self.operators)


class AuditEntryAdmin(ReadOnly):
    """Who did what on the platform."""

    list_display = ("shown_at", "shown_actor", "shown_verb", "shown_object", "change")
    list_display_links = None
    list_filter = (VerbFilter,)
    search_fields = ("object", "verb", "new")
    search_help_text = "Commune, action ou identifiant"
    date_hierarchy = "at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        return AuditEntry.objects.all()

    @display(description="Date", ordering="at")
    def shown_at(self, entry: AuditEntry) -> str:
        return date_format(entry.at.astimezone(clock.PARIS), "d/m/Y H:i:s")

    @display(description="Auteur", ordering="actor")
    def shown_actor(self, entry: AuditEntry) -> str:
        return words.actor(entry.actor, self.operators)

    @display(description="Action", ordering="verb")
    def shown_verb(self, entry: AuditEntry) -> str:
        return words.verb(entry.verb)

    @display(description="Objet")
    def shown_object(self, entry: AuditEntry) -> str:
        return words.thing(entry, self.operators)

    @display(description="Détail")
    def change(self, entry: AuditEntry) -> str:
        return words.change(entry)


class ErasureAdmin(ReadOnly):
    """The certificates of erased towns."""

    list_display = ("shown_name", "slug", "siren", "erased_at", "reason")
    list_display_links = None
    search_fields = ("name", "slug", "siren")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Redirect to the certificate, a page to print."""
        found = Erasure.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        if found is None or not self.has_view_permission(request):
            raise Http404
        return redirect("admin:certificate", public_id=found.uuid)

    @display(description="Commune", ordering="name")
    def shown_name(self, erasure: Erasure) -> str:
        page = reverse("admin:certificate", args=[erasure.uuid])
        return format_html('<a class="console-town" href="{}">{}</a>', page, erasure.name)


class UnmatchedNotificationAdmin(ReadOnly):
    """Notifications for operations that no town knows, real or forged. Nothing was applied."""

    list_display = ("day", "kind", "number", "last_at", "shown_samples")
    list_display_links = None
    list_filter = ("kind",)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Redirect to the list: there is no detail page."""
        raise Http404

    @display(description="Empreintes des premières")
    def shown_samples(self, row: UnmatchedNotification) -> str:
        return ", ".join(row.samples)
