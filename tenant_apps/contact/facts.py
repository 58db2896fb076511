"""What happens to messages between residents and the service."""

from django.utils.translation import gettext_lazy as _

from shared_apps.audit.verbs import Fact, declare

declare(
    Fact("message.sent", _("Message envoyé au service")),
    Fact("message.replied", _("Réponse de l'usager")),
    Fact("message.answered", _("Réponse du service")),
    Fact("message.handled", _("Message traité")),
    Fact("message.reopened", _("Message rouvert")),
    Fact("message.released", _("Message retenu, puis admis")),
    room=__name__,
    objects={"message": _("message")},
)
