import datetime

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from benchmarks.reference.bills.models import Bill


@login_required
def bill_list(request: HttpRequest) -> HttpResponse:
    bills = Bill.objects.filter(owner=request.user)
    wanted = request.GET.get("etat")
    unpaid = bills.filter(paid=False)
    shown = unpaid if wanted == "non-reglees" else bills.filter(paid=True) if wanted == "reglees" else bills
    context = {
        "page": Paginator(shown, 50).get_page(request.GET.get("page")),
        "number": unpaid.count(),
        "total": unpaid.aggregate(total=Sum("amount"))["total"] or 0,
        "today": datetime.date.today(),  # noqa: DTZ011 - as a plain project writes it
    }
    return render(request, "bills/list.html", context)


@login_required
def bill_page(request: HttpRequest, pk: int) -> HttpResponse:
    return render(request, "bills/list.html", {"bill": get_object_or_404(Bill, pk=pk, owner=request.user)})
