"""Invoices, their PDFs, and the batches that bring them."""

import uuid
from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from tenant_apps.invoices.states import Agreed, Answer, Asked, BatchState, InvoiceState, OnlineHold
from tenant_apps.products.models import Product
from tenant_apps.residents.models import Payer, Source


class Batch(models.Model):
    """One import: its files, its progress, what the check found."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=BatchState, default=BatchState.UPLOADED)
    created_by = models.CharField(max_length=254)  # audit name
    created_at = models.DateTimeField(auto_now_add=True)
    format = models.CharField(max_length=20)  # name of the format in `importing.registry`
    rows_name = models.CharField(max_length=200)  # name of the file on the clerk's computer
    rows_key = models.CharField(max_length=200)
    rows_sha256 = models.CharField(max_length=64, db_index=True)
    documents_name = models.CharField(max_length=200, blank=True)
    documents_key = models.CharField(max_length=200, blank=True)
    documents_sha256 = models.CharField(max_length=64, blank=True)
    # Progress: « vérification 1 200 / 3 000 »
    step = models.CharField(max_length=20, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(null=True)
    # a living worker updates it; when it gets old, another worker takes over
    beat_at = models.DateTimeField(null=True)
    publish_when_ready = models.BooleanField(default=False)  # the command's --publish
    attempts = models.PositiveSmallIntegerField(
        default=0, db_default=0
    )  # workers that began it and did not finish
    next_try_at = models.DateTimeField(null=True)  # after a failure that may pass, not before this
    failure = models.CharField(max_length=300, blank=True, default="", db_default="")  # why it is FAILED
    # Results of the check
    new_count = models.PositiveIntegerField(default=0)
    unchanged_count = models.PositiveIntegerField(default=0)
    error_count = models.PositiveIntegerField(default=0)
    warning_count = models.PositiveIntegerField(default=0)
    change_count = models.PositiveIntegerField(default=0)  # known payers that the file describes differently
    question_count = models.PositiveIntegerField(default=0)  # payers that a person must look at
    late_count = models.PositiveIntegerField(default=0)  # PDFs for invoices that are online without one
    amended_count = models.PositiveIntegerField(
        default=0, db_default=0
    )  # online invoices that the file changes
    refused_count = models.PositiveIntegerField(
        default=0, db_default=0
    )  # rows that are kept aside or refused
    document_count = models.PositiveIntegerField(default=0)
    amount = models.DecimalField(
        max_digits=12, decimal_places=2, default=0
    )  # sum of the new invoices, in euros
    # Ids of products. What whoever sent it works for: its rows may be of these only; empty: of any.
    limited_to = models.JSONField(default=list, db_default=[])
    # What its rows are of, or `limited_to` as long as a row may be of another; empty: nobody knows (toolkit.scope).
    product_ids = models.JSONField(default=list, db_default=[])
    # The clerk publishes the sound rows and keeps the others, to correct them later.
    sets_aside = models.BooleanField(default=False, db_default=False)
    publish_on = models.DateField(_("à publier le"), null=True)  # asked for, not before this day
    published_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("import")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.rows_name} ({self.get_state_display()})"

    @property
    def brings_something(self) -> bool:
        """Whether it has new invoices, or changes known payers or invoices."""
        return bool(self.new_count or self.change_count or self.late_count or self.amended_count)


class Severity(models.TextChoices):
    """An error forbids the publication; a warning does not."""

    ERROR = "error", _("erreur")
    WARNING = "warning", _("à vérifier")


class BatchProblem(models.Model):
    """A problem of a file or of a row, in one French sentence."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="problems")
    severity = models.CharField(max_length=7, choices=Severity)
    line = models.PositiveIntegerField(null=True)
    field = models.CharField(max_length=60, blank=True)
    value = models.CharField(max_length=200, blank=True)
    message = models.CharField(max_length=500)

    class Meta:
        ordering = ["batch", "severity", "line", "id"]

    def __str__(self) -> str:
        return self.message


class RefusedRow(models.Model):
    """A row of a file that has an error: its texts by field, and those that a clerk has corrected since."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="refused_rows", db_index=False)
    line = models.PositiveIntegerField()
    cells = models.JSONField(default=dict)  # field (importing.records.kinds.LABELS) → text of the file
    corrected = models.JSONField(default=dict)  # field → text of the clerk
    corrected_by = models.CharField(max_length=254, blank=True)  # audit name
    corrected_at = models.DateTimeField(null=True)
    is_refused = models.BooleanField(default=True)  # False: the last check took it, corrected

    class Meta:
        ordering = ["batch", "line"]
        constraints = [models.UniqueConstraint(fields=["batch", "line"], name="refused_row_once")]

    def __str__(self) -> str:
        return f"{self.batch_id}:{self.line}"


class Document(models.Model):
    """A PDF in S3, byte for byte as billing made it."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    batch = models.ForeignKey(Batch, null=True, on_delete=models.SET_NULL, related_name="documents")
    key = models.CharField(max_length=200, unique=True)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    pages = models.PositiveSmallIntegerField()
    # Ids of invoices that are online without a PDF and get this one when the batch is published.
    late_for = models.JSONField(default=list, db_default=[])

    class Meta:
        indexes = [models.Index(fields=["sha256"], name="document_by_sha256")]

    def __str__(self) -> str:
        return self.key


class Invoice(models.Model):
    """What a payer owes. A trigger computes `paid` from the allocations (payments, migration 0002)."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    batch = models.ForeignKey(Batch, null=True, on_delete=models.PROTECT, related_name="invoices")
    # db_index=False: an index below begins with this column.
    product = models.ForeignKey(Product, on_delete=models.PROTECT, db_index=False)
    payer = models.ForeignKey(Payer, on_delete=models.PROTECT, related_name="invoices", db_index=False)
    number = models.CharField(_("numéro"), max_length=40)
    fiscal_year = models.PositiveSmallIntegerField(_("exercice"))
    reference = models.CharField(_("référence de paiement"), max_length=30)  # refdet
    subject = models.CharField(_("objet"), max_length=160)
    issued_on = models.DateField(_("date"))
    due_on = models.DateField(_("échéance"))
    online_hold = models.CharField(
        max_length=10, choices=OnlineHold, blank=True
    )  # why it cannot be paid online, set by staff or by billing (debit)
    debit_on = models.DateField(_("prélevée le"), null=True)  # with OnlineHold.DEBIT, when billing says when
    amount = models.DecimalField(_("montant"), max_digits=10, decimal_places=2)
    # What avoirs took off, in euros. `amount` is owed today; `amount + credited` is on the PDF.
    credited = models.DecimalField(_("avoirs"), max_digits=10, decimal_places=2, default=0)
    paid = models.DecimalField(_("réglé"), max_digits=10, decimal_places=2, default=0)
    state = models.CharField(max_length=10, choices=InvoiceState, default=InvoiceState.DRAFT)
    # Several invoices may share a PDF (a bordereau).
    document = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="invoices")
    published_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("facture")
        ordering = ["-issued_on", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["product", "fiscal_year", "number"], name="invoice_once"),
            models.UniqueConstraint(fields=["product", "reference"], name="invoice_reference_once"),
            # One spelling (products.references.canonical), so that equal references are equal texts.
            models.CheckConstraint(
                condition=Q(reference=Upper("reference")), name="invoice_reference_canonical"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="invoice_amount_positive"),
            models.CheckConstraint(
                condition=Q(paid__gte=0) & Q(paid__lte=F("amount")), name="invoice_paid_in_bounds"
            ),
            models.CheckConstraint(
                condition=~Q(state=InvoiceState.CANCELLED) | Q(paid=0),
                name="cancelled_invoice_holds_no_money",
            ),
        ]
        indexes = [models.Index(fields=["payer", "state", "-issued_on"], name="invoice_of_payer")]

    def __str__(self) -> str:
        return self.number

    @property
    def balance(self) -> Decimal:
        """What remains to pay, in euros: zero when the invoice is cancelled."""
        if self.state == InvoiceState.CANCELLED:
            return Decimal("0.00")
        return Decimal(self.amount - self.paid)

    @property
    def original_amount(self) -> Decimal:
        """What billing asked for, in euros: the amount on the PDF."""
        return Decimal(self.amount + self.credited)

    @property
    def is_paid(self) -> bool:
        """Whether it is paid in full (« Réglée »)."""
        return bool(self.paid >= self.amount)


class Credit(models.Model):
    """An avoir: the town takes off a part of an invoice, or cancels it. A trigger forbids to change or delete it."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="credits")
    amount = models.DecimalField(_("montant"), max_digits=10, decimal_places=2)
    amount_before = models.DecimalField(max_digits=10, decimal_places=2)
    cancels = models.BooleanField(default=False)  # it cancels the whole invoice
    reason = models.CharField(_("motif"), max_length=300)  # the resident reads it
    made_by = models.CharField(max_length=254)  # audit name
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("avoir")
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="credit_amount_positive")]

    def __str__(self) -> str:
        return f"{self.amount} € / {self.invoice_id}"


class Amendment(models.Model):
    """What a file says about an invoice that is online already: other values, another payer, another PDF, a credit.

    It counts from the publication of its batch on, and stays as the history of the invoice. `was` and `becomes` have
    the same keys, of: amount (euros, as text), issued_on, due_on (ISO), subject, debit_on.
    """

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="amendments")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="amendments")
    line = models.PositiveIntegerField()
    was = models.JSONField(default=dict)
    becomes = models.JSONField(default=dict)
    payer = models.ForeignKey(Payer, null=True, on_delete=models.PROTECT, related_name="+")  # moved to
    payer_before = models.ForeignKey(Payer, null=True, on_delete=models.PROTECT, related_name="+")
    document = models.ForeignKey(
        Document, null=True, on_delete=models.PROTECT, related_name="+"
    )  # the new one
    document_before = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")
    credit = models.DecimalField(max_digits=10, decimal_places=2, null=True)  # euros that the file takes off
    credit_name = models.CharField(max_length=120, blank=True)  # names the credit in its source
    cancels = models.BooleanField(default=False)
    reason = models.CharField(max_length=300, blank=True)  # of the credit; the resident reads it
    # A person must agree: the payer changes, or money was received on the invoice.
    asks = models.BooleanField(default=False)
    answer = models.CharField(max_length=5, choices=Agreed, blank=True)
    answered_by = models.CharField(max_length=254, blank=True)  # audit name
    answered_at = models.DateTimeField(null=True)
    applied_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["batch", "line", "id"]

    def __str__(self) -> str:
        return f"{self.batch_id} → {self.invoice_id}"


class PayerUpdate(models.Model):
    """What the file of a batch says about one payer. It counts from the publication on.

    `said` has a key only for a column of the file (title, last_name, first_name, address, postcode, city, emails: a
    list), and an empty value for an empty cell. `was` has the town's values under the same keys, of this payer or of
    `looks_like`. After the publication, rows that changed or asked something are kept.
    """

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="payer_updates", db_index=False)
    payer = models.ForeignKey(Payer, on_delete=models.CASCADE, related_name="+")
    line = models.PositiveIntegerField()  # the first line with this payer
    said = models.JSONField(default=dict)
    was = models.JSONField(default=dict)
    is_new = models.BooleanField(default=False)  # no payer of the source has this code
    changes = models.BooleanField(default=False)  # `said` differs from what the town has about a known payer
    # What a person must answer, and why: data that `importing.people.questions` puts into words.
    asks = models.CharField(max_length=6, choices=Asked, blank=True)
    reasons = models.JSONField(default=list)
    looks_like = models.ForeignKey(Payer, null=True, on_delete=models.CASCADE, related_name="+")
    answer = models.CharField(max_length=5, choices=Answer, blank=True)
    answered_by = models.CharField(max_length=254, blank=True)  # audit name
    answered_at = models.DateTimeField(null=True)
    applied_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["batch", "line", "id"]
        constraints = [models.UniqueConstraint(fields=["batch", "payer"], name="payer_update_once")]

    def __str__(self) -> str:
        return f"{self.batch_id} → {self.payer_id}"
