"""Payers known to billing (redevables), and which account may see them."""

import uuid

from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from shared_apps.accounts.models import Account, Link
from tenant_apps.residents.states import ClaimState
from toolkit.address_fields import AddressField, kept_normal


class Source(models.Model):
    """Where billing files come from: a software, a budget. A code is one payer's in its source only (decision 45).

    A town is born with one, made by the migration.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("provenance"), max_length=80)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("provenance")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(Lower("name"), name="source_name_once")]

    def __str__(self) -> str:
        return self.name


class Payer(models.Model):
    """Whoever owes: a person, a household or a body, as billing knows it. Known by (source, reference)."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # db_index=False: the constraint below begins with that column.
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="payers", db_index=False)
    reference = models.CharField(_("code redevable"), max_length=40)
    # Other codes that files write for this one (a zero lost, another case), as members of staff recognised them.
    also_written = models.JSONField(default=list, db_default=[])
    # Made by an import that is not published: nobody is shown it, and no code is compared with its own.
    is_draft = models.BooleanField(default=False, db_default=False)
    title = models.CharField(_("civilité"), max_length=20, blank=True)
    last_name = models.CharField(_("nom"), max_length=80, blank=True)
    first_name = models.CharField(_("prénom"), max_length=80, blank=True)
    address = models.TextField(_("adresse"), blank=True)
    postcode = models.CharField(_("code postal"), max_length=10, blank=True)
    city = models.CharField(_("ville"), max_length=80, blank=True)
    # Somebody tried several papers on it: until then none claims it, and staff see it (residents.claims).
    claims_locked_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("redevable")
        constraints = [models.UniqueConstraint(fields=["source", "reference"], name="payer_once_a_source")]
        indexes = [
            # What spreadsheets do to a code: another case, zeros lost (residents.sources.bare_code).
            models.Index(
                F("source"),
                Func(Lower("reference"), Value("0"), function="ltrim"),
                name="payer_by_bare_code",
            )
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        """`Mme Jeanne MARTIN`, or the reference when billing gave no name."""
        return " ".join(filter(None, [self.title, self.first_name, self.last_name])) or self.reference


class EmailSource(models.TextChoices):
    """Who says that an address is a payer's."""

    BILLING = "import", _("facturation")
    STAFF = "staff", _("mairie")
    RESIDENT = "account", _("usager")


class PayerEmail(models.Model):
    """An address of a payer, in normal form: it is told of the invoices, and it opens the door (decision 47).

    What billing gave goes when its next file does not give it (`residents.billing`, the only writer).
    """

    payer = models.ForeignKey(Payer, on_delete=models.CASCADE, related_name="emails", db_index=False)
    email = AddressField(max_length=254, db_index=True)
    source = models.CharField(max_length=20, choices=EmailSource, default=EmailSource.BILLING)
    added_at = models.DateTimeField(auto_now_add=True)
    added_by = models.CharField(
        max_length=254, blank=True, default="", db_default=""
    )  # audit name; empty: billing
    # Kinds of messages refused at this address before it has an account (mail.notices); one row speaks for all.
    refused_alerts = models.JSONField(default=list, db_default=[])

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["payer", "email"], name="payer_email_once"),
            kept_normal("payer_email_normal"),
        ]

    def __str__(self) -> str:
        return self.email


class RemovedEmail(models.Model):
    """An address that was taken from a payer: by staff, and no file brings it back; or by billing's next file."""

    payer = models.ForeignKey(Payer, on_delete=models.CASCADE, related_name="removed_emails", db_index=False)
    email = AddressField(max_length=254)
    source = models.CharField(max_length=20, choices=EmailSource)  # as it was, for whoever lets it back
    refused_alerts = models.JSONField(default=list, db_default=[])  # still refused, should it come back
    removed_at = models.DateTimeField()
    removed_by = models.CharField(max_length=254, blank=True)  # audit name of staff; empty: billing

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["payer", "email"], name="removed_email_once"),
            kept_normal("removed_email_normal"),
        ]

    def __str__(self) -> str:
        return self.email


class Access(models.Model):
    """This account may see this payer's invoices. Survives a change of the account's address.

    What billing gives lapses once neither `through` nor the account's address is the payer's any more, and comes back
    with the address; what staff end is not given again. What a person gave (`granted_by`, the uuid of their account)
    goes without a trace but the audit's when that person or its holder ends it.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="accesses")
    payer = models.ForeignKey(Payer, on_delete=models.CASCADE, related_name="accesses")
    granted_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    granted_by = models.UUIDField(null=True)  # NULL: the town, which is billing, a paper invoice or staff
    # The payer's address that gave it; empty: no address did, and it stays whatever becomes of them.
    through = AddressField(max_length=254, blank=True, default="", db_default="")
    lapsed = models.BooleanField(default=False, db_default=False)  # ended because its address is gone

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "payer"], condition=Q(ended_at=None), name="one_live_access"
            ),
            kept_normal("access_through_normal", "through", blank=True),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} → {self.payer_id}"


class Claim(models.Model):
    """Somebody asks for a payer's invoices with the figures of a paper invoice (decision 36).

    The row of a request without a session is written for right and wrong figures alike, and only right ones give it
    a payer: both cost the same, and the worker decides.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    state = models.CharField(max_length=9, choices=ClaimState, default=ClaimState.ASKED)
    # NULL until the worker has looked, and only then.
    account = models.ForeignKey(Account, null=True, on_delete=models.CASCADE, related_name="claims")
    payer = models.ForeignKey(Payer, null=True, on_delete=models.CASCADE, related_name="claims")
    email = AddressField(max_length=254)  # of who asks, as it was then
    link = models.OneToOneField(Link, null=True, on_delete=models.SET_NULL)  # the `?LIEN=` to that address
    # Of the paper. No key: invoices are a room above.
    invoice = models.UUIDField(null=True)
    number = models.CharField(max_length=40, blank=True)
    asked_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=254, blank=True)  # audit name
    reason = models.CharField(max_length=300, blank=True)  # of a refusal; the resident reads it

    class Meta:
        verbose_name = _("rattachement")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "payer"], condition=Q(state=ClaimState.WAITING), name="one_waiting_claim"
            ),
            models.CheckConstraint(
                condition=Q(state=ClaimState.ASKED) | Q(account__isnull=False, payer__isnull=False),
                name="claim_of_somebody",
            ),
            kept_normal("claim_email_normal"),
        ]

    def __str__(self) -> str:
        return f"{self.email} → {self.payer_id}"
