"""« Encaissements »: the payments, and recording one at the counter."""

import contextlib
from collections.abc import Iterable
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shared_apps.accounts.models import Role
from shared_apps.accounts.team.names import authors_of
from tenant_apps.backoffice.access import Refused, StaffRequest, found, may, screen, staff_required
from tenant_apps.backoffice.forms.money import AllocateForm, CancelForm, CounterForm, RefundForm, typed
from tenant_apps.backoffice.journal.history import History
from tenant_apps.backoffice.paging import newest, page_of
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments import readers
from tenant_apps.payments.errors import NotCorrectable
from tenant_apps.payments.models import Means, Payment
from tenant_apps.payments.naming import receipt_reference
from tenant_apps.payments.payability.reading import with_payabilities
from tenant_apps.payments.queries import open_declarations
from tenant_apps.payments.readers import can_undo
from tenant_apps.payments.services import book_payment, cancel_payment
from tenant_apps.products.queries import names_several_products
from tenant_apps.townhall.queries import current_townhall
from toolkit import clock
from toolkit.typed import words_of

WHICH: dict[str, readers.Which] = {"": "", "a-remettre": "to_deposit", "annules": "cancelled"}
FOUND = 20
OTHERS = 100  # of a payer, the first due first: money left over may pay them


@require_safe
@staff_required(Role.READER)
def payment_list(request: StaffRequest) -> HttpResponse:
    """All payments, the newest first, and numbers of what waits."""
    words, means = words_of(request.GET, "q"), request.GET.get("moyen", "")
    state = request.GET.get("etat", "")
    rows = readers.payments_for_staff(
        request.scope, words=words, means=means if means in Means.values else "", which=WHICH.get(state, "")
    )
    page = page_of(rows, request.GET.get("apres", ""), request.scope)
    left, left_amount = readers.left_over_figures(request.scope)
    return screen(
        request,
        "payments.html",
        section="payments",
        page=page,
        names=authors_of(payment.recorded_by for payment in page.rows),
        words=words,
        means=means,
        state=state,
        all_means=Means.choices,
        states=[("", _("Tous")), ("a-remettre", _("À remettre en banque")), ("annules", _("Annulés"))],
        today_amount=readers.received_on(request.scope, clock.today()),
        undeposited=(undeposited := readers.undeposited_by_means(request.scope)),
        several_regies=len({one.product.pk for one in undeposited}) > 1,
        left=left,
        left_amount=left_amount,
        declared=open_declarations(request.scope).count(),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.CASHIER)
def new_payment(request: StaffRequest) -> HttpResponse:
    """Record a payment at the counter: search, tick, amounts, means. Sending the form twice books once."""
    sent = request.POST if request.method == "POST" else request.GET
    wanted = set(_uuids(sent.getlist("facture")))
    chosen = readers.chosen_invoices(request.scope, _uuids(sent.getlist("facture")))
    if request.method == "POST" and (not chosen or len(chosen) < len(wanted)):
        return _already(request, sent, chosen)
    form = CounterForm(sent if request.method == "POST" else None, invoices=chosen, scope=request.scope)
    if form.is_bound and form.is_valid():
        payment, new = book_payment(actor=request.user, **form.payment())
        done = _("L'encaissement est enregistré.") if new else _("Cet encaissement était déjà enregistré.")
        messages.success(request, done)
        return redirect("backoffice:payment", payment.uuid)
    words = words_of(sent, "q")
    with_payabilities(chosen)
    open_invoices = readers.open_invoices(request.scope, words=words, without=chosen)
    results = list(open_invoices[: FOUND + 1]) if words else []
    return screen(
        request,
        "payment_new.html",
        section="payments",
        status=422 if form.errors else 200,
        form=form,
        chosen=chosen,
        words=words,
        people=readers.by_person(with_payabilities(results[:FOUND])),
        several_regies=names_several_products(request.scope),
        more=len(results) > FOUND,
        today=clock.today(),
    )


def _already(request: StaffRequest, sent: QueryDict, left: Iterable[Invoice]) -> HttpResponse:
    """One of the chosen invoices is paid already: the page was sent twice, or another clerk was faster.

    We do not book the rest alone: the clerk holds one cheque for all of them.
    """
    for key in _uuids([sent.get("key", "")]):
        booked = readers.booked_under(request.scope, key)
        if booked is not None:
            messages.success(request, _("Cet encaissement était déjà enregistré."))
            return redirect("backoffice:payment", booked.uuid)
    remains = urlencode([("facture", one.uuid) for one in left])
    if remains:
        sentence = _(
            "Rien n'a été enregistré : une des factures n'attend plus d'argent. Vérifiez le montant reçu."
        )
    else:
        sentence = _("Rien n'a été enregistré : ces factures n'attendent plus d'argent.")
    messages.error(request, sentence)
    return redirect(f"{reverse('backoffice:new-payment')}?{remains}")


def _uuids(values: Iterable[str]) -> list[UUID]:
    found_: list[UUID] = []
    for value in values:
        with contextlib.suppress(ValueError):
            found_.append(UUID(value))
    return found_


@require_safe
@staff_required(Role.READER)
def payment_page(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """One payment: what it pays, what is left over, what can be done."""
    return payment_screen(request, found(readers.payment_for_staff, request.scope, public_id))


def payment_screen(
    request: StaffRequest,
    payment: Payment,
    *,
    cancel: CancelForm | None = None,
    refund: RefundForm | None = None,
    allocation: AllocateForm | None = None,
    problem: str = "",
) -> HttpResponse:
    """The page of a payment; `form`: the form that had errors, if one was sent."""
    wrong = next((form for form in (cancel, refund, allocation) if form is not None), None)
    manages, books = (may(request, role) for role in (Role.MANAGER, Role.CASHIER))
    may_cancel = manages or (books and can_undo(request.user, payment))
    spendable = payment.left_over > 0
    others, others_number = newest(readers.other_invoices(payment), OTHERS) if spendable else ([], 0)
    return screen(
        request,
        "payment.html",
        section="payments",
        status=422 if wrong is not None or problem else 200,
        payment=payment,
        history=history_of(payment),
        reference=receipt_reference(payment),
        paper=readers.means_in_words(payment),
        form=wrong,
        problem=problem,
        cancel=cancel or CancelForm(),
        refund=refund or RefundForm(initial={"amount": typed(payment.left_over)}),
        others=with_payabilities(others),
        others_number=others_number,
        spendable=spendable,
        may_cancel=payment.cancelled_at is None and may_cancel,
        undo=not manages,
    )


def history_of(payment: Payment) -> History:
    """Of a payment, and of the attempt that brought it."""
    objects = [f"payment:{payment.uuid}", *([f"attempt:{payment.attempt.uuid}"] if payment.attempt else [])]
    refunds = (one.recorded_by for one in payment.refunds.all())
    return History(*objects, also=[payment.recorded_by, payment.cancelled_by, *refunds])


@require_safe
@staff_required(Role.READER)
def payment_receipt(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """The justificatif de paiement, to print."""
    payment = found(readers.payment_for_staff, request.scope, public_id)
    response = HttpResponse(
        readers.receipt_for_staff_pdf(payment, current_townhall()), content_type="application/pdf"
    )
    name = f"justificatif-{receipt_reference(payment)}.pdf"
    response["Content-Disposition"] = f'inline; filename="{name}"'
    return response


@require_POST
@staff_required(Role.CASHIER)
def cancel(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """A manager cancels any payment; a cashier takes back what they have just booked."""
    payment = found(readers.payment_for_staff, request.scope, public_id)
    if not may(request, Role.MANAGER) and not can_undo(request.user, payment):
        raise Refused(Role.MANAGER)
    form = CancelForm(request.POST)
    if not form.is_valid():
        return payment_screen(request, payment, cancel=form)
    try:
        cancel_payment(actor=request.user, payment=payment, reason=form.cleaned_data["reason"])
    except NotCorrectable as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Le règlement est annulé ; les factures sont de nouveau à régler."))
    return redirect("backoffice:payment", public_id)
