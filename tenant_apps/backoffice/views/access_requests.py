"""« Rattachements »: who asks to see which payer with a paper invoice, and the answer of staff."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from shared_apps.accounts.errors import AccountError
from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import StaffRequest, found, screen, staff_required
from tenant_apps.backoffice.forms.access_requests import RefuseAccessRequestForm
from tenant_apps.backoffice.journal.history import History
from tenant_apps.backoffice.paging import newest, page_of
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.paper_proof import accept_access_request
from tenant_apps.invoices.queries import invoice_for_staff
from tenant_apps.payments.payability.reading import with_payabilities
from tenant_apps.residents import queries
from tenant_apps.residents.access_requests import services
from tenant_apps.residents.models import AccessRequest
from tenant_apps.residents.states import AccessRequestState
from toolkit import clock

STATES = {
    "": AccessRequestState.WAITING,
    "acceptees": AccessRequestState.ACCEPTED,
    "refusees": AccessRequestState.REFUSED,
    "toutes": "",
}
LOCKED = 20


@require_safe
@staff_required(Role.READER)
def access_request_list(request: StaffRequest) -> HttpResponse:
    """The access requests, those to decide by default."""
    state = request.GET.get("etat", "")
    found_ = queries.access_requests_for_staff(
        request.scope, state=STATES.get(state, AccessRequestState.WAITING)
    )
    page = page_of(found_, request.GET.get("apres", ""), request.scope)
    chips = [
        *(("", _("À décider")), ("acceptees", _("Acceptées"))),
        *(("refusees", _("Refusées")), ("toutes", _("Toutes"))),
    ]
    locked, locked_number = newest(queries.guessed_payers(request.scope), LOCKED)
    return screen(
        request,
        "access_requests.html",
        section="access_requests",
        page=page,
        state=state,
        chips=chips,
        locked=locked,
        locked_number=locked_number,
    )


@require_safe
@staff_required(Role.READER)
def access_request_page(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """One access request, with what helps to decide it."""
    return _page(
        request, found(queries.access_request_for_staff, request.scope, public_id), RefuseAccessRequestForm()
    )


def _page(
    request: StaffRequest, access_request: AccessRequest, form: RefuseAccessRequestForm, *, problem: str = ""
) -> HttpResponse:
    try:
        invoice = (
            with_payabilities([invoice_for_staff(request.scope, access_request.invoice)])[0]
            if access_request.invoice
            else None
        )
    except Invoice.DoesNotExist:
        invoice = None
    accesses = list(queries.accesses_to(access_request.payer)) if access_request.payer else []
    return screen(
        request,
        "access_request.html",
        section="access_requests",
        access_request=access_request,
        history=History(f"claim:{access_request.uuid}", also=[access_request.decided_by]),
        invoice=invoice,
        accesses=accesses,
        cut=[
            one
            for one in accesses
            if one.account_id == access_request.account_id and one.ended_at and not one.lapsed
        ],
        taken=queries.addresses_taken(access_request),
        earlier=queries.earlier_access_requests(request.scope, access_request),
        form=form,
        problem=problem,
        today=clock.today(),
        status=422 if problem or form.errors else 200,
    )


@require_POST
@staff_required(Role.CLERK)
def accept(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Accepter »: the account sees the payer from now on."""
    access_request = found(queries.access_request_for_staff, request.scope, public_id)
    try:
        accept_access_request(actor=request.user, access_request=access_request)
    except AccountError as error:
        access_request.refresh_from_db()
        return _page(request, access_request, RefuseAccessRequestForm(), problem=str(error))
    messages.success(
        request, _("Le dossier est rattaché ; %(email)s en est prévenu.") % {"email": access_request.email}
    )
    return redirect("backoffice:claims")


@require_POST
@staff_required(Role.CLERK)
def refuse(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Refuser », with a reason for the resident."""
    access_request = found(queries.access_request_for_staff, request.scope, public_id)
    form = RefuseAccessRequestForm(request.POST)
    if not form.is_valid():
        return _page(request, access_request, form)
    try:
        services.refuse_access_request(
            actor=request.user, access_request=access_request, reason=form.cleaned_data["reason"]
        )
    except AccountError as error:
        access_request.refresh_from_db()
        return _page(request, access_request, form, problem=str(error))
    messages.success(
        request,
        _("La demande est refusée ; la réponse part vers %(email)s.") % {"email": access_request.email},
    )
    return redirect("backoffice:claims")
