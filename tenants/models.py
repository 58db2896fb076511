"""The registry of towns, in the public schema."""

import uuid
from datetime import date, timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_tenants.models import DomainMixin, TenantMixin

from tenants.states import SERVED, TownState
from toolkit.clock import PARIS


class Town(TenantMixin):
    """One municipality: its schema, its legal name, its state."""

    auto_create_schema = False  # tenants.schema.provisioning copies the template instead (docs/scale.md §1)
    auto_drop_schema = False

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.SlugField(_("adresse"), max_length=40, unique=True)
    name = models.CharField(_("nom"), max_length=120)
    legal_name = models.CharField(_("nom légal"), max_length=160, blank=True)
    siren = models.CharField("SIREN", max_length=9, blank=True)
    insee = models.CharField("INSEE", max_length=5, blank=True)
    state = models.CharField(_("état"), max_length=10, choices=TownState, default=TownState.OPENING)
    # The alias of the database that holds its schema, and a copy of this row (see mirrors).
    shard = models.CharField(max_length=40, default="default", editable=False)
    schema_version = models.CharField(max_length=64, blank=True, editable=False)
    closes_at = models.DateTimeField(_("ferme le"), null=True, blank=True, editable=False)
    # Set while the town moves to another shard: pages can be read, nothing can be written.
    read_only_since = models.DateTimeField(null=True, blank=True, editable=False)
    # The UUID of the town of which this one is a copy, restored beside it from an archive; null for every other town.
    copy_of = models.UUIDField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("commune")
        ordering = ["name"]
        indexes = [
            models.Index(
                fields=["closes_at"], name="town_closing", condition=models.Q(state=TownState.CLOSING)
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_served(self) -> bool:
        """Whether its pages answer and its work is done."""
        return self.state in SERVED

    @property
    def is_copy(self) -> bool:
        """Whether it is a copy of another town, to be looked at: its pages say so."""
        return self.copy_of is not None

    @property
    def last_day(self) -> date | None:
        """The last day (Paris) on which a closing town answers; None when it is not closing."""
        if self.state != TownState.CLOSING or self.closes_at is None:
            return None
        return (self.closes_at - timedelta(seconds=1)).astimezone(PARIS).date()


class DomainKind(models.TextChoices):
    """Where a host name comes from. It decides what a host does when it is not primary."""

    PLATFORM = "platform", _("adresse de la plateforme")
    FORMER = "former", _("ancienne adresse, qui redirige")
    CUSTOM = "custom", _("domaine de la commune")


class Domain(DomainMixin):
    """A host name of a town; the primary one is where links lead.

    A custom one answers only once its owner has put `proof` in a DNS record (`proven_at`).
    """

    kind = models.CharField(max_length=10, choices=DomainKind, default=DomainKind.PLATFORM)
    proof = models.CharField(max_length=40, blank=True)
    proven_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("nom de domaine")

    @property
    def is_served(self) -> bool:
        """Whether this host answers browsers."""
        return self.kind != DomainKind.CUSTOM or self.proven_at is not None


class SchemaSnapshot(models.Model):
    """The SQL that makes a town's schema, dumped from the template. One row per version; the last one is used.

    `migrations` are the names (`app.name`) that the version stands for.
    """

    version = models.CharField(max_length=64, unique=True)
    migrations = models.JSONField(default=list)
    sql = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.version


class SchemaStep(models.Model):
    """The SQL that one migration ran on the template. Towns get this SQL instead of running the migration.

    `statements` is null when the migration must run town by town (it has Python, or refuses a transaction).
    """

    name = models.CharField(max_length=200, unique=True)  # app.name
    statements = models.JSONField(null=True)

    def __str__(self) -> str:
        return self.name


class AgendaItem(models.Model):
    """Work that a town has due (decision 0003): beat reads this table and never walks the towns."""

    town = models.ForeignKey(Town, on_delete=models.CASCADE, related_name="agenda")
    kind = models.CharField(max_length=40)
    due_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["town", "kind"], name="one_agenda_item_a_kind")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.town_id}"


class OperationState(models.TextChoices):
    """How far an operation is."""

    WAITING = "waiting", _("en attente")
    RUNNING = "running", _("en cours")
    DONE = "done", _("terminée")
    FAILED = "failed", _("échouée")


LIVE = (OperationState.WAITING, OperationState.RUNNING)


class Operation(models.Model):
    """Long work on a town that somebody asked for and that survives a kill -9: see `operations`.

    `subject` is the slug, which exists before and after the town. A slug has at most one live operation.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(_("opération"), max_length=20)
    town = models.ForeignKey(Town, on_delete=models.SET_NULL, null=True, related_name="operations")
    subject = models.CharField(_("commune"), max_length=40)
    arguments = models.JSONField(default=dict)
    requested_by = models.CharField(_("demandée par"), max_length=254)
    state = models.CharField(_("état"), max_length=10, choices=OperationState, default=OperationState.WAITING)
    step = models.CharField(_("étape"), max_length=120, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(
        default=timezone.now
    )  # not before this; moved later after a temporary failure
    error = models.TextField(_("erreur"), blank=True)
    result = models.JSONField(default=dict)
    requested_at = models.DateTimeField(_("demandée le"), auto_now_add=True)
    finished_at = models.DateTimeField(_("terminée le"), null=True)

    class Meta:
        verbose_name = _("opération")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject"], condition=models.Q(state__in=LIVE), name="one_live_operation"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} · {self.subject}"


class Erasure(models.Model):
    """The certificate of an erased town."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    town_uuid = models.UUIDField()
    slug = models.CharField(_("adresse"), max_length=40)
    name = models.CharField(_("commune"), max_length=120)
    siren = models.CharField("SIREN", max_length=9, blank=True)
    erased_at = models.DateTimeField(_("effacée le"), auto_now_add=True)
    requested_by = models.CharField(_("demandé par"), max_length=254)
    reason = models.TextField(_("motif"))
    counts = models.JSONField(default=dict)  # table → rows, and other things destroyed

    class Meta:
        verbose_name = _("certificat d'effacement")
        verbose_name_plural = _("certificats d'effacement")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.slug})"
