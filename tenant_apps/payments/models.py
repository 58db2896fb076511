"""The tables of payments: attempts to pay online, money received, and what that money pays."""

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
    """One attempt to pay one or several invoices of a product online. The request is stored before the call."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # The invoice whose page the payer comes back to: the only one, or the first of several.
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="+")
    several = models.BooleanField(default=False)
    invoices = models.ManyToManyField(Invoice, through="AttemptInvoice", related_name="attempts")
    account = models.ForeignKey(Account, null=True, on_delete=models.SET_NULL)
    product = models.ForeignKey(Product, on_delete=models.PROTECT)
    provider = models.CharField(max_length=10)
    state = models.CharField(max_length=10, choices=AttemptState, default=AttemptState.CREATED)
    reason = models.CharField(max_length=300, blank=True)  # why it has this state, a sentence for the screen
    # The request, which never changes
    merchant = models.CharField(max_length=40)  # the product's number at its provider
    fiscal_year = models.CharField(max_length=4)
    reference = models.CharField(max_length=30)
    label = models.CharField(max_length=99)
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    # Empty once the payer is erased. The provider refuses an address that is too long for it.
    email = AddressField(max_length=254, blank=True)
    mode = models.CharField(max_length=1, choices=Mode)
    # What the provider says, which only its own code reads
    operation = models.CharField(max_length=64, null=True)  # noqa: DJ001 - its name there, NULL until given
    callback_hash = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001 - of our one-use token
    outcome = models.CharField(max_length=16, blank=True)  # the last answer, a providers.base.Outcome
    answer = models.JSONField(default=dict)  # the last answer, cut to a size (online.moves.evidence)
    abandoned_seen_at = models.DateTimeField(null=True)  # « abandoned » counts when it is said twice
    # Dates
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    # When another attempt may begin at the latest (two hours: docs/manual.md, M11).
    free_at = models.DateTimeField()
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
            # The accountant's lists name an attempt by its reference.
            models.Index(fields=["reference"], name="attempt_reference"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.get_state_display()}"


class AttemptInvoice(models.Model):
    """The amount that an attempt pays of one invoice: a row for each invoice of each attempt.

    Triggers (migration 0002) write the row of an attempt on one invoice, set `live` from the attempt's state, and
    refuse any other change.
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
    """One event of an attempt, kept as evidence even when it was not applied."""

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
    """How the payer paid."""

    CARD = "card", _("carte bancaire")
    DEBIT = "debit", _("prélèvement")
    CASH = "cash", _("espèces")
    CHEQUE = "cheque", _("chèque")
    TRANSFER = "transfer", _("virement")


class Deposit(models.Model):
    """A deposit (bordereau de remise): cheques, or cash, for the bank. A trigger refuses any change of it."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    product = models.ForeignKey(Product, on_delete=models.PROTECT)  # the régie: each has its own bank account
    year = models.PositiveSmallIntegerField()
    number = models.PositiveIntegerField()  # counted per year, without a gap
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
        """The number printed on the deposit: « 2026-0007 »."""
        return f"{self.year}-{self.number:04}"


class Payment(models.Model):
    """Money received. A payment is never deleted; staff cancel it with a reason."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    attempt = models.OneToOneField(Attempt, null=True, on_delete=models.PROTECT, related_name="payment")
    # The product that received it. It never changes, and the payment pays only invoices of this product.
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="payments")
    provider = models.CharField(max_length=10)
    provider_reference = models.CharField(max_length=64)  # the operation; at the counter, our own
    means = models.CharField(max_length=10, choices=Means)
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    paid_on = models.DateField(_("date du règlement"))
    authorization = models.CharField(max_length=40, blank=True)  # as the provider gave it
    # The payer whose money this is: money left over may pay their other invoices.
    payer = models.ForeignKey(Payer, null=True, on_delete=models.PROTECT, related_name="payments")
    # What was typed at the counter (counter.booking.PaymentDetails)
    bank = models.CharField(_("banque"), max_length=60, blank=True)
    # Of the cheque, or the reference of the transfer.
    number = models.CharField(_("numéro"), max_length=40, blank=True)
    drawer = models.CharField(_("tireur"), max_length=80, blank=True)
    deposit = models.ForeignKey(Deposit, null=True, on_delete=models.PROTECT, related_name="payments")
    # Triggers keep it (migration 0002): amount - allocations - refunds, in euros, never below zero.
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
        """The euros that pay no invoice and were not given back; zero for a cancelled payment.

        Everything that shows money left over reads this.
        """
        return Decimal("0.00") if self.cancelled_at is not None else self.unallocated


class Allocation(models.Model):
    """The amount of a payment that pays one invoice. A trigger sets the invoice's `paid` to the sum of these."""

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
    """A resident says « J'ai réglé » (docs/manual.md, M10). Staff see it; it is not money."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    invoice = models.OneToOneField(Invoice, on_delete=models.CASCADE, related_name="declaration")
    account = models.ForeignKey(Account, null=True, on_delete=models.SET_NULL)
    declared_at = models.DateTimeField(auto_now_add=True)
    # Set when staff found no money, with their answer to the resident, who may declare again.
    refused_at = models.DateTimeField(null=True)
    refused_by = models.CharField(max_length=254, blank=True)
    answer = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return f"« J'ai réglé » {self.invoice_id}"


class FindingKind(models.TextChoices):
    """The kinds of findings. None of what they report was applied."""

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
    """Something that is wrong: a forged return, a difference found by the nightly audit.

    It is never deleted. Staff see it until somebody closes it, or until the audit no longer finds it.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=12, choices=FindingKind)
    key = models.CharField(max_length=120, unique=True)  # the same finding seen again is counted on one row
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
    """A payment that a manager makes to open a product (T, then X). It has no invoice and no Payment.

    So it cannot pay anything.
    """

    __test__ = False  # pytest must not take it for a class of tests
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
        db_table = "payments_trial"  # the model's former name, kept in the database
        constraints = [
            kept_normal("trial_email_normal"),
            models.UniqueConstraint(fields=["operation", "provider"], name="trial_operation_once"),
        ]
        verbose_name = _("paiement d'essai")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.mode} {self.get_state_display()}"


class Refund(models.Model):
    """Money that staff gave back outside of the portal, because PayFiP has no refund."""

    class By(models.TextChoices):
        """How the money was given back."""

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
    """What a line of the ledger records."""

    RECEIVED = "received", _("encaissement")
    REALLOCATED = "realloc", _("réaffectation")
    REFUNDED = "refunded", _("remboursement")
    CANCELLED = "cancelled", _("annulation")


class LedgerLine(models.Model):
    """What one act on a payment changed, on the day of that act. A trigger refuses to change or delete a line.

    The figures of a day, of a month and of the accountant's file are sums of these lines, so a later act never
    changes a past day. Amounts are signed euros. The lines of a payment add up to its amount less its refunds, or
    to zero once it is cancelled. Its lines on one invoice add up to what it pays of that invoice.
    """

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="ledger_lines")
    # NULL: this money pays no invoice.
    invoice = models.ForeignKey(Invoice, null=True, on_delete=models.PROTECT, related_name="+")
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
