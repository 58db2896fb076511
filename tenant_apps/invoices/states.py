"""The states of invoices and batches, as data: (from, to) → why."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class InvoiceState(models.TextChoices):
    """Residents see published and cancelled invoices, never drafts."""

    DRAFT = "draft", _("en préparation")
    PUBLISHED = "published", _("publiée")
    CANCELLED = "cancelled", _("annulée")


INVOICE_EDGES: dict[tuple[InvoiceState, InvoiceState], str] = {
    (InvoiceState.DRAFT, InvoiceState.PUBLISHED): "its batch is published",
    (InvoiceState.PUBLISHED, InvoiceState.DRAFT): "its batch is taken back before anything was paid",
    (InvoiceState.PUBLISHED, InvoiceState.CANCELLED): "the town cancels it, with a reason",
}


class OnlineHold(models.TextChoices):
    """Why the town excludes an invoice from online payment (docs/payfip.md §1)."""

    DEBIT = "debit", _("prélèvement automatique")
    DISPUTE = "dispute", _("contestation en cours")
    COLLECTION = "collection", _("transmise au recouvrement")


class Asked(models.TextChoices):
    """What an import asks about a payer before it may be published (decision 45)."""

    PERSON = "person", _("est-ce la même personne ?")  # a known code with another name
    CODE = "code", _("est-ce un redevable connu ?")  # a new code that looks like a known one


class Answer(models.TextChoices):
    """The answer. `OTHER` only for `Asked.CODE`: an import that mixes two people up must be discarded."""

    SAME = "same", _("la même personne")
    OTHER = "other", _("une autre personne")


class Agreed(models.TextChoices):
    """Whether a person agrees to what a file changes on an invoice."""

    YES = "yes", _("à appliquer")
    NO = "no", _("à laisser")


class BatchState(models.TextChoices):
    """Where an import is: file → check → preview → publication."""

    UPLOADED = "uploaded", _("reçu")
    CHECKING = "checking", _("vérification en cours")
    REFUSED = "refused", _("à corriger")
    READY = "ready", _("prêt à publier")
    PUBLISHING = "publishing", _("publication en cours")
    PUBLISHED = "published", _("publié")
    TAKEN_BACK = "taken_back", _("retiré")
    FAILED = "failed", _("interrompu")
    DISCARDED = "discarded", _("abandonné")


BATCH_EDGES: dict[tuple[BatchState, BatchState], str] = {
    (BatchState.UPLOADED, BatchState.CHECKING): "a worker starts reading the file",
    (BatchState.CHECKING, BatchState.CHECKING): "the worker died and another starts again from nothing",
    (BatchState.CHECKING, BatchState.REFUSED): "errors were found; nothing is kept but their list",
    (BatchState.CHECKING, BatchState.READY): "every row is a draft, every PDF is stored",
    (
        BatchState.REFUSED,
        BatchState.UPLOADED,
    ): "the clerk corrected cells or columns, or sets the refused rows aside",
    (BatchState.READY, BatchState.UPLOADED): "the same",
    (BatchState.PUBLISHED, BatchState.UPLOADED): "the clerk corrected rows that were kept aside",
    (BatchState.REFUSED, BatchState.PUBLISHED): "rows kept aside are given up; what is online stays",
    (BatchState.READY, BatchState.PUBLISHED): "the same",
    (BatchState.FAILED, BatchState.PUBLISHED): "the same",
    (
        BatchState.TAKEN_BACK,
        BatchState.PUBLISHED,
    ): "the invoices that were taken back are given up; paid ones stay",
    (BatchState.READY, BatchState.PUBLISHING): "the clerk publishes",
    (BatchState.PUBLISHING, BatchState.PUBLISHED): "all drafts became visible in one transaction",
    (
        BatchState.PUBLISHING,
        BatchState.CHECKING,
    ): "what it was checked against has changed; it is checked again",
    (BatchState.PUBLISHED, BatchState.TAKEN_BACK): "the clerk takes it back; nothing of it was paid",
    (BatchState.TAKEN_BACK, BatchState.PUBLISHING): "the clerk publishes it again",
    (BatchState.UPLOADED, BatchState.FAILED): "its file is gone, or its workers died; the next batch goes on",
    (
        BatchState.CHECKING,
        BatchState.FAILED,
    ): "the same, or it takes too long; nothing is kept but the reason",
    (BatchState.PUBLISHING, BatchState.FAILED): "the publication failed each time; nothing of it is visible",
    (BatchState.FAILED, BatchState.UPLOADED): "the clerk tries again, from nothing",
    (BatchState.FAILED, BatchState.DISCARDED): "the clerk gives up",
    (BatchState.UPLOADED, BatchState.DISCARDED): "the clerk gives up",
    (BatchState.REFUSED, BatchState.DISCARDED): "the clerk gives up",
    (BatchState.READY, BatchState.DISCARDED): "the clerk gives up; the drafts go",
    (BatchState.TAKEN_BACK, BatchState.DISCARDED): "the clerk gives up; the drafts go",
}
