"""Files of the Treasury or of the bank, and their lines."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Attempt, Deposit, Payment
from tenant_apps.reconciliation.states import OPEN, LineState


class Kind(models.TextChoices):
    """Who wrote the file."""

    JOURNAL = "journal", _("journal des paiements du Trésor public")
    BANK = "bank", _("relevé de compte")


class Statement(models.Model):
    """One file as it came, kept in S3, and how its columns are read."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=7, choices=Kind)
    name = models.CharField(max_length=200)  # the clerk's own file name
    key = models.CharField(max_length=200, unique=True)
    sha256 = models.CharField(max_length=64, db_index=True)
    columns = models.CharField(max_length=64, blank=True)  # fingerprint of the titles: the same file layout
    mapping = models.JSONField(default=dict)  # field → title; kept for the next file of the same layout
    new_count = models.PositiveIntegerField(default=0)
    known_count = models.PositiveIntegerField(default=0)  # lines that an earlier file had brought
    first_day = models.DateField(null=True)
    last_day = models.DateField(null=True)
    created_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(auto_now_add=True)
    imported_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("fichier à rapprocher")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name


class Line(models.Model):
    """One line, whatever it says: also one that cannot be read is kept, with its cells as they came."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="lines", db_index=False)
    kind = models.CharField(max_length=7, choices=Kind)
    number = models.PositiveIntegerField()  # in the file
    checksum = models.CharField(max_length=64, unique=True)  # the same line of another file is not a new one
    state = models.CharField(max_length=10, choices=LineState, default=LineState.UNMATCHED)
    reason = models.CharField(max_length=300, blank=True)  # in words
    booked_on = models.DateField(null=True)
    amount = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    idop = models.CharField(max_length=64, blank=True)
    reference = models.CharField(max_length=40, blank=True)  # refdet, letters and digits
    authorization = models.CharField(max_length=40, blank=True)  # numauto
    numcli = models.CharField(max_length=6, blank=True)
    means = models.CharField(max_length=10, blank=True)
    payer_name = models.CharField(max_length=140, blank=True)
    label = models.CharField(max_length=300, blank=True)
    raw = models.JSONField(default=list)  # [title, cell] as they came, in the order of the file
    # What it was found to be, or may be
    payment = models.ForeignKey(Payment, null=True, on_delete=models.PROTECT, related_name="lines")
    deposit = models.ForeignKey(Deposit, null=True, on_delete=models.PROTECT, related_name="lines")
    attempt = models.ForeignKey(Attempt, null=True, on_delete=models.PROTECT, related_name="lines")
    invoice = models.ForeignKey(Invoice, null=True, on_delete=models.PROTECT, related_name="lines")
    decided_by = models.CharField(max_length=254, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("ligne")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "payment"], condition=Q(state="matched"), name="payment_on_one_line"
            ),
            models.UniqueConstraint(
                fields=["kind", "deposit"], condition=Q(state="matched"), name="deposit_on_one_line"
            ),
        ]
        indexes = [
            models.Index(fields=["statement", "state", "id"], name="line_of_statement"),
            models.Index(fields=["statement"], name="line_to_decide", condition=Q(state__in=OPEN)),
        ]

    def __str__(self) -> str:
        return f"{self.statement_id}:{self.number}"
