"""Which town an operation at the Treasury belongs to."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.models import Town


class Route(models.Model):
    """The hash of an operation (or of our one-use token) → its town. Says nothing of what is paid."""

    fingerprint = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=10)  # the name of a provider
    town = models.ForeignKey(Town, on_delete=models.CASCADE)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.fingerprint[:8]}"


class WaitingNotification(models.Model):
    """A bell for a town that was being moved, in the registry: rung as soon as the town is written again.

    Some providers say each thing once, and nothing can be asked of them.
    """

    town = models.ForeignKey(Town, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10)
    token = models.CharField(max_length=200)
    fields = models.JSONField(default=dict)
    received_at = models.DateTimeField(auto_now_add=True, db_column="rung_at")

    class Meta:
        db_table = "treasury_waitingbell"
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.kind} for {self.town_id}"


class UnmatchedNotification(models.Model):
    """Bells for operations that nobody knows: one row a day and kind, so that a flood cannot fill the database."""

    day = models.DateField(_("jour"))
    kind = models.CharField(_("protocole"), max_length=10)
    number = models.PositiveIntegerField(_("nombre"), default=1)
    samples = models.JSONField(default=list)  # the first fingerprints; a token may still be somebody's secret
    last_at = models.DateTimeField(_("la dernière"), auto_now=True)

    class Meta:
        db_table = "treasury_stray"
        verbose_name = _("sonnerie sans commune")
        verbose_name_plural = _("sonneries sans commune")
        ordering = ["-day", "kind"]
        constraints = [models.UniqueConstraint(fields=["day", "kind"], name="stray_once_a_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.kind}: {self.number}"
