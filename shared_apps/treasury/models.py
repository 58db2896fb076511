"""The tables that say which town an operation belongs to, and the notifications that could not be delivered."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.models import Town


class Route(models.Model):
    """The town of an operation or one-use token, which is stored as a hash. It says nothing about the payment."""

    fingerprint = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=10)  # the name of a provider
    town = models.ForeignKey(Town, on_delete=models.CASCADE)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.fingerprint[:8]}"


class WaitingNotification(models.Model):
    """A notification for a town that is being moved. It is delivered when the town can be written again.

    It is kept in the registry's database, because some providers send a result once and cannot be asked.
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
    """The notifications of one day for operations of no town: one row per day and provider.

    So many forged calls cannot fill the database.
    """

    day = models.DateField(_("jour"))
    kind = models.CharField(_("protocole"), max_length=10)
    number = models.PositiveIntegerField(_("nombre"), default=1)
    samples = models.JSONField(default=list)  # the first hashes only: a token may be a valid secret
    last_at = models.DateTimeField(_("la dernière"), auto_now=True)

    class Meta:
        db_table = "treasury_stray"
        verbose_name = _("sonnerie sans commune")
        verbose_name_plural = _("sonneries sans commune")
        ordering = ["-day", "kind"]
        constraints = [models.UniqueConstraint(fields=["day", "kind"], name="stray_once_a_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.kind}: {self.number}"
