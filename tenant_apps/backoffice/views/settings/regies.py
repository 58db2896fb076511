"""« Régies et PayFiP »: what the town's invoices are paid on. For managers."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import StaffRequest, found, screen, staff_required
from tenant_apps.backoffice.forms.regies import (
    AgreementForm,
    NewRegieForm,
    RegieForm,
    ReplacementForm,
    refused,
)
from tenant_apps.backoffice.journal.history import History
from tenant_apps.payments import services as payments
from tenant_apps.payments.errors import NotYet, PaymentError, ProviderError
from tenant_apps.payments.queries import ProductFigures, figures_by_product
from tenant_apps.products import services
from tenant_apps.products.errors import ProductError
from tenant_apps.products.models import Product
from tenant_apps.products.queries import is_unused, products
from tenant_apps.products.queries import product as one_product
from tenant_apps.products.stages import stage_of


@require_safe
@staff_required(Role.MANAGER)
def regie_list(request: StaffRequest) -> HttpResponse:
    """All of them, with where each is and what hangs on it."""
    figures, nothing = figures_by_product(), ProductFigures()
    rows = [
        (one, stage_of(one), figures.get(one.pk, nothing)) for one in products().select_related("replaced_by")
    ]
    return screen(request, "regies.html", section="settings", place="regies", rows=rows)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.MANAGER)
def add_regie(request: StaffRequest) -> HttpResponse:
    """A new one; with a number, the next page asks the Treasury whose it is."""
    form = NewRegieForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            added = services.add_product(actor=request.user, **form.cleaned_data)
        except ValidationError as error:
            refused(form, error)
        else:
            messages.success(request, _("« %(label)s » est ajoutée.") % {"label": added.label})
            return redirect(_next_page(added))
    return screen(
        request,
        "regie_new.html",
        section="settings",
        place="regies",
        form=form,
        status=422 if form.errors else 200,
    )


def _next_page(product: Product) -> str:
    """« Est-ce bien vous ? » for a number to check, else the régie's own page."""
    if product.is_paid_online and product.checked_at is None:
        return reverse("backoffice:going-live", args=[product.pk]) + "?verifier=1"
    return reverse("backoffice:regie", args=[product.pk])


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.MANAGER)
def regie_page(request: StaffRequest, pk: int) -> HttpResponse:
    """One of them. Each POST names what it does; without a name it saves the form."""
    item = found(one_product, pk)
    act = STEPS.get(request.POST.get("step", ""))
    if request.method == "POST" and act is not None:
        return _acted(request, item, act)
    form = RegieForm(request.POST if request.method == "POST" else None, instance=found(one_product, pk))
    if request.method == "POST" and form.is_valid():
        try:
            changed = services.change_product(actor=request.user, product=item, **form.cleaned_data)
        except ValidationError as error:
            refused(form, error)
        else:
            messages.success(request, _("« %(label)s » est enregistré.") % {"label": changed.label})
            return redirect("backoffice:regies")
    return _page(request, item, form)


def _page(request: StaffRequest, item: Product, form: RegieForm) -> HttpResponse:
    return screen(
        request,
        "regie.html",
        section="settings",
        place="regies",
        form=form,
        product=item,
        history=History(services.name_of(item)),
        stage=stage_of(item),
        figures=figures_by_product().get(item.pk, ProductFigures()),
        is_unused=is_unused(item),
        status=422 if form.errors else 200,
    )


Act = Callable[[StaffRequest, Product], str]


def _acted(request: StaffRequest, product: Product, act: Act) -> HttpResponse:
    try:
        messages.success(request, act(request, product))
    except ProductError as error:
        messages.error(request, str(error))
        return redirect("backoffice:regie", pk=product.pk)
    return redirect("backoffice:regies")


def _close(request: StaffRequest, product: Product) -> str:
    pays = request.POST.get("pays_after_end") == "oui"
    services.end_product(actor=request.user, product=product, pays_after_end=pays)
    return _("« %(label)s » est fermée : elle ne reçoit plus de factures.") % {"label": product.label}


def _reopen(request: StaffRequest, product: Product) -> str:
    services.reopen_product(actor=request.user, product=product)
    return _("« %(label)s » est rouverte.") % {"label": product.label}


def _make_default(request: StaffRequest, product: Product) -> str:
    services.make_default(actor=request.user, product=product)
    return _("Les fichiers qui ne nomment aucune régie iront à « %(label)s ».") % {"label": product.label}


def _delete(request: StaffRequest, product: Product) -> str:
    services.delete_product(actor=request.user, product=product)
    return _("« %(label)s » est supprimée.") % {"label": product.label}


STEPS: dict[str, Act] = {"close": _close, "reopen": _reopen, "default": _make_default, "delete": _delete}


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.MANAGER)
def regie_number(request: StaffRequest, pk: int) -> HttpResponse:
    """Nature, online payment and number. One in use is replaced, once its new number is recognised."""
    item = found(one_product, pk)
    in_use = payments.number_is_in_use(item)
    form = _number_form(request, item, in_use)
    lines: tuple[str, ...] = ()
    if request.method == "POST" and form.is_valid():
        try:
            answer = _number_asked(request, item, form.cleaned_data)
            if isinstance(answer, HttpResponse):
                return answer
            lines, form = answer, ReplacementForm(initial={**form.cleaned_data, "pays_after_end": "oui"})
        except ValidationError as error:
            refused(form, error)
        except (PaymentError, ProviderError) as error:
            form.add_error("number", str(error))
    context = {"product": item, "form": form, "lines": lines, "in_use": in_use}
    return screen(
        request,
        "regie_number.html",
        section="settings",
        place="regies",
        status=422 if form.errors else 200,
        **context,
    )


def _number_form(request: StaffRequest, product: Product, in_use: bool) -> AgreementForm:
    kind = ReplacementForm if in_use else AgreementForm
    present = {"kind": product.kind, "protocol": product.protocol, "number": product.numcli}
    return kind(request.POST if request.method == "POST" else None, initial=present)


def _number_asked(
    request: StaffRequest, item: Product, data: dict[str, Any]
) -> HttpResponse | tuple[str, ...]:
    """The change is made; or, of a number in use, the lines that must be recognised first."""
    wanted = {name: data[name] for name in ("kind", "protocol", "number")}
    label = request.POST.get("label", "")
    if payments.change_of(item, **wanted) == payments.Change.REPLACE and not label:
        lines = payments.ask_number(wanted["protocol"], wanted["number"])
        if not lines:
            raise NotYet(_("Aucun libellé n'est connu pour ce numéro."))
        return lines
    changed = payments.change_agreement(actor=request.user, product=item, label=label, **data)
    messages.success(request, _("« %(label)s » est enregistré.") % {"label": changed.label})
    return redirect(_next_page(changed))
