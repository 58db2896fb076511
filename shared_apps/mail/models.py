"""The outbox: every e-mail is a row before it is a message."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class MailState(models.TextChoices):
    """What became of a message."""

    QUEUED = "queued", _("en attente")
    SENDING = "sending", _("en cours d'envoi")
    SENT = "sent", _("envoyé")
    FAILED = "failed", _("échec")


class OutgoingMail(models.Model):
    """One message to one address. `key`, when given, makes sending the same thing twice impossible."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=40, db_index=True)
    key = models.CharField(max_length=200, unique=True, null=True)  # noqa: DJ001 - NULL = no key, many allowed
    to = models.EmailField(max_length=254)
    reply_to = models.EmailField(max_length=254, blank=True)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    html = models.TextField()
    # What « Ne plus recevoir ces messages » opens; the headers of RFC 8058 say it too.
    unsubscribe_url = models.CharField(max_length=1000, blank=True, db_default="")
    secret = models.BooleanField(default=False)  # holds a LIEN: the body is erased once sent
    state = models.CharField(max_length=10, choices=MailState, default=MailState.QUEUED)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField()
    last_error = models.CharField(max_length=300, blank=True)
    maybe_twice = models.BooleanField(default=False)  # the worker died between sending and noting it
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["next_try_at"], name="mail_due", condition=Q(state__in=["queued", "sending"])
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.uuid}"
