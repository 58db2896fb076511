"""« Mise en service » of a régie: the number, T tries, X by card and by debit, then W. It only goes forward."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import StaffRequest, found, screen, staff_required
from tenant_apps.backoffice.paging import newest
from tenant_apps.payments import readers, services
from tenant_apps.payments.errors import PaymentError, ProviderError
from tenant_apps.payments.queries import test_payments_of
from tenant_apps.products.models import Product
from tenant_apps.products.queries import product as one_product

# The answer of a step: an address to redirect to (None: this page), or the lines to recognise.
Answer = str | tuple[str, ...] | None
TEST_PAYMENTS = 30  # shows the newest ones


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.MANAGER)
def going_live(request: StaffRequest, pk: int) -> HttpResponse:
    """The page, and its steps: each POST names the one it does. `?verifier=1` asks whose the number is at once."""
    product: Product = found(one_product, pk)
    lines: Answer = None
    step = (
        request.POST.get("step", "") if request.method == "POST" else "number" * ("verifier" in request.GET)
    )
    if step or request.method == "POST":
        try:
            answer = STEPS.get(step, _nothing)(request, product)
        except (PaymentError, ProviderError) as error:
            messages.error(request, str(error))
            answer = None
        if not isinstance(answer, tuple):
            return redirect(answer or request.path)
        lines = answer
    _look(product)
    shown, number = newest(test_payments_of(product), TEST_PAYMENTS)
    return screen(
        request,
        "going_live.html",
        section="settings",
        place="regies",
        product=found(one_product, pk),
        lines=lines,
        words=readers.labels_of(product.protocol),
        test_payments=shown,
        test_payments_number=number,
        missing=readers.missing(product),
    )


def _look(product: Product) -> None:
    """Ask for the results of the last test payments when the page opens; the poller would ask later anyway."""
    for test_payment in test_payments_of(product).filter(state="started", operation__isnull=False)[:2]:
        services.check_test_payment(test_payment)


def _number(request: StaffRequest, product: Product) -> Answer:
    """« Vérifier ce numéro »: ask the Treasury whose number it is."""
    lines = services.ask_label(product)
    if not lines:
        messages.error(request, _("Aucun libellé n'est connu pour ce numéro."))
    return lines or None


def _recognise(request: StaffRequest, product: Product) -> Answer:
    """« C'est bien nous »: the manager recognises the name that the Treasury gave."""
    services.recognise(actor=request.user, product=product, label=request.POST.get("label", ""))
    messages.success(request, _("Le numéro est vérifié."))
    return None


def _test_payment(request: StaffRequest, product: Product) -> Answer:
    return services.start_test_payment(actor=request.user, product=product)


def _forward(request: StaffRequest, product: Product) -> Answer:
    without_debit = request.POST.get("without_debit") == "on"
    moved = services.go_forward(actor=request.user, product=product, without_debit=without_debit)
    messages.success(
        request,
        _("« %(label)s » est à l'étape « %(mode)s ».")
        % {"label": moved.label, "mode": moved.get_mode_display()},
    )
    return None


def _nothing(request: StaffRequest, product: Product) -> Answer:
    return None


STEPS: dict[str, Callable[[StaffRequest, Product], Answer]] = {
    "number": _number,
    "recognise": _recognise,
    "test-payment": _test_payment,
    "forward": _forward,
}
