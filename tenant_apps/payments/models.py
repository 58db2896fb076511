"""Attempts to pay, money received, what it pays."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from shared_apps.accounts.models import Account
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.states import LIVE, AttemptState
from tenant_apps.townhall.models import Mode, Product


class Attempt(models.Model):
    """One try to pay one invoice online. The request is frozen here before the Treasury is called."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="attempts")
    account = models.ForeignKey(Account, null=True, on_delete=models.SET_NULL)
    product = models.ForeignKey(Product, on_delete=models.PROTECT)
    provider = models.CharField(max_length=10)
    state = models.CharField(max_length=10, choices=AttemptState, default=AttemptState.CREATED)
    reason = models.CharField(max_length=300, blank=True)  # in words, for the screen
    # The frozen request
    numcli = models.CharField(max_length=6)
    fiscal_year = models.CharField(max_length=4)
    reference = models.CharField(max_length=30)
    label = models.CharField(max_length=99)
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    email = models.EmailField(max_length=254)  # the provider refuses more than it takes
    mode = models.CharField(max_length=1, choices=[*Mode.choices, ("A", "production TIPI"), ("M", "M")])
    # The Treasury's side
    idop = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001 - NULL until given
    callback_hash = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001 - TIPI's one-use token
    last_answer = models.JSONField(default=dict)
    abandoned_seen_at = models.DateTimeField(null=True)  # A is believed the second time
    # The clock
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    free_at = models.DateTimeField()  # when another attempt may begin at the latest (M11: two hours)
    next_check_at = models.DateTimeField(null=True)
    checks = models.PositiveSmallIntegerField(default=0)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("tentative de paiement")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["invoice"], condition=Q(state__in=LIVE), name="one_live_attempt")
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"], name="attempt_due", condition=Q(next_check_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.get_state_display()}"


class AttemptEvent(models.Model):
    """What happened to an attempt, in order; kept as evidence, also what was not applied."""

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    source = models.CharField(max_length=20)  # return, notification, poller, staff, callback
    old = models.CharField(max_length=10)
    new = models.CharField(max_length=10)
    note = models.CharField(max_length=300, blank=True)
    raw = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.old} → {self.new}"


class Means(models.TextChoices):
    """How money came."""

    CARD = "card", _("carte bancaire")
    DEBIT = "debit", _("prélèvement")
    CASH = "cash", _("espèces")
    CHEQUE = "cheque", _("chèque")
    TRANSFER = "transfer", _("virement")


class Payment(models.Model):
    """Money received. Never deleted; cancelled with a reason."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    attempt = models.OneToOneField(Attempt, null=True, on_delete=models.PROTECT, related_name="payment")
    provider = models.CharField(max_length=10)
    provider_reference = models.CharField(max_length=64)  # idOp, or our own for the counter
    means = models.CharField(max_length=10, choices=Means)
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    paid_on = models.DateField(_("date du règlement"))
    authorization = models.CharField(max_length=40, blank=True)  # numauto, opaque
    recorded_at = models.DateTimeField(auto_now_add=True)
    recorded_by = models.CharField(max_length=254)
    cancelled_at = models.DateTimeField(null=True)
    cancel_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("règlement")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "provider_reference"], name="payment_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_amount_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.amount} €"


class Allocation(models.Model):
    """This much of this money pays this invoice. A trigger keeps the invoice's `paid` equal to their sum."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="allocations")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="allocations")
    amount = models.DecimalField(max_digits=10, decimal_places=2)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["payment", "invoice"], name="allocation_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="allocation_amount_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} € → {self.invoice_id}"


class Declaration(models.Model):
    """A resident's « J'ai réglé » (M10): shown to staff, not money."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    invoice = models.OneToOneField(Invoice, on_delete=models.CASCADE, related_name="declaration")
    account = models.ForeignKey(Account, null=True, on_delete=models.SET_NULL)
    declared_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"« J'ai réglé » {self.invoice_id}"
