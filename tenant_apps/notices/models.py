"""Who must be told about what. A unique key makes telling twice impossible."""

from django.db import models

from toolkit.forms.address_fields import AddressField, kept_normal


class PlannedNotice(models.Model):
    """One message planned for one address. The worker turns it into a mail; a reminder is queued at once.

    The row stays after that, as the record that the person was told.
    """

    kind = models.CharField(
        max_length=20
    )  # `Notice.planned_as` of shared_apps.mail.notices, or one of its choices
    key = models.CharField(max_length=200, unique=True)
    email = AddressField(max_length=254)
    language = models.CharField(max_length=2, default="fr")
    # The publication of a batch (told.publications), the payment, or the invoice to remind about
    subject_uuid = models.UUIDField(db_index=True)
    # Of a publication: which invoices (`product/year/number`) or which changes (ids of Amendment) the address is told
    # of. NULL: all of the batch, as older code planned it.
    items = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    queued_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "notices_alert"
        constraints = [kept_normal("alert_email_normal")]
        indexes = [models.Index(fields=["id"], name="alert_to_queue", condition=models.Q(queued_at=None))]

    def __str__(self) -> str:
        return self.key
