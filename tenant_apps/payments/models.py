"""Attempts to pay, money received, what it pays."""

import uuid
from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from shared_apps.accounts.models import Account
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.states import AttemptState, TestPaymentState
from tenant_apps.products.models import Mode, Product
from tenant_apps.residents.models import Payer
from toolkit.forms.address_fields import AddressField, kept_normal


class Attempt(models.Model):
    """One try to pay online one invoice, or several of a régie. Frozen here before the provider is called."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # The one that the payer comes back to: the only one, or the first of several.
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="+")
    several = models.BooleanField(default=False)
    invoices = models.ManyToManyField(Invoice, through="AttemptInvoice", related_name="attempts")
    account = models.ForeignKey(Account, null=True, on_delete=models.SET_NULL)
    product = models.ForeignKey(Product, on_delete=models.PROTECT)
    provider = models.CharField(max_length=10)
    state = models.CharField(max_length=10, choices=AttemptState, default=AttemptState.CREATED)
    reason = models.CharField(max_length=300, blank=True)  # in words, for the screen
    # The frozen request
    merchant = models.CharField(max_length=40)  # the product's number at its provider
    fiscal_year = models.CharField(max_length=4)
    reference = models.CharField(max_length=30)
    label = models.CharField(max_length=99)
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    # Empty once erased; the provider refuses more than it takes.
    email = AddressField(max_length=254, blank=True)
    mode = models.CharField(max_length=1, choices=Mode)
    # The provider's side, which only the provider understands
    operation = models.CharField(max_length=64, null=True)  # noqa: DJ001 - its identity there, NULL until given
    callback_hash = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001 - of our one-use token
    outcome = models.CharField(max_length=16, blank=True)  # of the last answer: a providers.base.Outcome
    answer = models.JSONField(default=dict)  # as received, bounded (online.moves.evidence)
    abandoned_seen_at = models.DateTimeField(null=True)  # « abandoned » is believed the second time
    # The clock
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    free_at = (
        models.DateTimeField()
    )  # when another attempt may begin at the latest (two hours: docs/manual.md, M11)
    next_check_at = models.DateTimeField(null=True)
    checks = models.PositiveSmallIntegerField(default=0)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            kept_normal("attempt_email_normal", blank=True),
            models.UniqueConstraint(fields=["operation", "provider"], name="attempt_operation_once"),
        ]
        verbose_name = _("tentative de paiement")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["next_check_at"], name="attempt_due", condition=Q(next_check_at__isnull=False)
            ),
            models.Index(
                fields=["reference"], name="attempt_reference"
            ),  # the accountant's lists know it by that
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.get_state_display()}"


class AttemptInvoice(models.Model):
    """What an attempt pays of one invoice, frozen with it: a row for every attempt and each of its invoices.

    The database (migration 0008) writes the row of an attempt on one invoice, keeps `live` as the attempt's state
    says it, and refuses any other change.
    """

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="parts", db_index=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="attempt_parts")
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    live = models.BooleanField(default=True)

    class Meta:
        ordering = ["invoice_id"]
        constraints = [
            models.UniqueConstraint(fields=["attempt", "invoice"], name="attempt_invoice_once"),
            models.UniqueConstraint(fields=["invoice"], condition=Q(live=True), name="one_live_attempt"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="attempt_part_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} € → {self.invoice_id}"


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


class Deposit(models.Model):
    """A bordereau de remise: cheques or cash for the bank. Closed when it is made; never changed (a trigger)."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    product = models.ForeignKey(Product, on_delete=models.PROTECT)  # the régie: each has its own bank account
    year = models.PositiveSmallIntegerField()
    number = models.PositiveIntegerField()  # in the year, without a gap
    means = models.CharField(max_length=10, choices=Means)
    deposited_on = models.DateField(_("date de la remise"))
    total = models.DecimalField(_("total"), max_digits=12, decimal_places=2)
    count = models.PositiveIntegerField(_("nombre"))
    closed_by = models.CharField(max_length=254)  # audit name
    closed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("remise")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["year", "number"], name="deposit_number_once"),
            models.CheckConstraint(condition=Q(total__gt=0) & Q(count__gt=0), name="deposit_not_empty"),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """« 2026-0007 », as the docket says."""
        return f"{self.year}-{self.number:04}"


class Payment(models.Model):
    """Money received. Never deleted; cancelled with a reason."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    attempt = models.OneToOneField(Attempt, null=True, on_delete=models.PROTECT, related_name="payment")
    # The régie that received it, for ever: all it pays is of that régie (payments.ledger).
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="payments")
    provider = models.CharField(max_length=10)
    provider_reference = models.CharField(max_length=64)  # the operation, or our own for the counter
    means = models.CharField(max_length=10, choices=Means)
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    paid_on = models.DateField(_("date du règlement"))
    authorization = models.CharField(max_length=40, blank=True)  # as the provider gave it
    # Whose money it is: what is left over may pay this payer's other invoices.
    payer = models.ForeignKey(Payer, null=True, on_delete=models.PROTECT, related_name="payments")
    # The paper of the counter
    bank = models.CharField(_("banque"), max_length=60, blank=True)
    number = models.CharField(
        _("numéro"), max_length=40, blank=True
    )  # of the cheque, reference of the transfer
    drawer = models.CharField(_("tireur"), max_length=80, blank=True)
    deposit = models.ForeignKey(Deposit, null=True, on_delete=models.PROTECT, related_name="payments")
    # Kept by the database (migration 0006): amount - allocations - refunds, in euros, never below zero.
    unallocated = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    recorded_at = models.DateTimeField(auto_now_add=True)
    recorded_by = models.CharField(max_length=254)
    cancelled_at = models.DateTimeField(null=True)
    cancelled_by = models.CharField(max_length=254, blank=True)
    cancel_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("règlement")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "provider_reference"], name="payment_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_amount_positive"),
            models.CheckConstraint(condition=Q(unallocated__gte=0), name="payment_not_spent_twice"),
        ]
        indexes = [
            models.Index(fields=["paid_on"], name="payment_day"),
            models.Index(
                fields=["means", "-id"],
                name="payment_to_deposit",
                condition=Q(deposit=None, cancelled_at=None, means__in=["cheque", "cash"]),
            ),
            models.Index(
                fields=["-id"], name="payment_left_over", condition=Q(unallocated__gt=0, cancelled_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.amount} €"

    @property
    def left_over(self) -> Decimal:
        """What of it pays no invoice and was not given back, in euros: the one definition; nothing once cancelled."""
        return Decimal("0.00") if self.cancelled_at is not None else self.unallocated


class Allocation(models.Model):
    """This much of this money pays this invoice. A trigger keeps the invoice's `paid` equal to their sum."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="allocations", db_index=False)
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
    """A resident's « J'ai réglé » (docs/manual.md, M10): shown to staff, not money."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    invoice = models.OneToOneField(Invoice, on_delete=models.CASCADE, related_name="declaration")
    account = models.ForeignKey(Account, null=True, on_delete=models.SET_NULL)
    declared_at = models.DateTimeField(auto_now_add=True)
    # Staff looked and found nothing: their words to the resident, who may declare again.
    refused_at = models.DateTimeField(null=True)
    refused_by = models.CharField(max_length=254, blank=True)
    answer = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return f"« J'ai réglé » {self.invoice_id}"


class FindingKind(models.TextChoices):
    """What staff are asked to look at. Nothing of it was applied."""

    CLAIM = "claim", _("annonce d'un paiement que le Trésor public ne confirme pas")
    FORGED = "forged", _("retour qui ne correspond pas à la demande")
    REPLAYED = "replayed", _("retour présenté une seconde fois")
    LATE = "late", _("paiement annoncé pendant une autre tentative")
    DIFFERS = "differs", _("réponse du Trésor public qui ne correspond pas à la demande")
    CLOSED = "closed", _("service fermé par le Trésor public")
    PAID_DIFFERS = "audit_paid", _("montant réglé différent de la somme des règlements")
    OVERSPENT = "audit_spent", _("règlement affecté au-delà de son montant")
    LEFT_OVER_DIFFERS = "audit_left", _("reste d'un règlement différent de ce qui n'est pas affecté")
    LEDGER_DIFFERS = "audit_days", _("journées qui ne font pas le compte des règlements")
    NO_PAYMENT = "audit_lost", _("tentative payée sans règlement enregistré")
    NO_ATTEMPT = "audit_state", _("règlement enregistré alors que la tentative n'est pas payée")
    AMOUNT_DIFFERS = "audit_sum", _("règlement d'un autre montant que la tentative")
    PARTS_DIFFER = "audit_parts", _("tentative d'un autre montant que la somme de ses factures")
    TEST_MONEY = "audit_test", _("paiement d'essai enregistré comme un règlement")


class Finding(models.Model):
    """Evidence of something that does not add up: a forged return, a difference seen by the nightly audit.

    Kept for ever, shown to staff until somebody closes it (or until the audit no longer sees it).
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=12, choices=FindingKind)
    key = models.CharField(max_length=120, unique=True)  # the same thing seen again is counted, not repeated
    attempt = models.ForeignKey(Attempt, null=True, on_delete=models.CASCADE, related_name="findings")
    invoice = models.ForeignKey(Invoice, null=True, on_delete=models.CASCADE, related_name="findings")
    product = models.ForeignKey(Product, null=True, on_delete=models.CASCADE, related_name="findings")
    details = models.JSONField(default=dict)
    times = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField(auto_now_add=True)
    last_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=254, blank=True)  # audit name
    answer = models.CharField(max_length=300, blank=True)  # what staff found

    class Meta:
        verbose_name = _("constat")
        ordering = ["-id"]
        indexes = [models.Index(fields=["-last_at"], name="finding_open", condition=Q(closed_at=None))]

    def __str__(self) -> str:
        return self.get_kind_display()


class TestPayment(models.Model):
    """A payment made to open a product (T, then X). No invoice and no Payment hang on it: it can pay nothing."""

    __test__ = False  # not a test, whatever pytest may read in its name
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="test_payments")
    state = models.CharField(max_length=10, choices=TestPaymentState, default=TestPaymentState.CREATED)
    provider = models.CharField(max_length=10)
    mode = models.CharField(max_length=1, choices=Mode)
    merchant = models.CharField(max_length=40)  # the product's number at its provider
    fiscal_year = models.CharField(max_length=4)
    reference = models.CharField(max_length=30)
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    email = AddressField(max_length=254)
    means = models.CharField(max_length=10, choices=Means, blank=True)  # card or debit, once paid
    reason = models.CharField(max_length=300, blank=True)
    operation = models.CharField(max_length=64, null=True)  # noqa: DJ001 - NULL until given
    callback_hash = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001 - of our one-use token
    outcome = models.CharField(max_length=16, blank=True)
    answer = models.JSONField(default=dict)
    started_by = models.CharField(max_length=254)  # audit name
    started_at = models.DateTimeField(auto_now_add=True)
    next_check_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        db_table = "payments_trial"  # its first name; the constraints keep it too
        constraints = [
            kept_normal("trial_email_normal"),
            models.UniqueConstraint(fields=["operation", "provider"], name="trial_operation_once"),
        ]
        verbose_name = _("paiement d'essai")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.mode} {self.get_state_display()}"


class Refund(models.Model):
    """Money given back outside of the portal (PayFiP has no refund): a note of staff's."""

    class By(models.TextChoices):
        """How it was given back."""

        TRANSFER = "transfer", _("virement")
        CHEQUE = "cheque", _("chèque")
        CASH = "cash", _("espèces")
        TREASURY = "treasury", _("par le comptable public")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    amount = models.DecimalField(_("montant"), max_digits=10, decimal_places=2)
    refunded_on = models.DateField(_("date du remboursement"))
    means = models.CharField(_("moyen"), max_length=10, choices=By)
    reason = models.CharField(_("motif"), max_length=300)
    recorded_by = models.CharField(max_length=254)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("remboursement")
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="refund_amount_positive")]

    def __str__(self) -> str:
        return f"{self.amount} €"


class Nature(models.TextChoices):
    """What a line of the ledger says of its payment's money."""

    RECEIVED = "received", _("encaissement")
    REALLOCATED = "realloc", _("réaffectation")
    REFUNDED = "refunded", _("remboursement")
    CANCELLED = "cancelled", _("annulation")


class LedgerLine(models.Model):
    """What one act on a payment's money changed, on the day of that act. Never changed, never deleted (a trigger).

    The figures of a day, the month and the accountant's file are sums of these lines, so a later act never changes
    a day that is over. Amounts are signed euros. Of a payment, the lines add up to what the town still holds of it:
    its amount less its refunds, or zero once it is cancelled; of its lines on one invoice, to what it pays of it.
    """

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="ledger_lines")
    invoice = models.ForeignKey(
        Invoice, null=True, on_delete=models.PROTECT, related_name="+"
    )  # NULL: pays none
    refund = models.OneToOneField(Refund, null=True, on_delete=models.PROTECT, related_name="+")
    nature = models.CharField(max_length=9, choices=Nature)
    day = models.DateField()
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    recorded_at = models.DateTimeField(auto_now_add=True)
    recorded_by = models.CharField(max_length=254)

    class Meta:
        verbose_name = _("écriture")
        ordering = ["day", "id"]
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="ledger_line_not_empty")]
        indexes = [models.Index(fields=["day"], name="ledger_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.nature} {self.amount} €"
