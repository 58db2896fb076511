"""The outbox: every e-mail is first a row."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from shared_apps.mail import notices
from toolkit.forms.address_fields import AddressField, kept_normal


class MailState(models.TextChoices):
    """Where a message is."""

    QUEUED = "queued", _("en attente")
    SENDING = "sending", _("en cours d'envoi")
    SENT = "sent", _("envoyé")
    FAILED = "failed", _("échec")


class MailProblem(models.TextChoices):
    """Why a message has not left. `mail.sending.problems` maps errors to these."""

    ADDRESS = "address", _("le serveur du destinataire refuse cette adresse")
    SERVER = "server", _("le serveur de courriel ne répond pas")
    LATER = "later", _("le serveur de courriel demande d'attendre")
    US = "us", _("le serveur de courriel refuse les envois du portail")
    REFUSED = "refused", _("le serveur de courriel refuse ce message")
    CONTENT = "content", _("ce message ne peut pas être mis sous la forme d'un courriel")
    CUT = "cut", _("l'envoi a été interrompu à chaque essai")
    COPY = "copy", _("cette commune est une copie : elle n'écrit à personne")
    OTHER = "other", _("l'envoi a échoué pour une raison inattendue")


class OutgoingMail(models.Model):
    """One message to one address. `key` is unique, so that the same message is never written twice."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=40, db_index=True)
    key = models.CharField(max_length=200, unique=True, null=True)  # noqa: DJ001 - NULL = no key, many allowed
    to = AddressField(
        max_length=254, blank=True
    )  # empty when the person was erased and got their last message
    reply_to = AddressField(max_length=254, blank=True)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    html = models.TextField()
    # The link of « Ne plus recevoir ces messages », also used in the headers of RFC 8058
    unsubscribe_url = models.CharField(max_length=1000, blank=True, db_default="")
    # Ids of the products that it is about; NULL: nobody knows (toolkit.scope). No foreign key: their room is above.
    product_ids = models.JSONField(null=True)
    secret = models.BooleanField(default=False)  # it contains a LIEN: the body is erased once sent
    state = models.CharField(max_length=10, choices=MailState, default=MailState.QUEUED)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField()
    problem = models.CharField(max_length=10, choices=MailProblem, blank=True, db_default="")
    last_error = models.CharField(
        max_length=300, blank=True
    )  # the error as the server or the library wrote it
    # The worker died between sending and saving that, or the server took the message and did not answer
    maybe_twice = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["next_try_at"], name="mail_due", condition=Q(state__in=["queued", "sending"])
            )
        ]
        constraints = [
            kept_normal("mail_to_normal", "to", blank=True),
            kept_normal("mail_reply_to_normal", "reply_to", blank=True),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.uuid}"

    @property
    def title(self) -> str:
        """The title of its kind, in words."""
        return notices.title(self.kind)
