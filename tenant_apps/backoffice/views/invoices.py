"""The town's invoices, and one of them with everything about it."""

from collections.abc import Iterable
from typing import Any, cast, get_args
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import StaffRequest, found, screen, staff_required
from tenant_apps.backoffice.filters import Chosen, chosen
from tenant_apps.backoffice.journal.history import History
from tenant_apps.backoffice.paging import newest, page_of
from tenant_apps.backoffice.words.summary import summary_of
from tenant_apps.contact.queries import messages
from tenant_apps.invoices import queries
from tenant_apps.invoices.documents.links import document_link
from tenant_apps.invoices.models import Batch, Credit, Invoice
from tenant_apps.invoices.states import OnlineHold
from tenant_apps.notices.queries import mails_about
from tenant_apps.payments.models import Attempt, Payment
from tenant_apps.payments.payability.reading import with_payabilities
from tenant_apps.payments.queries import (
    IN_REVIEW,
    attempts_of_invoice,
    money_about,
    only_declared,
    only_in_review,
)
from tenant_apps.payments.readers import Settled, credits_of, invoices_for_staff
from tenant_apps.payments.states import LIVE
from toolkit import clock
from toolkit.scope import Scope

MAILS, MESSAGES = 50, 20  # shows the newest ones


@require_safe
@staff_required(Role.READER)
def invoice_list(request: StaffRequest) -> HttpResponse:
    """The list of invoices. Search and filters are in the query string."""
    wanted = chosen(request.scope, request.GET)
    page = page_of(_filtered(request.scope, wanted), request.GET.get("apres", ""), request.scope)
    with_payabilities(page.rows)
    return screen(
        request,
        "invoices.html",
        section="invoices",
        page=page,
        wanted=wanted,
        products=queries.listed_products(request.scope),
        today=clock.today(),
    )


def _filtered(scope: Scope, wanted: Chosen) -> QuerySet[Invoice]:
    settled = cast(Settled, wanted.settled if wanted.settled in get_args(Settled) else "")
    invoices = invoices_for_staff(
        scope, today=clock.today(), words=wanted.words, state=wanted.state, settled=settled
    )
    if wanted.settled == "declared":
        invoices = only_declared(invoices)
    if wanted.settled == "in_review":
        invoices = only_in_review(invoices)
    keys: dict[str, Any] = {
        "product__code": wanted.product,
        "batch": wanted.batch,
        "payer": wanted.payer,
    }
    return invoices.filter(**{name: value for name, value in keys.items() if value})


@require_safe
@staff_required(Role.READER)
def invoice_page(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """One invoice. It answers « J'ai payé trois fois, est-ce passé ? »."""
    (invoice,) = with_payabilities([found(queries.invoice_for_staff, request.scope, public_id)])
    mails, mails_number = newest(mails_about(invoice).defer("text", "html"), MAILS)
    received, received_number = newest(messages(request.scope).filter(invoice=invoice), MESSAGES)
    attempts, money = list(attempts_of_invoice(invoice)), list(money_about(invoice))
    credits = list(credits_of(invoice))
    return screen(
        request,
        "invoice.html",
        section="invoices",
        invoice=invoice,
        history=_history(invoice, attempts, money, credits),
        batch=_batch(request.scope, invoice),
        attempts=attempts,
        money=money,
        credits=credits,
        summary=summary_of(invoice, attempts, money),
        declaration=getattr(invoice, "declaration", None),
        mails=mails,
        mails_number=mails_number,
        received=received,
        messages_number=received_number,
        live=LIVE,
        holds=OnlineHold.choices,
        undecided=IN_REVIEW,
        today=clock.today(),
    )


def _history(
    invoice: Invoice, attempts: Iterable[Attempt], money: Iterable[Payment], credits: Iterable[Credit]
) -> History:
    """Of the invoice, of the attempts to pay it, and of the money received for it."""
    declaration = getattr(invoice, "declaration", None)
    return History(
        f"invoice:{invoice.uuid}",
        *(f"attempt:{one.uuid}" for one in attempts),
        *(f"payment:{one.uuid}" for one in money),
        also=[
            *(name for one in money for name in (one.recorded_by, one.cancelled_by)),
            *(one.made_by for one in credits),
            declaration.refused_by if declaration else "",
        ],
    )


def _batch(scope: Scope, invoice: Invoice) -> Batch | None:
    """The import that brought it, if it is seen too."""
    batch = invoice.batch
    return batch if batch is not None and scope.covers(batch.product_ids) else None


@require_safe
@staff_required(Role.READER)
def invoice_pdf(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """Check the role, then redirect to S3 with a link that is valid for five minutes."""
    invoice = found(queries.invoice_for_staff, request.scope, public_id)
    if invoice.document is None:
        raise Http404
    return redirect(document_link(invoice, inline="telecharger" not in request.GET, asked=True))
