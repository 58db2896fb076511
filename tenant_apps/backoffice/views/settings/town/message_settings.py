"""« Messages et rappels »: which messages the town sends, and an example of each."""

from csp.constants import SELF
from csp.decorators import csp_update
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from shared_apps.accounts.models import Role
from shared_apps.mail import notifying
from tenant_apps.backoffice.access import StaffRequest, staff_required
from tenant_apps.backoffice.forms.town.rules import MessagesForm
from tenant_apps.backoffice.views.settings.town import save_or_show
from tenant_apps.backoffice.words.message_examples import example_of, examples
from tenant_apps.townhall.queries import current_townhall


@csp_update({"frame-src": [SELF]})  # the examples, each in a frame without scripts
@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.MANAGER)
def message_settings(request: StaffRequest) -> HttpResponse:
    """The settings that the kinds of messages declare, and what residents would get."""
    form = MessagesForm(request.POST if request.method == "POST" else None, instance=current_townhall())
    form.is_valid()  # from here on its instance has what was typed
    return save_or_show(
        request,
        "settings/messages.html",
        form,
        place="message-settings",
        saved=_("Les réglages des messages sont enregistrés."),
        examples=examples(form.instance),
    )


@require_safe
@staff_required(Role.MANAGER)
def message_example(request: StaffRequest) -> HttpResponse:
    """The HTML of one example, as a mail program shows it: nothing runs, and only our own page frames it."""
    found = example_of(request.GET.get("message", ""))
    if found is None:
        raise Http404
    response = HttpResponse(notifying.example(found.make()).html)
    response["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"
    )
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response
