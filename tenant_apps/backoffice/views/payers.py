"""« Redevables »: the payers, and who sees their invoices."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from shared_apps.accounts.errors import AccountError
from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import StaffRequest, found, screen, staff_required
from tenant_apps.backoffice.forms.addresses import AddEmailForm
from tenant_apps.backoffice.journal.history import History
from tenant_apps.backoffice.paging import page_of
from tenant_apps.payments.payability.reading import with_payabilities
from tenant_apps.payments.readers import invoices_for_staff
from tenant_apps.residents import sharing
from tenant_apps.residents.emails import billing
from tenant_apps.residents.emails.address_book import address_book
from tenant_apps.residents.models import Payer
from tenant_apps.residents.queries import (
    access_for_staff,
    accesses_to,
    givers_of,
    payer_for_staff,
    payers_for_staff,
)
from toolkit import clock
from toolkit.typed import words_of

INVOICES = 20


@require_safe
@staff_required(Role.READER)
def payer_list(request: StaffRequest) -> HttpResponse:
    """The payers by name, with a search."""
    words = words_of(request.GET, "q")
    page = page_of(payers_for_staff(request.scope, words=words), request.GET.get("apres", ""), request.scope)
    return screen(request, "payers.html", section="payers", page=page, words=words)


@require_safe
@staff_required(Role.READER)
def payer_page(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """One payer: e-mail addresses, accounts with access, latest invoices."""
    return _page(request, found(payer_for_staff, request.scope, public_id), AddEmailForm())


def _page(request: StaffRequest, payer: Payer, form: AddEmailForm) -> HttpResponse:
    theirs = invoices_for_staff(request.scope, today=clock.today()).filter(payer=payer)
    invoices = list(theirs[: INVOICES + 1])
    accesses = list(accesses_to(payer))
    givers = givers_of(accesses)
    return screen(
        request,
        "payer.html",
        section="payers",
        payer=payer,
        history=History(f"payer:{payer.uuid}"),
        book=address_book(payer),
        form=form,
        accesses=[
            (access, givers.get(access.granted_by) if access.granted_by else "") for access in accesses
        ],
        invoices=with_payabilities(invoices[:INVOICES]),
        more=len(invoices) > INVOICES,
        today=clock.today(),
        now=clock.now(),
        status=422 if form.errors else 200,
    )


@require_POST
@staff_required(Role.CLERK)
def add_email(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Ajouter »: add an e-mail address to a payer."""
    payer = found(payer_for_staff, request.scope, public_id)
    form = AddEmailForm(request.POST)
    if not form.is_valid():
        return _page(request, payer, form)
    try:
        billing.add_email(actor=request.user, payer=payer, email=form.cleaned_data["email"])
    except AccountError as error:
        form.add_error("email", str(error))
        return _page(request, payer, form)
    words = _("%(email)s est ajoutée : cette adresse sera prévenue des factures et peut activer un compte.")
    messages.success(request, words % {"email": form.cleaned_data["email"]})
    return redirect("backoffice:payer", payer.uuid)


@require_POST
@staff_required(Role.CLERK)
def change_email(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Retirer » or « Remettre » an e-mail address of a payer."""
    payer, email = found(payer_for_staff, request.scope, public_id), request.POST.get("adresse", "")
    if not email:
        return redirect("backoffice:payer", payer.uuid)
    if request.POST.get("quoi") == "retirer":
        billing.remove_email(actor=request.user, payer=payer, email=email)
        words = _(
            "%(email)s est retirée : elle n'est plus prévenue de rien, n'ouvre plus rien, et un import ne la "
            "ramènera pas."
        )
    elif request.POST.get("quoi") == "remettre":
        billing.let_back(actor=request.user, payer=payer, email=email)
        words = _("%(email)s est de nouveau une adresse de ce redevable.")
    else:
        raise Http404
    messages.success(request, words % {"email": email[:254]})
    return redirect("backoffice:payer", payer.uuid)


@require_POST
@staff_required(Role.CLERK)
def change_access(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Retirer l'accès » or « Rendre l'accès » of an account to a payer."""
    payer = found(payer_for_staff, request.scope, public_id)
    try:
        account = UUID(request.POST.get("compte", ""))
    except ValueError:
        return redirect("backoffice:payer", payer.uuid)
    access = found(access_for_staff, payer, account)
    if request.POST.get("quoi") == "retirer":
        sharing.cut_access(actor=request.user, access=access)
        words = _("%(email)s ne voit plus ces factures.")
    elif request.POST.get("quoi") == "rendre":
        sharing.restore_access(actor=request.user, access=access)
        words = _("%(email)s voit de nouveau ces factures.")
    else:
        raise Http404
    messages.success(request, words % {"email": access.account.email})
    return redirect("backoffice:payer", payer.uuid)
