"""Every route × person → expected status (trust.md). A route without a row fails the suite.

People: nobody; alice owes the invoice; bob shares her payer, on her invitation; charlie is a resident who must see
nothing; reader, clerk and manager are staff of the town; diane is a resident of the other town, with the cookies of
that town; operator has a session on the operator's host.
"""

PEOPLE = ("nobody", "alice", "bob", "charlie", "reader", "clerk", "manager", "diane", "operator")
IN, OUT, MOVED = 200, 404, 302


def row(
    *,
    everyone: int | None = None,
    payer: int = IN,
    stranger: int = OUT,
    staff: int = OUT,
    nobody: int = MOVED,
) -> dict[str, int]:
    """A GET's expected status for each person; somebody of another town or host is nobody here."""
    if everyone is not None:
        return dict.fromkeys(PEOPLE, everyone)
    return {
        "nobody": nobody,
        "alice": payer,
        "bob": payer,
        "charlie": stranger,
        "reader": staff,
        "clerk": staff,
        "manager": staff,
        "diane": nobody,
        "operator": nobody,
    }


_ANY_RESIDENT = row(stranger=IN)
_OWN_INVOICE = row()
_OWN_MESSAGE = {**row(), "bob": OUT}  # a message is of one person, and not of the household
_STAFF = row(payer=OUT, staff=IN)
_CLERKS = {**_STAFF, "reader": OUT}
_MANAGERS = {**_CLERKS, "clerk": OUT}

TOWN: dict[str, dict[str, int]] = {
    "security-txt": row(everyone=OUT),  # nobody gave an address to write to; tests/config/test_well_known.py
    "robots-txt": row(everyone=IN),
    "portal:sign-in": {**row(everyone=MOVED), "nobody": IN, "diane": IN, "operator": IN},
    "portal:sign-in-with-key": {**row(everyone=MOVED), "nobody": IN, "diane": IN, "operator": IN},
    "portal:ask-to-sign-in": row(everyone=405),
    "portal:link": row(everyone=410),
    "portal:ask-code": {**row(everyone=MOVED), "nobody": IN, "diane": IN, "operator": IN},
    "portal:type-code": row(
        everyone=MOVED
    ),  # nobody here has asked for a code; tests/accounts/test_mailed_code.py
    "portal:sign-out": row(everyone=405),
    # The town of this table has no provider; one that has: tests/portal/test_openid.py.
    "portal:openid-start": row(everyone=OUT),
    "portal:openid-return": row(everyone=OUT),
    "portal:openid-link": row(everyone=OUT),
    "portal:my-openid": row(payer=OUT),
    "portal:activation": row(everyone=IN),
    "portal:forgotten-password": row(everyone=IN),
    "portal:invoices": _ANY_RESIDENT,
    "portal:invoices-csv": _ANY_RESIDENT,
    "portal:year-archive": _OWN_INVOICE,
    "portal:year-archive-part": _OWN_INVOICE,
    "portal:receipt": _OWN_INVOICE,
    "portal:payments": _ANY_RESIDENT,
    "portal:my-details": _ANY_RESIDENT,
    "portal:sign-out-everywhere": row(everyone=405),
    "portal:keys": _ANY_RESIDENT,
    "portal:ask-to-add-key": row(everyone=405),
    "portal:sign-in-again": row(everyone=405),
    "portal:key": {**_OWN_INVOICE, "bob": OUT},  # Alice's alone
    "portal:remove-key": row(everyone=405),
    "portal:my-data": _ANY_RESIDENT,
    "portal:take-my-data": row(everyone=405),
    "portal:erasure": _ANY_RESIDENT,
    "portal:cancel-erasure": row(everyone=405),
    "portal:claim": {**row(everyone=IN), "reader": OUT, "clerk": OUT, "manager": OUT},
    "portal:withdraw-claim": row(everyone=405),
    "portal:alert-choices": _ANY_RESIDENT,
    "portal:payer": row(),
    "portal:unsubscribe": row(
        everyone=410
    ),  # the ticket is all that opens it; tests/alerts/test_unsubscribe.py
    "portal:contact": row(everyone=IN),
    "portal:contact-sent": row(everyone=IN),
    "portal:language": row(everyone=405),
    "portal:messages": _ANY_RESIDENT,
    "portal:message": _OWN_MESSAGE,
    "portal:message-file": {**_OWN_MESSAGE, "alice": MOVED},
    "portal:theme": row(everyone=IN),
    "portal:help": row(everyone=IN),
    "portal:site-map": row(everyone=IN),
    "portal:legal": row(everyone=IN),
    "portal:privacy": row(everyone=IN),
    "portal:accessibility": row(everyone=IN),
    "portal:logo": row(everyone=OUT),  # the town of this table has none; tests/portal/test_identity.py
    "portal:icon": row(everyone=IN),
    "portal:invoice": _OWN_INVOICE,
    "portal:invoice-pdf": row(payer=MOVED),
    "portal:pay": _OWN_INVOICE,
    "portal:pay-several": _OWN_INVOICE,
    "portal:payment-return": _OWN_INVOICE,
    "portal:payment-state": _OWN_INVOICE,
    "portal:declare-paid": row(everyone=405),
    "backoffice:home": _STAFF,
    "backoffice:search": _STAFF,
    "backoffice:batches": _STAFF,
    "backoffice:new-batch": _CLERKS,
    "backoffice:sample": _CLERKS,
    "backoffice:batch": _STAFF,
    "backoffice:batch-progress": _STAFF,
    "backoffice:batch-problems": _STAFF,
    "backoffice:publish-batch": row(everyone=405),
    "backoffice:discard-batch": row(everyone=405),
    "backoffice:take-back-batch": row(everyone=405),
    "backoffice:invoices": _STAFF,
    "backoffice:invoice": _STAFF,
    "backoffice:invoice-pdf": {**_STAFF, "reader": MOVED, "clerk": MOVED, "manager": MOVED},
    "backoffice:credit-invoice": _MANAGERS,
    "backoffice:payments": _STAFF,
    "backoffice:new-payment": _CLERKS,
    "backoffice:left-over": _STAFF,
    "backoffice:declarations": _STAFF,
    "backoffice:refuse-declaration": _CLERKS,
    "backoffice:payment": _STAFF,
    "backoffice:payment-receipt": _STAFF,
    "backoffice:cancel-payment": row(everyone=405),
    "backoffice:allocate-payment": row(everyone=405),
    "backoffice:refund-payment": row(everyone=405),
    "backoffice:deposits": _STAFF,
    "backoffice:new-deposit": _MANAGERS,
    "backoffice:deposit": _STAFF,
    "backoffice:deposit-pdf": _STAFF,
    "backoffice:deposit-csv": _STAFF,
    "backoffice:statements": _STAFF,
    "backoffice:new-statement": _CLERKS,
    "backoffice:missing": _STAFF,
    "backoffice:days": _STAFF,
    "backoffice:accountant-file": _STAFF,
    "backoffice:statement": _STAFF,
    "backoffice:statement-columns": {**_CLERKS, "clerk": MOVED, "manager": MOVED},  # it is imported already
    "backoffice:look-again-statement": row(everyone=405),
    "backoffice:line": _STAFF,
    "backoffice:match-line": row(everyone=405),
    "backoffice:book-line": row(everyone=405),
    "backoffice:ignore-line": row(everyone=405),
    "backoffice:reopen-line": row(everyone=405),
    "backoffice:check-attempt": row(everyone=405),
    "backoffice:confirm-attempt": row(everyone=405),
    "backoffice:refuse-attempt": row(everyone=405),
    "backoffice:reject-attempt": row(everyone=405),
    "backoffice:hold-invoice": row(everyone=405),
    "backoffice:examine": _STAFF,
    "backoffice:close-finding": row(everyone=405),
    "backoffice:payers": _STAFF,
    "backoffice:payer": _STAFF,
    "backoffice:claims": _STAFF,
    "backoffice:claim": _STAFF,
    "backoffice:accept-claim": row(everyone=405),
    "backoffice:refuse-claim": row(everyone=405),
    "backoffice:payer-access": row(everyone=405),
    "backoffice:add-payer-email": row(everyone=405),
    "backoffice:payer-email": row(everyone=405),
    "backoffice:messages": _STAFF,
    "backoffice:message": _STAFF,
    "backoffice:answer-message": row(everyone=405),
    "backoffice:handle-message": row(everyone=405),
    "backoffice:reopen-message": row(everyone=405),
    "backoffice:release-message": row(everyone=405),
    "backoffice:message-file": {**_STAFF, "reader": MOVED, "clerk": MOVED, "manager": MOVED},
    "backoffice:mails": _STAFF,
    "backoffice:resend-mail": row(everyone=405),
    "backoffice:town": _MANAGERS,
    "backoffice:product": _MANAGERS,
    "backoffice:interventions": _MANAGERS,
    "backoffice:leave-intervention": row(everyone=405),
    "backoffice:enter-intervention": row(everyone=410),  # the ticket is all that opens it
    "backoffice:going-live": _MANAGERS,
    "backoffice:identity": _MANAGERS,
    "backoffice:openid": _MANAGERS,
    "backoffice:notices": _MANAGERS,
    "backoffice:privacy": _MANAGERS,
    "backoffice:erasure": _MANAGERS,
}

# What only a POST does: who is let through (a redirect onwards), everybody else gets what a GET of a
# forbidden page gives. The acts are tried with ids of things on which they change nothing or are refused.
POSTS: dict[str, frozenset[str]] = {
    "portal:declare-paid": frozenset({"alice", "bob"}),
    "portal:sign-out-everywhere": frozenset({"alice", "bob", "charlie"}),
    "portal:language": frozenset(PEOPLE),
    "portal:keys": frozenset({"alice", "bob", "charlie"}),
    "portal:ask-to-add-key": frozenset({"alice", "bob", "charlie"}),
    "portal:sign-in-again": frozenset({"alice", "bob", "charlie"}),
    "portal:key": frozenset({"alice"}),
    "portal:remove-key": frozenset({"alice"}),
    "portal:withdraw-claim": frozenset({"charlie"}),  # who asked
    "backoffice:accept-claim": frozenset({"clerk", "manager"}),
    "backoffice:refuse-claim": frozenset({"clerk", "manager"}),
    "backoffice:publish-batch": frozenset({"clerk", "manager"}),
    "backoffice:discard-batch": frozenset({"clerk", "manager"}),
    "backoffice:take-back-batch": frozenset({"clerk", "manager"}),
    "backoffice:credit-invoice": frozenset({"manager"}),
    "backoffice:new-payment": frozenset({"clerk", "manager"}),
    "backoffice:refuse-declaration": frozenset({"clerk", "manager"}),
    "backoffice:cancel-payment": frozenset(
        {"manager"}
    ),  # a clerk: only what they have just booked themselves
    "backoffice:allocate-payment": frozenset({"clerk", "manager"}),
    "backoffice:refund-payment": frozenset({"manager"}),
    "backoffice:new-deposit": frozenset({"manager"}),
    "backoffice:new-statement": frozenset({"clerk", "manager"}),
    "backoffice:statement-columns": frozenset({"clerk", "manager"}),
    "backoffice:look-again-statement": frozenset({"clerk", "manager"}),
    "backoffice:match-line": frozenset({"clerk", "manager"}),
    "backoffice:book-line": frozenset({"clerk", "manager"}),
    "backoffice:ignore-line": frozenset({"clerk", "manager"}),
    "backoffice:reopen-line": frozenset({"clerk", "manager"}),
    "backoffice:check-attempt": frozenset({"clerk", "manager"}),
    "backoffice:confirm-attempt": frozenset({"clerk", "manager"}),
    "backoffice:refuse-attempt": frozenset({"clerk", "manager"}),
    "backoffice:reject-attempt": frozenset({"clerk", "manager"}),
    "backoffice:hold-invoice": frozenset({"clerk", "manager"}),
    "backoffice:close-finding": frozenset({"clerk", "manager"}),
    "backoffice:going-live": frozenset({"manager"}),
    "portal:payment-return": frozenset({"alice", "bob"}),
    "portal:message": frozenset({"alice"}),
    "backoffice:answer-message": frozenset({"clerk", "manager"}),
    "backoffice:handle-message": frozenset({"clerk", "manager"}),
    "backoffice:reopen-message": frozenset({"clerk", "manager"}),
    "backoffice:release-message": frozenset({"clerk", "manager"}),
    "backoffice:resend-mail": frozenset({"clerk", "manager"}),
    "backoffice:leave-intervention": frozenset(),  # absent for who is not the operator in somebody's place
    "backoffice:town": frozenset({"manager"}),
    "backoffice:product": frozenset({"manager"}),
    "backoffice:identity": frozenset({"manager"}),
    "backoffice:openid": frozenset({"manager"}),
    "backoffice:notices": frozenset({"manager"}),
    "backoffice:privacy": frozenset({"manager"}),
    "backoffice:erasure": frozenset({"manager"}),
    "backoffice:new-batch": frozenset({"clerk", "manager"}),
    "portal:pay": frozenset({"alice", "bob"}),
    "portal:pay-several": frozenset({"alice", "bob"}),
    "portal:my-details": frozenset({"alice", "bob", "charlie"}),
    "portal:alert-choices": frozenset({"alice", "bob", "charlie"}),
    "portal:payer": frozenset({"alice", "bob"}),
    "backoffice:payer-access": frozenset({"clerk", "manager"}),
    "backoffice:add-payer-email": frozenset({"clerk", "manager"}),
    "backoffice:payer-email": frozenset({"clerk", "manager"}),
    "portal:take-my-data": frozenset({"alice", "bob", "charlie"}),
    "portal:erasure": frozenset({"alice", "bob", "charlie"}),
    "portal:cancel-erasure": frozenset({"alice", "bob", "charlie"}),
}
