"""Payments missing on either side, the figures of each day, the accountant's list."""

from decimal import Decimal

from django.http import HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import StaffRequest, screen, staff_required
from tenant_apps.backoffice.forms.reconciliation import PeriodForm
from tenant_apps.reconciliation import queries
from tenant_apps.reconciliation.figures import accountant_rows, accountant_titles, day_figures
from toolkit.sheets import csv_answer
from toolkit.words import in_french

MOST = 500


@require_safe
@staff_required(Role.READER)
def missing(request: StaffRequest) -> HttpResponse:
    """« Absents »: payments of ours that are not in the journal, and lines of the journal that match no payment."""
    period = queries.journal_period(request.scope)
    form = PeriodForm(request.GET, default=period)
    first, last = form.period
    ours = list(queries.absent_from_journal(request.scope, first, last)[: MOST + 1]) if period else []
    theirs = list(queries.unknown_to_us(request.scope, first, last)[: MOST + 1])
    return screen(
        request,
        "missing.html",
        section="reconciliation",
        form=form,
        period=period,
        ours=ours[:MOST],
        theirs=theirs[:MOST],
        more=max(len(ours), len(theirs)) > MOST,
        status=422 if form.errors else 200,
    )


@require_safe
@staff_required(Role.READER)
def days(request: StaffRequest) -> HttpResponse:
    """« Journées »: sums by day, régie and means; money that went out counts on its own day."""
    form = PeriodForm(request.GET)
    first, last = form.period
    figures = day_figures(request.scope, first, last)
    by_means: dict[str, Decimal] = {}
    for one in figures:
        by_means[one.means] = by_means.get(one.means, Decimal("0.00")) + one.total
    return screen(
        request,
        "days.html",
        section="reconciliation",
        form=form,
        figures=figures,
        first=first,
        last=last,
        total=sum(one.total for one in figures),
        by_means=by_means.items(),
        status=422 if form.errors else 200,
    )


@require_safe
@staff_required(Role.READER)
@in_french
def accountant_file(request: StaffRequest) -> HttpResponseBase:
    """The accountant's list of a period, for a spreadsheet."""
    first, last = PeriodForm(request.GET).period
    name = _("encaissements-%(first)s-%(last)s.csv") % {"first": first, "last": last}
    return csv_answer(name, accountant_titles(), accountant_rows(request.scope, first, last))
