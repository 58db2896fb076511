"""What an error means for a message: whose fault, whether to try again, whether the message may have left.

A provider's library may raise anything, so an unknown error is an ordinary problem.
"""

import smtplib
import traceback
from collections.abc import Iterator
from dataclasses import dataclass

import requests
from anymail import exceptions as anymail
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage

from shared_apps.mail.content import one_line
from shared_apps.mail.models import MailProblem

_UNWRITABLE = (
    anymail.AnymailInvalidAddress,
    anymail.AnymailSerializationError,
    anymail.AnymailUnsupportedFeature,
)


class NothingTaken(Exception):
    """The backend returned without an error but sent nothing."""


@dataclass(frozen=True)
class Diagnosis:
    """`final`: another try would fail too. `may_have_left`: sending again may send it twice."""

    problem: MailProblem
    final: bool = False
    may_have_left: bool = False


def diagnose(error: Exception, message: EmailMessage | None) -> Diagnosis:
    """Why `message` (None: it could not even be made) did not leave."""
    known = _of_smtp(error) or _of_provider(error)
    if known is not None:
        return known
    if message is None or not _can_be_written(message):
        return Diagnosis(MailProblem.CONTENT, final=True)
    if isinstance(error, OSError):
        return Diagnosis(MailProblem.SERVER, may_have_left=_after_data(error))
    return Diagnosis(MailProblem.OTHER)


def in_words(error: Exception) -> str:
    """The error's type and text, for a developer; a library's error may even fail to give its text."""
    try:
        text = str(error)
    except Exception:
        text = ""
    return one_line(f"{type(error).__name__}: {text}")


def _of_smtp(error: Exception) -> Diagnosis | None:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _answer in error.recipients.values()]
        if codes and all(500 <= code < 600 for code in codes):
            return Diagnosis(MailProblem.ADDRESS, final=True)
        return Diagnosis(MailProblem.LATER)
    if isinstance(error, smtplib.SMTPConnectError | smtplib.SMTPServerDisconnected):
        return Diagnosis(MailProblem.SERVER, may_have_left=_after_data(error))
    if isinstance(error, smtplib.SMTPResponseException):
        if error.smtp_code < 500:
            return Diagnosis(MailProblem.LATER)
        refuses_message = isinstance(error, smtplib.SMTPDataError)
        return Diagnosis(MailProblem.REFUSED if refuses_message else MailProblem.US)
    if isinstance(
        error, smtplib.SMTPException
    ):  # the server's answer decides nothing: no TLS, no way to sign in
        return Diagnosis(MailProblem.US)
    return None


def _of_provider(error: Exception) -> Diagnosis | None:
    """The problem behind an error of Anymail, whose backends use HTTP."""
    if isinstance(error, anymail.AnymailRecipientsRefused):
        return Diagnosis(MailProblem.ADDRESS, final=True)
    if isinstance(error, _UNWRITABLE):
        return Diagnosis(MailProblem.CONTENT, final=True)
    if isinstance(error, ImproperlyConfigured):
        return Diagnosis(MailProblem.US)
    if isinstance(error, anymail.AnymailAPIError):
        return _of_status(error)
    return None


def _of_status(error: anymail.AnymailAPIError) -> Diagnosis:
    status = error.status_code
    if status is None:
        late = any(isinstance(cause, requests.ReadTimeout) for cause in _causes(error))
        return Diagnosis(MailProblem.SERVER, may_have_left=late)
    if status in (401, 402, 403):
        return Diagnosis(MailProblem.US)
    if status == 429:
        return Diagnosis(MailProblem.LATER)
    return Diagnosis(MailProblem.SERVER if status >= 500 else MailProblem.REFUSED)


def _can_be_written(message: EmailMessage) -> bool:
    try:
        message.message().as_bytes()
    except Exception:
        return False
    return True


def _after_data(error: BaseException) -> bool:
    """Whether the connection broke during or after the transfer: the server may have kept the message."""
    return any(
        frame.f_code is smtplib.SMTP.data.__code__ for frame, _line in traceback.walk_tb(error.__traceback__)
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__
