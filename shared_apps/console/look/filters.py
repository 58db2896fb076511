"""Filters of the console's lists. Their choices need no query."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from shared_apps.audit.models import AuditEntry
from shared_apps.console import queries
from shared_apps.console.look import words
from tenants.current import shard_aliases
from tenants.models import Operation, Town
from toolkit import clock


class ShardFilter(admin.SimpleListFilter):
    """By shard; hidden while there is only one."""

    title, parameter_name = "base", "base"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(shard, shard) for shard in shard_aliases()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Town]) -> QuerySet[Town]:
        return queryset.filter(shard=self.value()) if self.value() else queryset


class TroubleFilter(admin.SimpleListFilter):
    """By what needs an operator's attention."""

    title, parameter_name = "attention", "attention"
    CHOICES = {
        "schema": "schéma en retard",
        "courriels": "courriels en échec",
        "import": "import en retard",
        "file": "travail en retard",
        "paiements": "paiements à examiner",
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(self.CHOICES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Town]) -> QuerySet[Town]:
        late = clock.now() - queries.LATE
        wanted: dict[str | None, Any] = {
            "schema": {"pk__in": queries.late_towns().values("pk")},
            "courriels": {"figures__failed_mails__gt": 0},
            "import": {"figures__import_since__lt": late},
            "file": {"figures__waiting_since__lt": late},
            "paiements": {"figures__held_attempts__gt": 0},
        }
        return queryset.filter(**wanted.get(self.value(), {}))


class VerbFilter(admin.SimpleListFilter):
    """By act, under its French name."""

    title, parameter_name = "action", "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return words.verbs_here()

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(verb=self.value()) if self.value() else queryset


class KindFilter(admin.SimpleListFilter):
    """By kind of operation, under its French name."""

    title, parameter_name = "opération", "operation"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(words.KINDS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Operation]) -> QuerySet[Operation]:
        return queryset.filter(kind=self.value()) if self.value() else queryset
