"""« Textes légaux »: the texts of the three pages that the law asks for."""

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import StaffRequest, staff_required
from tenant_apps.backoffice.forms.town.texts import TextsForm, followed, mark
from tenant_apps.backoffice.views.settings.town import only_shown, save_or_show
from tenant_apps.townhall.models import Conformity
from tenant_apps.townhall.notices import FIELDS, proposals
from tenant_apps.townhall.queries import current_townhall
from tenants.current import current_town
from tenants.hosts.registry import address_of
from toolkit import prose


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.MANAGER)
def texts_page(request: StaffRequest) -> HttpResponse:
    """The texts in their boxes. « Voir » shows one as a page, « Revenir au texte proposé » puts it back in its box."""
    townhall, again = current_townhall(), request.POST.get("reprendre", "")
    if request.POST.get("conformity") in Conformity:
        townhall.conformity = request.POST["conformity"]  # the proposed statement says it
    proposed = proposals(townhall, address=address_of(current_town()))
    data = followed(request.POST, proposed)
    if again in FIELDS:
        data[again] = proposed[again]
    form = TextsForm(data if request.method == "POST" else None, instance=townhall, proposals=proposed)
    return save_or_show(
        request,
        "settings/texts.html",
        form,
        place="notices",
        saved=_("Les textes sont enregistrés."),
        shown=again in FIELDS or only_shown(request),
        texts=[_box(form, name, shown=name in (data.get("voir"), again)) for name in FIELDS],
    )


def _box(form: TextsForm, name: str, *, shown: bool) -> dict[str, object]:
    """A text's field, what tells its proposal, whether it is the town's own, and the page that it makes if `shown`."""
    typed = str(form[name].value())
    return {
        "field": form[name],
        "mark": mark(form.proposals[name]),
        "own": not form.is_proposal(name, typed),
        "page": prose.html(typed, level=1) if shown else "",
    }
