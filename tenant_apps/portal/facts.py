"""Facts of the trail that only the portal records."""

from django.utils.translation import gettext_lazy as _

from shared_apps.audit.verbs import Fact, declare

declare(
    Fact("account.data_taken", _("Copie de ses données téléchargée")),
    room=__name__,
)
