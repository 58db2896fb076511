"""What operators do in the console."""

from django.utils.translation import gettext_lazy as _

from shared_apps.audit.saying import fields_of
from shared_apps.audit.verbs import Fact, Key, declare

TOWN = Key("slug", _("adresse"))

declare(
    Fact("archive.deposited", _("Archive déposée"), after=(TOWN,)),
    Fact("export.downloaded", _("Archive téléchargée"), after=(TOWN,)),
    Fact("operation.retried", _("Opération reprise"), after=(TOWN, Key("kind", _("opération")))),
    Fact("platform.changed", _("Réglages de la plateforme changés"), more=fields_of("console.Platform")),
    room=__name__,
    objects={"operation": _("opération")},
)
