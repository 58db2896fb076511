"""M13: writing to the service."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from shared_apps.accounts import throttle
from tenant_apps.contact.services import send_message
from tenant_apps.invoices.queries import invoices_for_resident
from tenant_apps.portal.access import client_address
from tenant_apps.portal.forms import ContactForm

MESSAGES_PER_ADDRESS = 10  # in throttle.WINDOW


@require_http_methods(["GET", "HEAD", "POST"])
def contact(request: HttpRequest) -> HttpResponse:
    """M13: write to the service; also without an account."""
    resident = request.user if request.user.is_authenticated else None
    invoices = invoices_for_resident(resident) if resident else None
    form = ContactForm(
        request.POST or None, initial={"invoice": request.GET.get("facture")}, invoices=invoices
    )
    if request.method == "POST" and form.is_valid():
        if throttle.count("contact", client_address(request)) > MESSAGES_PER_ADDRESS:
            return render(request, "errors/too_many.html", status=429)
        if not form.cleaned_data["site"]:  # a program that filled the trap is thanked like everybody
            _send(request, form)
        return redirect("portal:contact-sent")
    return render(request, "portal/contact.html", {"section": "contact", "form": form})


def _send(request: HttpRequest, form: ContactForm) -> None:
    resident = request.user if request.user.is_authenticated else None
    data = form.cleaned_data
    send_message(
        actor=resident,
        email=resident.email if resident else data["email"],
        subject=data["subject"],
        body=data["body"],
        invoice=data.get("invoice"),
    )


def contact_sent(request: HttpRequest) -> HttpResponse:
    """After « Envoyer »."""
    return render(request, "portal/contact_sent.html", {"section": "contact"})
