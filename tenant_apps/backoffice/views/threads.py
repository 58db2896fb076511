"""Messages of residents, and the town's answers."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from shared_apps.accounts.errors import NotWhileImpersonating, TooManyTries
from shared_apps.accounts.models import Role
from shared_apps.accounts.throttling.refusals import marked
from tenant_apps.backoffice.access import StaffRequest, found, screen, staff_required
from tenant_apps.backoffice.forms.contact import ThreadForm
from tenant_apps.backoffice.journal.history import History
from tenant_apps.backoffice.paging import page_of
from tenant_apps.contact import queries, services
from tenant_apps.contact.errors import Changed
from tenant_apps.contact.files.stored import download_link
from tenant_apps.contact.files.uploads import count_opened, takes_files
from tenant_apps.contact.models import Author, Message
from tenant_apps.contact.queries import State
from toolkit.files.storage import NOT_KEPT, StorageSilent
from toolkit.typed import words_of

STATES: dict[str, State] = {"": "todo", "traites": "handled", "a-verifier": "held", "tous": ""}


@require_safe
@staff_required(Role.READER)
def message_list(request: StaffRequest) -> HttpResponse:
    """The threads, those to answer first."""
    state, words = request.GET.get("etat", ""), words_of(request.GET, "q")
    rows = queries.messages(request.scope, state=STATES.get(state, "todo"), words=words)
    page = page_of(rows, request.GET.get("apres", ""), request.scope)
    chips = [
        *(("", _("À traiter")), ("traites", _("Traités"))),
        *(("a-verifier", _("À vérifier")), ("tous", _("Tous"))),
    ]
    return screen(
        request, "messages.html", section="messages", page=page, state=state, chips=chips, words=words
    )


@require_safe
@staff_required(Role.READER)
def message_page(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """One thread. Opening it marks it as read by the town, except for an operator in somebody's place."""
    root = found(queries.message, request.scope, public_id)
    if request.method == "GET" and request.user.impersonated_by is None:
        services.mark_read(message=root, reader=Author.STAFF)
    return _thread(request, root)


def _thread(
    request: StaffRequest,
    root: Message,
    *,
    form: ThreadForm | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    written = list(queries.whole(root))
    can_join = root.reader is not None  # a person without an account gets the answer by mail only
    if form is None:
        form = ThreadForm(seen=written[-1].uuid, can_join=can_join)
    return screen(
        request,
        "message.html",
        section="messages",
        status=status,
        thread=root,
        history=History(f"message:{root.uuid}", also=[root.handled_by]),
        thread_messages=written,
        form=form,
        problem=problem,
    )


@require_POST
@staff_required(Role.CLERK)
@takes_files
def answer(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Envoyer la réponse »: by mail, and in the thread."""
    root = found(queries.message, request.scope, public_id)
    form = ThreadForm(request.POST, request.FILES, can_join=root.reader is not None)
    try:
        count_opened(request)
        if not form.is_valid():
            return _thread(request, root, form=form, status=422)
        services.answer_message(
            actor=request.user, message=root, attachments=form.attachments, **form.cleaned_data_of_answer()
        )
    except TooManyTries as error:
        form.opens_files = False
        problem = _("Vous avez envoyé beaucoup de fichiers : attendez 15 minutes, puis recommencez.")
        return marked(_thread(request, root, form=form, problem=problem), error)
    except Changed as error:
        form.see(queries.last_of(root))
        return _thread(request, root, form=form, problem=str(error), status=409)
    except StorageSilent:
        return _thread(request, root, form=form, problem=str(NOT_KEPT), status=503)
    except NotWhileImpersonating:
        problem = _("Une réponse est signée de la personne qui l'écrit : elle ne s'envoie pas à sa place.")
        return _thread(request, root, form=form, problem=problem, status=409)
    messages.success(request, _("Votre réponse est envoyée. L'échange est marqué comme traité."))
    return redirect("backoffice:message", public_id)


@require_POST
@staff_required(Role.CLERK)
def mark_handled(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Marquer comme traité »: nothing more to answer in this thread."""
    _act(request, public_id, services.mark_handled, _("Le message est marqué comme traité."))
    return redirect("backoffice:messages")


@require_POST
@staff_required(Role.CLERK)
def reopen(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Rouvrir »: the thread waits for an answer again."""
    _act(request, public_id, services.reopen_message, _("Le message est de nouveau à traiter."))
    return redirect("backoffice:message", public_id)


@require_POST
@staff_required(Role.CLERK)
def release(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Ce message est normal »: it is no spam; the service gets it by mail."""
    _act(request, public_id, services.release_message, _("Le message est transmis au service, et à traiter."))
    return redirect("backoffice:message", public_id)


def _act(request: StaffRequest, public_id: UUID, act: Callable[..., None], done: str) -> None:
    act(actor=request.user, message=found(queries.message, request.scope, public_id))
    messages.success(request, done)


@require_safe
@staff_required(Role.READER)
def message_file(request: StaffRequest, public_id: UUID, file_id: UUID) -> HttpResponse:
    """Check the role, then redirect to S3 with a link that is valid for five minutes."""
    return redirect(
        download_link(found(queries.file, found(queries.message, request.scope, public_id), file_id))
    )
