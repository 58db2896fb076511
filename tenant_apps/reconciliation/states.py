"""The states of a file and of its rows, as data: (from, to) → why."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class StatementState(models.TextChoices):
    """Where a file is."""

    RECEIVED = "received", _("colonnes à vérifier")
    READING = "reading", _("lecture en cours")
    DONE = "done", _("importé")
    FAILED = "failed", _("lecture interrompue")


F = StatementState
STATEMENT_EDGES: dict[tuple[StatementState, StatementState], str] = {
    (F.RECEIVED, F.READING): "staff said what its columns are",
    (F.READING, F.DONE): "every row is saved",
    (F.READING, F.RECEIVED): "it cannot be read like that",
    (F.READING, F.FAILED): "the worker stopped on it again and again, or its file is gone",
    (F.FAILED, F.READING): "staff try again",
    (F.FAILED, F.RECEIVED): "staff take it back",
    (F.DONE, F.READING): "its open rows are judged again",
    (F.DONE, F.RECEIVED): "staff take it back: nothing was booked from it",
}


class StatementRowState(models.TextChoices):
    """Where a row is. Each row also has its reason in words."""

    MATCHED = "matched", _("rapprochée")
    UNMATCHED = "unmatched", _("inconnue")
    DOUBTFUL = "doubtful", _("douteuse")
    DUPLICATE = "duplicate", _("en double")
    UNREADABLE = "unreadable", _("illisible")
    IGNORED = "ignored", _("écartée")
    KNOWN = "known", _("déjà connue")


S = StatementRowState
OPEN = (S.UNMATCHED, S.DOUBTFUL, S.DUPLICATE, S.UNREADABLE)  # a person must look
EDGES: dict[tuple[StatementRowState, StatementRowState], str] = {
    **{(old, S.MATCHED): "staff say which payment it is, or a new look found it" for old in OPEN[:3]},
    **{(old, S.IGNORED): "staff set it aside, with a reason" for old in OPEN},
    (S.UNMATCHED, S.DOUBTFUL): "a new look found something that is not certain",
    (S.UNMATCHED, S.DUPLICATE): "a new look found that another row has this payment",
    (S.DOUBTFUL, S.UNMATCHED): "a new look found nothing any more",
    (S.DOUBTFUL, S.DUPLICATE): "a new look found that another row has this payment",
    (S.DUPLICATE, S.UNMATCHED): "a new look found nothing any more",
    (S.DUPLICATE, S.DOUBTFUL): "a new look found something that is not certain",
    (S.MATCHED, S.UNMATCHED): "staff undo it",
    (S.MATCHED, S.DOUBTFUL): "its payment was cancelled: the money is there and pays nothing",
    (S.IGNORED, S.UNMATCHED): "staff undo it",
    (S.IGNORED, S.DOUBTFUL): "staff say that it may be money taken back",
    (S.DUPLICATE, S.KNOWN): "staff say that an earlier file has the same operation",
    (S.KNOWN, S.UNMATCHED): "staff say that it is another operation, or the file that had it is gone",
}
