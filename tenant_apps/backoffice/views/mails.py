"""The messages that the portal sent."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from shared_apps.accounts.models import Role
from shared_apps.mail import queries as mail_queries
from shared_apps.mail import services as mail_services
from shared_apps.mail.errors import MailError
from shared_apps.mail.models import MailState
from tenant_apps.backoffice.access import StaffRequest, found, screen, staff_required
from tenant_apps.backoffice.paging import page_of
from tenant_apps.invoices import queries as invoice_queries
from tenant_apps.invoices.models import Batch
from tenant_apps.notices.told.sent import mails_of

STATES = {
    "": "",
    "en-attente": MailState.QUEUED,
    "envoyes": MailState.SENT,
    "echecs": MailState.FAILED,
}


@require_safe
@staff_required(Role.READER)
def mail_list(request: StaffRequest) -> HttpResponse:
    """The messages sent, waiting or failed. ?import=: those that told of the invoices of that import."""
    state = request.GET.get("etat", "")
    mails = mail_queries.outgoing(request.scope, state=STATES.get(state, ""))
    batch = _import_of(request)
    if batch is not None:
        mails = mails_of(mails, batch)
    page = page_of(mails, request.GET.get("apres", ""), request.scope)
    chips = [
        *(("", _("Tous")), ("en-attente", _("En attente"))),
        *(("envoyes", _("Envoyés")), ("echecs", _("Échecs"))),
    ]
    stands = mail_queries.unsent(request.scope).standstill
    return screen(
        request,
        "mails.html",
        section="mails",
        page=page,
        state=state,
        chips=chips,
        mail_stands=stands,
        batch=batch,
    )


def _import_of(request: StaffRequest) -> Batch | None:
    """The import that the address names; one that is not theirs is absent (404)."""
    public_id = request.GET.get("import", "")
    if not public_id:
        return None
    try:
        return found(invoice_queries.batch, request.scope, UUID(public_id))
    except ValueError:
        raise Http404 from None


@require_POST
@staff_required(Role.CLERK)
def resend(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Renvoyer »: send a failed message again."""
    mail = found(mail_queries.mail, request.scope, public_id)
    try:
        mail_services.requeue_mail(actor=request.user, mail=mail)
    except MailError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Le message pour %(to)s repart dans un instant.") % {"to": mail.to})
    return redirect("/gestion/courriels/?etat=echecs")
