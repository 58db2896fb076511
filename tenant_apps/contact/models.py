"""Messages between a resident and the billing service."""

import uuid

from django.db import models

from shared_apps.accounts.models import Account
from tenant_apps.invoices.models import Invoice


class Message(models.Model):
    """What a resident wrote (M13): kept here, and mailed to the service."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(Account, null=True, on_delete=models.SET_NULL)
    email = models.EmailField(max_length=254)  # where to answer
    invoice = models.ForeignKey(Invoice, null=True, on_delete=models.SET_NULL)
    subject = models.CharField(max_length=120)
    body = models.TextField(max_length=5000)
    sent_to = models.EmailField(max_length=254)
    created_at = models.DateTimeField(auto_now_add=True)
    handled_at = models.DateTimeField(null=True)
    handled_by = models.CharField(max_length=254, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.subject
