"""« À examiner »: attempts that the Treasury's answers could not settle, and findings."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import StaffRequest, found, screen, staff_required
from tenant_apps.backoffice.paging import newest
from tenant_apps.payments.queries import finding_for_staff, in_review_for_staff, last_audit, open_findings
from tenant_apps.payments.services import close_finding
from toolkit.typed import words_of

MOST = 100


@require_safe
@staff_required(Role.READER)
def examine(request: StaffRequest) -> HttpResponse:
    """The held attempts, which keep their invoices waiting; then the findings."""
    in_review, in_review_number = newest(in_review_for_staff(request.scope), MOST)
    findings, findings_number = newest(open_findings(request.scope), MOST)
    return screen(
        request,
        "examine.html",
        section="examine",
        in_review=in_review,
        in_review_number=in_review_number,
        findings=findings,
        findings_number=findings_number,
        audit=last_audit(request.scope),
    )


@require_POST
@staff_required(Role.CASHIER)
def close(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Classer »: close a finding, with the clerk's conclusion."""
    finding = found(finding_for_staff, request.scope, public_id)
    answer = words_of(request.POST, "answer", most=300)
    if not answer:
        messages.error(request, _("Écrivez en quelques mots ce que vous avez constaté, puis classez."))
    else:
        close_finding(actor=request.user, finding=finding, answer=answer)
        messages.success(request, _("C'est classé."))
    return redirect("backoffice:examine")
