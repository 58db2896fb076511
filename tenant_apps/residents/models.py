"""Payers known to billing (redevables), and which account may see them."""

import uuid

from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from shared_apps.accounts.models import Account, Link
from tenant_apps.residents.states import AccessRequestState, ArrivalState
from toolkit.forms.address_fields import AddressField, kept_normal


class Source(models.Model):
    """Where billing files come from: software or a budget. A payer's code is unique in its source (decision 45).

    A new town has one, made by the migration.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("provenance"), max_length=80)
    # How its files are read (invoices.importing.records.rules.Rules), only what differs from the defaults.
    rules = models.JSONField(default=dict, db_default={})
    # Its folder in S3 is looked at (decision 78, invoices.inbox).
    is_watched = models.BooleanField(_("dossier de dépôt suivi"), default=False, db_default=False)
    # For whom its files are imported, in the limits of their régies, and who is told.
    clerk = models.ForeignKey(Account, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    publishes_alone = models.BooleanField(_("publie sans personne"), default=False, db_default=False)
    looked_at = models.DateTimeField(null=True)
    looks_failed = models.PositiveSmallIntegerField(default=0, db_default=0)  # in a row
    silent_since = models.DateTimeField(null=True)  # its folder cannot be listed
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("provenance")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(Lower("name"), name="source_name_once")]

    def __str__(self) -> str:
        return self.name


class Arrival(models.Model):
    """A file in a source's folder, with those that belong to it. One live row a name: it is imported once."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="arrivals", db_index=False)
    state = models.CharField(max_length=7, choices=ArrivalState, default=ArrivalState.WAITING)
    name = models.CharField(max_length=1024)  # of the billing file, in the folder
    documents = models.CharField(max_length=1024, blank=True)  # the same of its PDFs
    # The name of each file that belongs to it → [bytes, ETag], and since when it is so.
    seen = models.JSONField(default=dict)
    seen_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    # The uuid of its import. No foreign key: the room of invoices is above this one.
    batch = models.UUIDField(null=True, db_index=True)
    reason = models.CharField(max_length=300, blank=True)  # why no import was made of it
    arrived_at = models.DateTimeField(auto_now_add=True)
    put_away_at = models.DateTimeField(null=True)  # its files are in their last place

    class Meta:
        verbose_name = _("fichier déposé")
        constraints = [
            models.UniqueConstraint(
                fields=["source", "name"], condition=Q(put_away_at=None), name="arrival_live_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.get_state_display()})"


class Payer(models.Model):
    """Somebody who owes: a person, household or organisation, as billing knows it. Unique by (source, reference)."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # db_index=False: the constraint below begins with that column.
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="payers", db_index=False)
    reference = models.CharField(_("code redevable"), max_length=40)
    # Other spellings of the code in files (a lost zero, another case), which staff have recognised.
    also_written = models.JSONField(default=list, db_default=[])
    # Made by an unpublished import: not shown, and not compared with other codes.
    is_draft = models.BooleanField(default=False, db_default=False)
    title = models.CharField(_("civilité"), max_length=40, blank=True)
    last_name = models.CharField(_("nom"), max_length=80, blank=True)
    first_name = models.CharField(_("prénom"), max_length=80, blank=True)
    address = models.TextField(_("adresse"), blank=True)
    postcode = models.CharField(_("code postal"), max_length=20, blank=True)
    city = models.CharField(_("ville"), max_length=80, blank=True)
    # Somebody tried wrong papers: no access requests until then, and staff see it (invoices.paper_proof).
    access_requests_locked_until = models.DateTimeField(null=True, db_column="claims_locked_until")

    class Meta:
        verbose_name = _("redevable")
        constraints = [models.UniqueConstraint(fields=["source", "reference"], name="payer_once_a_source")]
        indexes = [
            # The code as spreadsheets may change it: case, lost zeros (residents.sources.bare_code).
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
    """Who gave a payer's address."""

    BILLING = "import", _("facturation")
    STAFF = "staff", _("mairie")
    RESIDENT = "account", _("usager")


class PayerEmail(models.Model):
    """An e-mail address of a payer, in normal form. It gets messages about invoices, and gives access (decision 47).

    An address from billing is removed when its next file lacks it (`residents.emails.billing`, the only writer).
    """

    payer = models.ForeignKey(Payer, on_delete=models.CASCADE, related_name="emails", db_index=False)
    email = AddressField(max_length=254, db_index=True)
    source = models.CharField(max_length=20, choices=EmailSource, default=EmailSource.BILLING)
    added_at = models.DateTimeField(auto_now_add=True)
    added_by = models.CharField(
        max_length=254, blank=True, default="", db_default=""
    )  # audit name; empty: billing
    # Kinds of messages refused at this address before it has an account (mail.notices). A refusal on one row counts
    # for all rows of the address.
    refused_alerts = models.JSONField(default=list, db_default=[])

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["payer", "email"], name="payer_email_once"),
            kept_normal("payer_email_normal"),
        ]

    def __str__(self) -> str:
        return self.email


class RemovedEmail(models.Model):
    """An address taken from a payer, by staff (no file brings it back) or by billing's next file."""

    payer = models.ForeignKey(Payer, on_delete=models.CASCADE, related_name="removed_emails", db_index=False)
    email = AddressField(max_length=254)
    source = models.CharField(max_length=20, choices=EmailSource)  # its source before, for undoing
    refused_alerts = models.JSONField(default=list, db_default=[])  # still refused if it comes back
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
    """This account may see this payer's invoices, also after the account changes its address.

    An access from billing ends (`lapsed`) when neither `through` nor the account's address belongs to the payer any
    more, and comes back with the address. One that staff end is not given again. One given by a person (`granted_by`,
    the uuid of their account) is deleted when that person or its holder ends it: only the trail keeps it.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="accesses")
    payer = models.ForeignKey(Payer, on_delete=models.CASCADE, related_name="accesses")
    granted_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    granted_by = models.UUIDField(null=True)  # NULL: given by billing, a paper invoice or staff
    # The payer's address that gave it; empty: it does not depend on an address.
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


class AccessRequest(models.Model):
    """A request to see a payer's invoices, with the figures of a paper invoice as proof (decision 36).

    A request without a session writes a row for right and wrong figures alike; only right ones set
    the payer. Both take the same time, and the worker decides.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    state = models.CharField(max_length=9, choices=AccessRequestState, default=AccessRequestState.ASKED)
    # NULL until the worker has handled it.
    account = models.ForeignKey(Account, null=True, on_delete=models.CASCADE, related_name="access_requests")
    payer = models.ForeignKey(Payer, null=True, on_delete=models.CASCADE, related_name="access_requests")
    email = AddressField(max_length=254)  # of the person who asks, at that time
    link = models.OneToOneField(Link, null=True, on_delete=models.SET_NULL)  # the `?LIEN=` to that address
    # Of the paper invoice. No foreign key: the room of invoices is above this one.
    invoice = models.UUIDField(null=True)
    number = models.CharField(max_length=40, blank=True)
    asked_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=254, blank=True)  # audit name
    reason = models.CharField(max_length=300, blank=True)  # why it was refused; the resident reads it

    class Meta:
        db_table = "residents_claim"
        verbose_name = _("rattachement")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "payer"],
                condition=Q(state=AccessRequestState.WAITING),
                name="one_waiting_claim",
            ),
            models.CheckConstraint(
                condition=Q(state=AccessRequestState.ASKED) | Q(account__isnull=False, payer__isnull=False),
                name="claim_of_somebody",
            ),
            kept_normal("claim_email_normal"),
        ]

    def __str__(self) -> str:
        return f"{self.email} → {self.payer_id}"
