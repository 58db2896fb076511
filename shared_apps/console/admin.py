"""What the operator sees of towns and of the trail. Writes go through the services, never through a form."""

from typing import cast

from django.contrib import messages
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from shared_apps.accounts.models import Account
from tenants import registry, services
from tenants.errors import TownError
from tenants.models import Town
from tenants.states import TownState


class ReadOnly(ModelAdmin):
    """Rows to look at."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class TownAdmin(ReadOnly):
    """The towns, their state, and the two switches of today: suspend and resume."""

    list_display = ("name", "slug", "shown_state", "siren", "portal", "created_at")
    list_filter = ("state",)
    search_fields = ("name", "slug", "siren", "insee")
    actions = ("suspend", "resume")

    @display(description="État", label={"ouverte": "success", "suspendue": "warning"})
    def shown_state(self, town: Town) -> str:
        return town.get_state_display()

    @display(description="Portail")
    def portal(self, town: Town) -> str:
        address = registry.address_of(town)
        return format_html('<a href="{}">{}</a>', address, address)

    @action(description="Suspendre (le portail affiche sa page de fermeture)")
    def suspend(self, request: HttpRequest, towns: QuerySet[Town]) -> None:
        self._move(request, towns, TownState.SUSPENDED)

    @action(description="Rouvrir")
    def resume(self, request: HttpRequest, towns: QuerySet[Town]) -> None:
        self._move(request, towns, TownState.OPEN)

    def _move(self, request: HttpRequest, towns: QuerySet[Town], to: TownState) -> None:
        for town in towns:
            try:
                moved = services.set_state(town=town, to=to, actor=cast(Account, request.user))
            except TownError as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self.message_user(request, f"{moved.name} : {moved.get_state_display()}.")


class EntryAdmin(ReadOnly):
    """Who did what on the platform."""

    list_display = ("at", "actor", "verb", "object")
    list_filter = ("verb",)
    search_fields = ("actor", "object")
    date_hierarchy = "at"
