"""« Rattachements »: who asks for which payer with a paper invoice, and what staff answer."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from shared_apps.accounts.errors import AccountError
from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import StaffRequest, found, screen, staff_required
from tenant_apps.backoffice.forms.claims import RefuseClaimForm
from tenant_apps.backoffice.paging import newest, page_of
from tenant_apps.invoices.claiming import accept_claim
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.queries import invoice_for_staff
from tenant_apps.payments.payability.reading import with_payabilities
from tenant_apps.residents import queries
from tenant_apps.residents.claims import services
from tenant_apps.residents.models import Claim
from tenant_apps.residents.states import ClaimState
from toolkit import clock

STATES = {
    "": ClaimState.WAITING,
    "acceptees": ClaimState.ACCEPTED,
    "refusees": ClaimState.REFUSED,
    "toutes": "",
}
LOCKED = 20


@require_safe
@staff_required(Role.READER)
def claim_list(request: StaffRequest) -> HttpResponse:
    """Those to decide first."""
    state = request.GET.get("etat", "")
    found_ = queries.claims_for_staff(state=STATES.get(state, ClaimState.WAITING))
    page = page_of(found_, request.GET.get("apres", ""))
    chips = [
        *(("", _("À décider")), ("acceptees", _("Acceptées"))),
        *(("refusees", _("Refusées")), ("toutes", _("Toutes"))),
    ]
    locked, locked_number = newest(queries.guessed_payers(), LOCKED)
    return screen(
        request,
        "claims.html",
        section="claims",
        page=page,
        state=state,
        chips=chips,
        locked=locked,
        locked_number=locked_number,
    )


@require_safe
@staff_required(Role.READER)
def claim_page(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """One of them, with what helps to decide."""
    return _page(request, found(queries.claim_for_staff, public_id), RefuseClaimForm())


def _page(request: StaffRequest, claim: Claim, form: RefuseClaimForm, *, problem: str = "") -> HttpResponse:
    try:
        invoice = with_payabilities([invoice_for_staff(claim.invoice)])[0] if claim.invoice else None
    except Invoice.DoesNotExist:
        invoice = None
    accesses = list(queries.accesses_to(claim.payer)) if claim.payer else []
    return screen(
        request,
        "claim.html",
        section="claims",
        claim=claim,
        invoice=invoice,
        accesses=accesses,
        cut=[
            one for one in accesses if one.account_id == claim.account_id and one.ended_at and not one.lapsed
        ],
        taken=queries.addresses_taken(claim),
        earlier=queries.earlier_claims(claim),
        form=form,
        problem=problem,
        today=clock.today(),
        status=422 if problem or form.errors else 200,
    )


@require_POST
@staff_required(Role.CLERK)
def accept(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Accepter »: the account sees the payer from now on."""
    claim = found(queries.claim_for_staff, public_id)
    try:
        accept_claim(actor=request.user, claim=claim)
    except AccountError as error:
        claim.refresh_from_db()
        return _page(request, claim, RefuseClaimForm(), problem=str(error))
    messages.success(
        request, _("Le dossier est rattaché ; %(email)s en est prévenu.") % {"email": claim.email}
    )
    return redirect("backoffice:claims")


@require_POST
@staff_required(Role.CLERK)
def refuse(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Refuser », with a reason that the resident reads."""
    claim = found(queries.claim_for_staff, public_id)
    form = RefuseClaimForm(request.POST)
    if not form.is_valid():
        return _page(request, claim, form)
    try:
        services.refuse_claim(actor=request.user, claim=claim, reason=form.cleaned_data["reason"])
    except AccountError as error:
        claim.refresh_from_db()
        return _page(request, claim, form, problem=str(error))
    messages.success(
        request, _("La demande est refusée ; la réponse part vers %(email)s.") % {"email": claim.email}
    )
    return redirect("backoffice:claims")
