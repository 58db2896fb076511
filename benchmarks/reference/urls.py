from django.urls import path

from benchmarks.reference.bills.views import bill_list, bill_page

urlpatterns = [
    path("factures/", bill_list, name="bills"),
    path("factures/<int:pk>/", bill_page, name="bill"),
]
