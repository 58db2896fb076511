"""What happens to mails."""

from django.utils.translation import gettext_lazy as _

from shared_apps.audit.saying import a_list_of, how_many
from shared_apps.audit.verbs import Fact, Key, declare
from shared_apps.mail import notices

declare(
    Fact("mail.failed", _("Courriel en échec")),
    Fact("mail.requeued", _("Courriel renvoyé")),
    Fact(
        "mail.dropped",
        _("Courriels retirés avant leur départ"),
        after=(
            Key("messages", _("courriels"), how_many),
            Key("kinds", _("parmi"), a_list_of(lambda kind: notices.title(kind) or kind)),
        ),
    ),
    room=__name__,
    objects={"mail": _("courriel")},
)
