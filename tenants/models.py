"""The registry of towns, in the public schema."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_tenants.models import DomainMixin, TenantMixin

from tenants.states import TownState


class Town(TenantMixin):
    """One municipality: its schema, its legal name, its state."""

    auto_create_schema = False  # tenants.provisioning copies the template instead (scale.md §1)
    auto_drop_schema = False

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.SlugField(_("adresse"), max_length=40, unique=True)
    name = models.CharField(_("nom"), max_length=120)
    siren = models.CharField("SIREN", max_length=9, blank=True)
    insee = models.CharField("INSEE", max_length=5, blank=True)
    state = models.CharField(_("état"), max_length=10, choices=TownState, default=TownState.OPENING)
    shard = models.CharField(max_length=40, default="default", editable=False)
    schema_version = models.CharField(max_length=64, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("commune")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Domain(DomainMixin):
    """A host name of a town; the primary one is where links lead."""

    class Meta:
        verbose_name = _("nom de domaine")


class SchemaSnapshot(models.Model):
    """The SQL that makes a town's schema, dumped from the template; one row a version, the last one serves."""

    version = models.CharField(max_length=64, unique=True)
    sql = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.version


class AgendaItem(models.Model):
    """Work that a town has due (design §5.6): beat reads this table and never walks the towns."""

    town = models.ForeignKey(Town, on_delete=models.CASCADE, related_name="agenda")
    kind = models.CharField(max_length=40)
    due_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["town", "kind"], name="one_agenda_item_a_kind")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.town_id}"
