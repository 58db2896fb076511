"""The current language, and sentences stored in rows for readers of any language.

They are stored in French, as in the code, and translated when shown: mark them with `gettext_noop`,
or pass a lazy one through `kept`.
"""

from collections.abc import Callable
from functools import wraps
from html import escape
from typing import Any, ParamSpec, TypeVar, cast

from django.conf import settings
from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, override

P = ParamSpec("P")
R = TypeVar("R")


def current_language() -> str:
    """« fr » or « en »: the language of the page or message being written."""
    return (get_language() or settings.LANGUAGE_CODE)[:2]


def kept(sentence: str | Promise) -> str:
    """The French of `sentence`, to store in a row."""
    with override(settings.LANGUAGE_CODE):
        return str(sentence)


def in_french(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate functions whose result goes to the town, its bank or its accountant: always in French."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with override(settings.LANGUAGE_CODE):
            return function(*args, **kwargs)

    return wrapped


def same_for_all(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view whose answer is the same in all languages (config.web.language)."""
    cast(Any, view).same_for_all = True
    return view


def told(sentence: str) -> SafeString:
    """HTML of a stored sentence in the reader's language; French, marked so, when it contains a figure or a name."""
    if not sentence:
        return mark_safe("")
    words = gettext(sentence)
    if words == sentence and get_language() != settings.LANGUAGE_CODE:
        return french(sentence)
    return mark_safe(escape(words))  # noqa: S308 - escaped


def french(text: str) -> SafeString:
    """HTML of a text by the town, marked as French on a page in another language."""
    if not text or get_language() == settings.LANGUAGE_CODE:
        return mark_safe(escape(text))  # noqa: S308 - escaped
    return mark_safe(f'<span lang="fr">{escape(text)}</span>')  # noqa: S308 - escaped
