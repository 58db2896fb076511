"""Files of the Treasury or of the bank, and their rows."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Attempt, Deposit, Payment
from tenant_apps.reconciliation.states import OPEN, StatementRowState, StatementState


class Kind(models.TextChoices):
    """Who wrote the file."""

    JOURNAL = "journal", _("journal des paiements du Trésor public")
    BANK = "bank", _("relevé de compte")
    RETURN = "pes", _("PES retour de recettes du Trésor public")


TREASURY = (Kind.JOURNAL, Kind.RETURN)  # what came to the Treasury, perhaps without us


class Statement(models.Model):
    """One file as it was sent, kept in S3, and how its columns are read."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=7, choices=Kind)
    name = models.CharField(max_length=200)  # name of the file on the clerk's computer
    state = models.CharField(max_length=8, choices=StatementState, default=StatementState.RECEIVED)
    # Whose rows these are: an IBAN or a number that the file gives, or a name that staff gave. Bank statements only.
    account = models.CharField(_("compte"), max_length=40, blank=True)
    # Ids of the products that whoever sent it works for: its lines are held against these only; empty: every one
    limited_to = models.JSONField(default=list, db_default=[])
    key = models.CharField(max_length=200, unique=True)
    sha256 = models.CharField(max_length=64, db_index=True)
    columns = models.CharField(max_length=64, blank=True)  # hash of the titles; empty for XML
    # What staff say about a table that was not understood. NULL or empty: found automatically.
    delimiter = models.CharField(max_length=1, blank=True)
    titles_line = models.PositiveSmallIntegerField(null=True)  # 0: the table has no titles
    mapping = models.JSONField(default=dict)  # field → title; reused for the next file with the same titles
    new_count = models.PositiveIntegerField(default=0)
    known_count = models.PositiveIntegerField(default=0)  # rows that an earlier file already had
    first_day = models.DateField(null=True)
    last_day = models.DateField(null=True)
    # The worker's progress. The first `done` rows are saved for good, so a second worker continues after them.
    step = models.CharField(max_length=10, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(null=True)
    beat_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)  # since the last saved row
    next_try_at = models.DateTimeField(null=True)  # after a failure that may pass, not before this
    problem = models.CharField(max_length=300, blank=True)  # in words: why it could not be read
    created_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(auto_now_add=True)
    imported_by = models.CharField(max_length=254, blank=True)
    imported_at = models.DateTimeField(null=True)
    withdrawn_by = models.CharField(max_length=254, blank=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("fichier à rapprocher")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["id"], name="statement_to_read", condition=Q(state=StatementState.READING))
        ]

    def __str__(self) -> str:
        return self.name


class StatementRow(models.Model):
    """One row of a file. A row that cannot be read is kept too, with its cells as they were written."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="rows", db_index=False)
    kind = models.CharField(max_length=7, choices=Kind)
    number = models.PositiveIntegerField()  # its line in the file
    # `checksum`: what the row says. `rank`: its place among rows of the file that say exactly the same. A row of
    # another file with the same two values is KNOWN.
    checksum = models.CharField(max_length=64)
    rank = models.PositiveIntegerField(default=1)
    weak = models.BooleanField(
        default=False
    )  # no operation, authorization or reference: only day, amount and words
    twin = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=10, choices=StatementRowState, default=StatementRowState.UNMATCHED)
    reason = models.CharField(max_length=300, blank=True)  # in words
    # Why only a person may decide; or why it is not money, or cannot be read. In words.
    doubt = models.CharField(max_length=300, blank=True)
    booked_on = models.DateField(null=True)
    amount = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    outgoing = models.BooleanField(default=False)
    returned = models.BooleanField(default=False)  # money taken back from us, or possibly
    return_reason = models.CharField(max_length=200, blank=True)  # given by the bank, in words
    pay_state = models.CharField(
        max_length=60, blank=True
    )  # the state as the journal writes it: payé, refusé…
    idop = models.CharField(max_length=64, blank=True)
    reference = models.CharField(max_length=40, blank=True)  # refdet, only letters and digits
    authorization = models.CharField(max_length=40, blank=True)  # numauto
    numcli = models.CharField(max_length=6, blank=True)
    means = models.CharField(max_length=10, blank=True)
    payer_name = models.CharField(max_length=140, blank=True)
    label = models.CharField(max_length=300, blank=True)
    raw = models.JSONField(default=list)  # [title, cell] as written, in the order of the file
    # What the row was found to be, or may be
    payment = models.ForeignKey(Payment, null=True, on_delete=models.PROTECT, related_name="statement_rows")
    deposit = models.ForeignKey(Deposit, null=True, on_delete=models.PROTECT, related_name="statement_rows")
    attempt = models.ForeignKey(Attempt, null=True, on_delete=models.PROTECT, related_name="statement_rows")
    invoice = models.ForeignKey(Invoice, null=True, on_delete=models.PROTECT, related_name="statement_rows")
    used = models.BooleanField(default=False)  # a payment was booked, confirmed or cancelled from this row
    decided_by = models.CharField(max_length=254, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "reconciliation_line"
        verbose_name = _("ligne")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["checksum", "rank"], condition=~Q(state="known"), name="line_once"
            ),
            models.UniqueConstraint(
                fields=["kind", "payment"],
                condition=Q(state="matched", returned=False),
                name="payment_on_one_line",
            ),
            models.UniqueConstraint(
                fields=["kind", "payment"],
                condition=Q(state="matched", returned=True),
                name="payment_back_on_one_line",
            ),
            models.UniqueConstraint(
                fields=["kind", "deposit"], condition=Q(state="matched"), name="deposit_on_one_line"
            ),
        ]
        indexes = [
            models.Index(fields=["statement", "state", "id"], name="line_of_statement"),
            models.Index(fields=["statement"], name="line_to_decide", condition=Q(state__in=OPEN)),
            models.Index(fields=["twin"], name="line_twin", condition=Q(twin__isnull=False)),
            models.Index(fields=["statement"], name="line_used", condition=Q(used=True)),
        ]

    def __str__(self) -> str:
        return f"{self.statement_id}:{self.number}"


class StatementRowPayment(models.Model):
    """One of the payments that a bank row adds up: a day's card payments of a régie arrive as one credit."""

    row = models.ForeignKey(StatementRow, on_delete=models.CASCADE, related_name="parts", db_column="line_id")
    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, related_name="total_row")

    class Meta:
        db_table = "reconciliation_linepayment"

    def __str__(self) -> str:
        return f"{self.row_id} ← {self.payment_id}"
