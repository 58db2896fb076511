"""Payers known to billing (redevables), and which account may see them."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from shared_apps.accounts.models import Account


class Payer(models.Model):
    """Whoever owes: a person, a household or a body, as billing knows it."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reference = models.CharField(_("code redevable"), max_length=40, unique=True)
    title = models.CharField(_("civilité"), max_length=20, blank=True)
    last_name = models.CharField(_("nom"), max_length=80, blank=True)
    first_name = models.CharField(_("prénom"), max_length=80, blank=True)
    address = models.TextField(_("adresse"), blank=True)
    postcode = models.CharField(_("code postal"), max_length=10, blank=True)
    city = models.CharField(_("ville"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("redevable")

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        """`Mme Jeanne MARTIN`, or the reference when billing gave no name."""
        return " ".join(filter(None, [self.title, self.first_name, self.last_name])) or self.reference


class PayerEmail(models.Model):
    """An address that billing knows for a payer, in lower case."""

    payer = models.ForeignKey(Payer, on_delete=models.CASCADE, related_name="emails")
    email = models.EmailField(max_length=254, db_index=True)
    source = models.CharField(max_length=20, default="import")
    added_at = models.DateTimeField(auto_now_add=True)
    # Kinds of messages refused at this address before it has an account (accounts.AlertKind); one row speaks for all.
    refused_alerts = models.JSONField(default=list, db_default=[])

    class Meta:
        constraints = [models.UniqueConstraint(fields=["payer", "email"], name="payer_email_once")]

    def __str__(self) -> str:
        return self.email


class Access(models.Model):
    """This account may see this payer's invoices. Survives a change of the account's address.

    What billing gives is ended by staff, and the row stays: it is not given again. What a person gave (`granted_by`,
    the uuid of their account) goes without a trace but the audit's when that person or its holder ends it.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="accesses")
    payer = models.ForeignKey(Payer, on_delete=models.CASCADE, related_name="accesses")
    granted_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    granted_by = models.UUIDField(null=True)  # NULL: billing

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "payer"], condition=Q(ended_at=None), name="one_live_access"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_id} → {self.payer_id}"
