"""The tones that pages make from a town's two colours, and what can be said of them (WCAG 2.2, contrast)."""

from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from tenant_apps.townhall.models import HEX_COLOUR
from toolkit.colour import BLACK, contrast, mix, readable_on, text_on

# The town's colours are text on several backgrounds. A tone with enough contrast on the darkest light one (the tint
# of staff's lists: --tint in staff.css) and on the lightest dark one (a paid row: --paid in ui.css) has enough on all
# others.
LIGHT, DARK = "#eef1f4", "#4a3f12"
GROUND = "#f6f5f1"  # the page's background (ui.css, --ground)
VISIBLE = 3.0  # WCAG 2.2, 1.4.11: the contrast that buttons and other graphics need with their background


class Tones(NamedTuple):
    """Declarations of CSS, for each scheme."""

    light: str
    dark: str


def tones(town: str, accent: str) -> Tones:
    """The tones of two `#rrggbb`."""
    inks = [
        f"--town-ink:{readable_on(town, ground)};--accent-ink:{readable_on(accent, ground)};"
        for ground in (LIGHT, DARK)
    ]
    return Tones(f"--town:{town};--on-town:{text_on(town)};{inks[0]}", inks[1])


def refuse_pale(colour: str) -> str:
    """`colour`, when buttons in it can be seen on the page. Raises ValidationError, with a darker one."""
    HEX_COLOUR(colour)
    ratio = contrast(colour, GROUND)
    if ratio < VISIBLE:
        raise ValidationError(
            _(
                "Cette couleur est trop claire : les boutons se verraient mal sur le fond de la page "
                "(contraste %(ratio)s, il faut au moins 3). Essayez %(other)s."
            )
            % {"ratio": _figure(ratio), "other": visible(colour)}
        )
    return colour


def visible(colour: str) -> str:
    """`colour`, darkened in steps until it contrasts enough with the page's background."""
    darker = (mix(colour, BLACK, step / 100) for step in range(0, 101, 5))
    return next(tone for tone in darker if contrast(tone, GROUND) >= VISIBLE)


def in_words(town: str, accent: str) -> list[str]:
    """What somebody who sees colours otherwise, or none, must know of these two."""
    written, seen = text_on(town), contrast(town, GROUND)
    words = {"ratio": _figure(contrast(town, written)), "seen": _figure(seen)}
    if written == BLACK:
        button = _("Le texte des boutons est noir, au contraste de %(ratio)s : il se lit bien.") % words
    else:
        button = _("Le texte des boutons est blanc, au contraste de %(ratio)s : il se lit bien.") % words
    if seen >= VISIBLE:
        ground = _("Les boutons se voient bien sur le fond clair de la page (contraste %(seen)s).") % words
    else:
        ground = _("Les boutons se voient mal sur le fond clair de la page (contraste %(seen)s).") % words
    kept = readable_on(accent, LIGHT) == accent
    detail = (
        _("La couleur d'accent se lit telle quelle sur fond clair.")
        if kept
        else _("La couleur d'accent est foncée pour se lire sur fond clair.")
    )
    return [button, ground, detail]


def _figure(ratio: float) -> str:
    return f"{ratio:.1f}".replace(".", ",")
