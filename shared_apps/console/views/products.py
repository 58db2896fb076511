"""« Régies et PayFiP » of a town: the operator does what the town's own managers do, with a reason.

Everything happens in the town's schema, and the town's trail names the operator.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe
from django_tenants.utils import tenant_context

from shared_apps.audit.models import AuditEntry
from shared_apps.console import queries
from shared_apps.console.access import OperatorRequest
from shared_apps.console.look import actions, product_acts, product_forms, words
from shared_apps.console.look.screens import screen
from tenant_apps.payments.errors import PaymentError, ProviderError
from tenant_apps.payments.queries import ProductFigures, figures_by_product
from tenant_apps.products import services
from tenant_apps.products.errors import ProductError
from tenant_apps.products.models import Product
from tenant_apps.products.queries import products
from tenant_apps.products.stages import stage_of
from tenants.models import Town

FACTS = 20
TONES = {"good": "ok", "now": "bad", "wait": "warn", "off": ""}


@require_safe
def product_list(request: OperatorRequest, slug: str) -> HttpResponse:
    """The régies of a town, and what was done to them lately."""
    town, known = _town(slug), words.operators()
    with tenant_context(town):
        figures, nothing = figures_by_product(), ProductFigures()
        rows = [(one, *stage_shown(one), figures.get(one.pk, nothing)) for one in products()]
        entries = [
            (each.at, words.actor(each.actor, known), words.verb(each.verb), each.object, words.change(each))
            for each in AuditEntry.objects.filter(verb__startswith="product.").order_by("-id")[:FACTS]
        ]
    title = f"Régies et PayFiP : {town.name}"
    return screen(request, "products", title=title, town=town, rows=rows, entries=entries)


@require_safe
def product_page(request: OperatorRequest, slug: str, pk: int) -> HttpResponse:
    """One of them, and what can be done."""
    town = _town(slug)
    with tenant_context(town):
        product = _product(pk)
        figures = figures_by_product().get(product.pk, ProductFigures())
    stage, tone = stage_shown(product)
    return screen(
        request,
        "product",
        title=f"{product.full_label} : {town.name}",
        town=town,
        product=product,
        stage=stage,
        tone=tone,
        figures=figures,
        acts=product_acts.offered(product),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def add_product(request: OperatorRequest, slug: str) -> HttpResponse:
    """A new one."""
    town = _town(slug)
    with tenant_context(town):
        form = product_forms.AddForm(request.POST if request.method == "POST" else None, town=town)
        if request.method == "POST" and form.is_valid():
            with _refusals(form):
                added = services.add_product(actor=_actor(request), **form.cleaned_data)
                messages.success(request, f"« {added.label} » est ajoutée sous le code {added.code}.")
                return redirect("admin:product", slug=slug, pk=added.pk)
    title = f"Ajouter une régie : {town.name}"
    return screen(request, "product_act", title=title, status=_status(form), town=town, form=form, act=_ADD)


@require_http_methods(["GET", "HEAD", "POST"])
def product_act(request: OperatorRequest, slug: str, pk: int, key: str) -> HttpResponse:
    """The form of one act, and the act."""
    town = _town(slug)
    with tenant_context(town):
        product = _product(pk)
        act = next((each for each in product_acts.offered(product) if each.key == key), None)
        if act is None:
            raise Http404
        form = act.form(request.POST if request.method == "POST" else None, town=town, product=product)
        lines: tuple[str, ...] = ()
        if request.method == "POST" and form.is_valid():
            try:
                with _refusals(form):
                    messages.success(request, act.do(_actor(request), product, form.cleaned_data))
                    return redirect("admin:products", slug=slug)
            except product_acts.Unrecognised as error:
                lines = error.lines
                form = act.form(
                    {**request.POST.dict(), "label": "\n".join(lines)}, town=town, product=product
                )
    title = f"{act.label} : {product.full_label}"
    context = {"town": town, "product": product, "act": act, "form": form, "lines": lines}
    return screen(request, "product_act", title=title, status=_status(form), **context)


_ADD = {
    "label": "Ajouter",
    "explain": "Une régie, des titres ou un rôle, au stade de test. La mise en service se fait dans la commune.",
}


@contextmanager
def _refusals(form: Any) -> Iterator[None]:
    """What a service refuses is told beside the box that it is about; nothing has been changed."""
    try:
        yield
    except ValidationError as error:
        told = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
        for name, errors in told.items():
            form.add_error(name if name in form.fields else None, list(errors))
    except (ProductError, PaymentError, ProviderError) as error:
        form.add_error(None, str(error))


def _status(form: Any) -> int:
    return 422 if form.errors else 200


def _actor(request: OperatorRequest) -> str:
    """As the trail of a town names an operator, who has no account there."""
    return f"operator:{request.user.uuid}"


def stage_shown(product: Product) -> tuple[str, str]:
    """Where a product is on its way: (words, colour)."""
    stage = stage_of(product)
    return stage.words, TONES[stage.kind]


def _town(slug: str) -> Town:
    """A town whose tables can be reached."""
    town = queries.towns().filter(slug=slug).first()
    if town is None or town.state not in actions.LIVING:
        raise Http404
    return town


def _product(pk: int) -> Product:
    found = Product.objects.select_related("replaced_by").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found
