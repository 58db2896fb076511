"""Who did what to which object."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """One fact. The application never changes or deletes it."""

    at = models.DateTimeField(_("date"), auto_now_add=True, db_index=True)
    # "account:<uuid>", "operator:<uuid> as account:<uuid>", "system", "treasury"
    actor = models.CharField(_("auteur"), max_length=254)
    verb = models.CharField(_("action"), max_length=60, db_index=True)  # "batch.published"
    object = models.CharField(_("objet"), max_length=120, blank=True, db_index=True)  # "batch:<uuid>"
    old = models.JSONField(_("avant"), default=dict)
    new = models.JSONField(_("après"), default=dict)

    class Meta:
        db_table = "audit_entry"
        verbose_name = _("fait")
        ordering = ["-id"]
        indexes = [
            # Exact names, and names that begin with a word (queries.by_operators).
            models.Index(
                fields=["actor", "-id"], name="audit_by_actor", opclasses=["varchar_pattern_ops", "int8_ops"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.verb} {self.object}"
