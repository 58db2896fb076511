"""Messages between a resident and the billing service."""

import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from shared_apps.accounts.models import Account
from tenant_apps.contact.files.attachments import File
from tenant_apps.invoices.models import Invoice
from toolkit.forms.address_fields import AddressField, kept_normal


class Author(models.TextChoices):
    """Who wrote a message: a resident or the town."""

    RESIDENT = "resident", _("usager")
    STAFF = "staff", _("mairie")


class Message(models.Model):
    """One message of a thread (docs/manual.md, M13). The first has no `thread`; its row holds the thread's state.

    `account` wrote it, on either side. `File` reads `files`, which hold no keys of S3.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    thread = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="replies")
    author = models.CharField(
        max_length=8, choices=Author, default=Author.RESIDENT, db_default=Author.RESIDENT.value
    )
    account = models.ForeignKey(Account, null=True, on_delete=models.SET_NULL)
    email = AddressField(max_length=254)  # where to answer
    invoice = models.ForeignKey(Invoice, null=True, on_delete=models.SET_NULL)
    subject = models.CharField(max_length=120)
    body = models.TextField(max_length=5000)
    files = models.JSONField(default=list, db_default=[])
    sent_to = AddressField(max_length=254)
    created_at = models.DateTimeField(auto_now_add=True)

    # The state of the thread, on its first message only.
    handled_at = models.DateTimeField(null=True)
    handled_by = models.CharField(max_length=254, blank=True)
    held = models.BooleanField(default=False, db_default=False)  # it looks like spam, so it was not mailed
    last_at = models.DateTimeField(db_default=Now())  # of the last message
    last_author = models.CharField(
        max_length=8, choices=Author, default=Author.RESIDENT, db_default=Author.RESIDENT.value
    )
    read_at = models.DateTimeField(null=True)  # when the other side opened the last message

    class Meta:
        ordering = ["-id"]
        constraints = [kept_normal("message_email_normal"), kept_normal("message_sent_to_normal", "sent_to")]
        indexes = [
            models.Index(fields=["-last_at", "-id"], name="contact_threads", condition=models.Q(thread=None)),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def attached(self) -> list[File]:
        """Its files."""
        return File.all_of(self.uuid, self.files)

    @property
    def of_staff(self) -> bool:
        return self.author == Author.STAFF

    @property
    def reader(self) -> Account | None:
        """The resident who reads the thread on the portal; None when its writer gets mails only."""
        account = self.account
        return None if account is None or account.is_town_staff else account

    @property
    def progress(self) -> str:
        """The state that a resident sees: answered, read or sent."""
        if self.last_author == Author.STAFF:
            return "answered"
        return "read" if self.read_at else "sent"

    @property
    def has_news(self) -> bool:
        """Whether the town has answered and the resident has not opened the answer."""
        return self.last_author == Author.STAFF and self.read_at is None
