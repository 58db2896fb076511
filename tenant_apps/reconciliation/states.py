"""The states of a line of a journal or statement, as data: (from, to) → why."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class LineState(models.TextChoices):
    """Where a line is; each line also carries its reason in words."""

    MATCHED = "matched", _("rapprochée")
    UNMATCHED = "unmatched", _("inconnue")
    DOUBTFUL = "doubtful", _("douteuse")
    DUPLICATE = "duplicate", _("en double")
    UNREADABLE = "unreadable", _("illisible")
    IGNORED = "ignored", _("écartée")


S = LineState
OPEN = (S.UNMATCHED, S.DOUBTFUL, S.DUPLICATE, S.UNREADABLE)  # somebody must look
EDGES: dict[tuple[LineState, LineState], str] = {
    **{(old, S.MATCHED): "staff say which payment it is, or a new look found it" for old in OPEN[:3]},
    **{(old, S.IGNORED): "staff set it aside, with a reason" for old in OPEN},
    (S.UNMATCHED, S.DOUBTFUL): "a new look found something that is not certain",
    (S.UNMATCHED, S.DUPLICATE): "a new look found that another line has this payment",
    (S.DOUBTFUL, S.UNMATCHED): "a new look found nothing any more",
    (S.DOUBTFUL, S.DUPLICATE): "a new look found that another line has this payment",
    (S.DUPLICATE, S.UNMATCHED): "a new look found nothing any more",
    (S.DUPLICATE, S.DOUBTFUL): "a new look found something that is not certain",
    (S.MATCHED, S.UNMATCHED): "staff undo it",
    (S.IGNORED, S.UNMATCHED): "staff undo it",
}
