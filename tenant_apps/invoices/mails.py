"""What the clerk of a watched folder is told about its files (decision 78)."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from shared_apps.mail.content import Content, Sender
from shared_apps.mail.notices import Audience, Notice, declare


def _why() -> str:
    return _(
        "Vous recevez ce message parce que votre commune vous a choisi pour suivre les fichiers déposés pour cette "
        "provenance."
    )


def _list(reasons: Sequence[str], count: int) -> tuple[str, ...]:
    more = count - len(reasons)
    if more <= 0 or not reasons:
        return tuple(reasons)
    return (*reasons, ngettext("… et %(n)d autre.", "… et %(n)d autres.", more) % {"n": more})


def _failed(
    sender: Sender,
    *,
    file: str,
    source: str,
    reasons: Sequence[str],
    count: int,
    path: str,
    is_put_away: bool,
) -> Content:
    """`reasons`: the first ones, of `count`. `path`: the page to open, an import's when there is one."""
    where = (
        (_("Le fichier est dans le dossier « refuses » ; corrigez-le, puis déposez-le de nouveau."),)
        if is_put_away
        else ()
    )
    return Content(
        subject=_("Un fichier n'a pas pu être importé – %(town)s") % {"town": sender.town},
        sentence=_("Le fichier « %(file)s », déposé pour « %(source)s », n'a pas pu être importé.")
        % {"file": file, "source": source},
        button_label=_("Voir ce qui ne va pas"),
        button_url=f"{sender.address}{path}",
        more=(*_list(reasons, count), *where),
        why=_why(),
    )


def _to_check(
    sender: Sender, *, file: str, source: str, reasons: Sequence[str], new: int, path: str
) -> Content:
    found = ngettext("%(n)d facture nouvelle.", "%(n)d factures nouvelles.", new) % {"n": new}
    return Content(
        subject=_("Un import attend votre vérification – %(town)s") % {"town": sender.town},
        sentence=_(
            "Le fichier « %(file)s », déposé pour « %(source)s », est lu. Rien n'est publié sans vous."
        )
        % {"file": file, "source": source},
        button_label=_("Vérifier et publier"),
        button_url=f"{sender.address}{path}",
        more=(found, *reasons),
        why=_why(),
    )


NOT_IMPORTED = declare(
    Notice(
        kind="import-failed",
        title=gettext_lazy("Un fichier n'a pas pu être importé"),
        audience=Audience.PERSON,
        when="a file of a watched folder was refused or interrupted: the clerk of its source is told",
        words=_failed,
        key="import-failed:{arrival}",
    )
)
TO_CHECK = declare(
    Notice(
        kind="import-to-check",
        title=gettext_lazy("Un import attend une vérification"),
        audience=Audience.PERSON,
        when="a file of a watched folder was read and waits for a person: the clerk of its source is told",
        words=_to_check,
        key="import-to-check:{arrival}",
    )
)
