"""Write to the billing service, and read the threads (docs/manual.md, M13)."""

from typing import TypeVar
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from shared_apps.accounts.errors import TooManyTries
from shared_apps.accounts.models import Account
from shared_apps.accounts.throttling import throttle
from shared_apps.accounts.throttling.refusals import marked
from tenant_apps.contact import queries, services
from tenant_apps.contact.errors import Changed
from tenant_apps.contact.files.stored import download_link
from tenant_apps.contact.files.uploads import count_opened, takes_files
from tenant_apps.contact.models import Author, Message
from tenant_apps.invoices.queries import invoices_for_resident
from tenant_apps.portal.access import ResidentRequest, client_address, resident_required
from tenant_apps.portal.forms import ContactForm, ReplyForm
from toolkit.files.storage import NOT_KEPT, StorageSilent

_Form = TypeVar("_Form", ContactForm, ReplyForm)
MESSAGES = throttle.Limit("contact", 10)  # per IP address
WITH_FILES = throttle.Limit("contact-files", 3)  # of these, by people without an account


@require_http_methods(["GET", "HEAD", "POST"])
@takes_files
def contact(request: HttpRequest) -> HttpResponse:
    """Write to the billing service, with or without an account."""
    resident = _resident(request)
    form = ContactForm(
        request.POST or None,
        request.FILES or None,
        initial={"invoice": request.GET.get("facture")},
        invoices=invoices_for_resident(resident) if resident else None,
    )
    try:
        if request.method == "POST" and _may_go(request, form):
            # a program that filled in the hidden field is thanked like everybody
            if not form.cleaned_data["site"]:
                _send(resident, form)
            return redirect("portal:contact-sent")
    except TooManyTries as error:
        return marked(_page(request, _unopened(form), problem=_too_much()), error)
    except StorageSilent:
        return _page(request, form, problem=str(NOT_KEPT), status=503)
    return _page(request, form)


def _may_go(request: HttpRequest, form: ContactForm | ReplyForm) -> bool:
    """Whether a sent form is valid. Counts the try before the files are opened. Raises TooManyTries."""
    count_opened(request)
    if not form.is_valid():
        return False
    _count(request, form)
    return True


def _page(request: HttpRequest, form: ContactForm, *, problem: str = "", status: int = 200) -> HttpResponse:
    resident = _resident(request)
    news = queries.news_for_resident(resident) if resident else 0
    context = {"section": "contact", "form": form, "problem": problem, "news": news}
    response = render(request, "portal/contact.html", context, status=status)
    response["Cache-Control"] = "no-store, private"  # it lists the resident's invoices
    return response


def _too_much() -> str:
    return _(
        "Vous avez envoyé beaucoup de messages. Attendez 15 minutes, puis appuyez de nouveau sur « Envoyer »."
    )


def _unopened(form: _Form) -> _Form:
    """The form with what was typed, which does not open its files again when it is shown."""
    form.opens_files = False
    return form


def _count(request: HttpRequest, form: ContactForm | ReplyForm) -> None:
    """Count a message of this IP address. Raises TooManyTries."""
    is_stranger = not request.user.is_authenticated
    wanted = [MESSAGES, WITH_FILES] if is_stranger and form.attachments else [MESSAGES]
    throttle.take(*((limit, client_address(request)) for limit in wanted))


def _send(resident: Account | None, form: ContactForm) -> None:
    data = form.cleaned_data
    services.send_message(
        actor=resident,
        email=resident.email if resident else data["email"],
        subject=data["subject"],
        body=data["body"],
        invoice=data.get("invoice"),
        attachments=form.attachments,
        wants_copy=data["wants_copy"],
        public_id=form.public_id,
    )


def _resident(request: HttpRequest) -> Account | None:
    return request.user if request.user.is_authenticated else None


@require_safe
def contact_sent(request: HttpRequest) -> HttpResponse:
    """The page after « Envoyer »."""
    return render(request, "portal/contact_sent.html", {"section": "contact"})


@require_safe
@resident_required
def message_list(request: ResidentRequest) -> HttpResponse:
    """« Mes messages »: the resident's threads."""
    threads = queries.threads_of_resident(request.user, after=request.GET.get("apres", ""))
    return render(request, "portal/messages.html", {"section": "contact", "threads": threads})


@require_http_methods(["GET", "HEAD", "POST"])
@resident_required
@takes_files
def message_page(request: ResidentRequest, public_id: UUID) -> HttpResponse:
    """One thread: the person's messages, the answers, and the form for a reply."""
    thread = _thread_of(request, public_id)
    form = ReplyForm(request.POST or None, request.FILES or None)
    try:
        if request.method == "POST" and _may_go(request, form):
            _reply(request, thread, form)
            return redirect("portal:message", public_id)
    except TooManyTries as error:
        return marked(_thread_page(request, thread, _unopened(form), problem=_too_much()), error)
    except Changed as error:
        return _thread_page(request, thread, form, problem=str(error), status=409)
    except StorageSilent:
        return _thread_page(request, thread, form, problem=str(NOT_KEPT), status=503)
    if request.method == "GET":
        services.mark_read(message=thread, reader=Author.RESIDENT)
    return _thread_page(request, thread, form)


def _thread_of(request: ResidentRequest, public_id: UUID) -> Message:
    try:
        return queries.thread_for_resident(request.user, public_id)
    except Message.DoesNotExist:
        raise Http404 from None


def _reply(request: ResidentRequest, thread: Message, form: ReplyForm) -> None:
    services.reply_to_message(
        actor=request.user,
        message=thread,
        body=form.cleaned_data["body"],
        key=form.cleaned_data["key"],
        attachments=form.attachments,
    )
    messages.success(request, _("Votre message est envoyé."))


def _thread_page(
    request: ResidentRequest, thread: Message, form: ReplyForm, *, problem: str = "", status: int = 200
) -> HttpResponse:
    may_see = thread.invoice and invoices_for_resident(request.user).filter(pk=thread.invoice.pk).exists()
    context = {
        "section": "contact", "thread": thread, "lines": queries.whole(thread), "form": form,
        "problem": problem, "invoice": thread.invoice if may_see else None,
    }  # fmt: skip
    return render(request, "portal/message.html", context, status=status)


@require_safe
@resident_required
def message_file(request: ResidentRequest, public_id: UUID, file_id: UUID) -> HttpResponse:
    """Check the access, then redirect to S3 with a link that is valid for five minutes."""
    try:
        return redirect(download_link(queries.file(_thread_of(request, public_id), file_id)))
    except Message.DoesNotExist:
        raise Http404 from None
