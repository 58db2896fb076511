"""Corrections: money left over, « J'ai réglé », avoirs."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import StaffRequest, found, screen, staff_required
from tenant_apps.backoffice.forms.money import AllocateForm, AnswerForm, CreditForm, RefundForm
from tenant_apps.backoffice.paging import page_of
from tenant_apps.backoffice.views.money.payments import payment_screen
from tenant_apps.invoices.errors import InvoiceError
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.queries import invoice_for_staff
from tenant_apps.payments import readers, services
from tenant_apps.payments.errors import NotCorrectable


@require_safe
@staff_required(Role.READER)
def left_over(request: StaffRequest) -> HttpResponse:
    """« Trop-perçus »: money that is allocated to no invoice."""
    count, amount = readers.left_over_figures(request.scope)
    page = page_of(readers.money_left_over(request.scope), request.GET.get("apres", ""), request.scope)
    return screen(request, "left_over.html", section="payments", page=page, count=count, amount=amount)


@require_POST
@staff_required(Role.CASHIER)
def allocate(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """Allocate money left over to another invoice of the same payer."""
    payment = found(readers.payment_for_staff, request.scope, public_id)
    form = AllocateForm(request.POST)
    if not form.is_valid():
        return payment_screen(request, payment, allocation=form)
    invoice = found(invoice_for_staff, request.scope, form.cleaned_data["invoice"])
    try:
        services.allocate(
            actor=request.user, payment=payment, invoice=invoice, amount=form.cleaned_data["amount"]
        )
    except NotCorrectable as error:
        return payment_screen(request, payment, problem=str(error))
    messages.success(request, _("L'argent règle la facture %(number)s.") % {"number": invoice.number})
    return redirect("backoffice:payment", public_id)


@require_POST
@staff_required(Role.MANAGER)
def refund(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """Record that money left over was given back."""
    payment = found(readers.payment_for_staff, request.scope, public_id)
    form = RefundForm(request.POST)
    if not form.is_valid():
        return payment_screen(request, payment, refund=form)
    try:
        services.record_refund(actor=request.user, payment=payment, **form.cleaned_data)
    except NotCorrectable as error:
        return payment_screen(request, payment, problem=str(error))
    messages.success(request, _("Le remboursement est noté."))
    return redirect("backoffice:payment", public_id)


@require_safe
@staff_required(Role.READER)
def declaration_list(request: StaffRequest) -> HttpResponse:
    """The declarations « J'ai réglé », to confirm or refuse."""
    page = page_of(readers.declarations(request.scope), request.GET.get("apres", ""), request.scope)
    return screen(request, "declarations.html", section="payments", page=page)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.CASHIER)
def refuse_declaration(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """Refuse a declaration: no money was found. The resident gets the clerk's answer."""
    declaration = found(readers.declaration, request.scope, public_id)
    form = AnswerForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        services.refuse_declaration(
            actor=request.user, declaration=declaration, answer=form.cleaned_data["answer"]
        )
        messages.success(request, _("La réponse part vers l'usager."))
        return redirect("backoffice:declarations")
    status = 422 if form.errors else 200
    return screen(
        request, "declaration.html", section="payments", form=form, declaration=declaration, status=status
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.MANAGER)
def credit(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """An avoir: reduce or cancel the invoice."""
    invoice: Invoice = found(invoice_for_staff, request.scope, public_id)
    form, problem = CreditForm(request.POST if request.method == "POST" else None), ""
    if form.is_bound and form.is_valid():
        try:
            _act(form)(actor=request.user, invoice=invoice)
        except (NotCorrectable, InvoiceError) as error:
            problem = str(error)
        else:
            messages.success(
                request, _("L'avoir est enregistré ; l'usager le lit sur la page de sa facture.")
            )
            return redirect("backoffice:invoice", public_id)
    status = 422 if form.errors or problem else 200
    return screen(
        request, "credit.html", section="invoices", form=form, problem=problem, invoice=invoice, status=status
    )


def _act(form: CreditForm) -> Callable[..., object]:
    data = form.cleaned_data
    if data["whole"]:
        return lambda **more: services.cancel_invoice(reason=data["reason"], let_go=data["let_go"], **more)
    return lambda **more: services.reduce_invoice(
        amount=data["amount"], reason=data["reason"], let_go=data["let_go"], **more
    )
