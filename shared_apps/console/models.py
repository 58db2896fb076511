"""The rows that the operator's pages read, in the registry's public schema."""

from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tenants.models import Town
from toolkit.forms.address_fields import AddressField, kept_normal


class TownFigures(models.Model):
    """The figures of a town, counted after the last fact there (`figures.refresh`).

    The list of towns reads these rows only, never the towns.
    """

    town = models.OneToOneField(Town, on_delete=models.CASCADE, primary_key=True, related_name="figures")
    published_invoices = models.PositiveIntegerField(default=0)
    unpaid = models.DecimalField(max_digits=14, decimal_places=2, default=Decimal("0.00"))  # euros
    last_import_at = models.DateTimeField(null=True)
    last_payment_at = models.DateTimeField(null=True)
    failed_mails = models.PositiveIntegerField(default=0)
    # Of the last week: problem → {"failed": …, "waiting": …} (mail.queries.failing).
    mail_problems = models.JSONField(default=dict, db_default={})
    stuck_mails = models.PositiveIntegerField(
        default=0, db_default=0
    )  # whose problem is not their own address
    bounced_mails = models.PositiveIntegerField(default=0, db_default=0)  # refused by the recipient's server
    failed_imports = models.PositiveIntegerField(
        default=0, db_default=0
    )  # that nobody has given up or repaired
    storage_bytes = models.PositiveBigIntegerField(default=0)  # of the PDFs
    waiting_since = models.DateTimeField(null=True)  # when the oldest overdue work became due
    import_since = models.DateTimeField(null=True)  # when the running import last reported progress
    held_attempts = models.PositiveIntegerField(default=0)  # payments that staff must review
    # How many of the first steps of a town are done (firstday.lines); None: counted by older code.
    first_steps = models.PositiveSmallIntegerField(null=True)
    computed_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["-failed_mails"], name="figures_failed", condition=Q(failed_mails__gt=0)),
            models.Index(
                fields=["waiting_since"], name="figures_waiting", condition=Q(waiting_since__isnull=False)
            ),
            models.Index(
                fields=["import_since"], name="figures_import", condition=Q(import_since__isnull=False)
            ),
            models.Index(fields=["-held_attempts"], name="figures_held", condition=Q(held_attempts__gt=0)),
        ]

    def __str__(self) -> str:
        return f"figures of {self.town_id}"


class Platform(models.Model):
    """The platform about itself: one row."""

    name = models.CharField(_("nom de la plateforme"), max_length=80, default="Mes factures")
    support_email = AddressField(_("adresse de l'assistance"), blank=True)
    support_phone = models.CharField(_("téléphone de l'assistance"), max_length=30, blank=True)
    legal_contact = models.TextField(_("contact légal"), max_length=1000, blank=True)
    banner = models.CharField(_("annonce aux agents"), max_length=300, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="one_platform"),
            kept_normal("platform_support_normal", "support_email", blank=True),
        ]

    def __str__(self) -> str:
        return self.name
