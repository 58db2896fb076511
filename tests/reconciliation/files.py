"""A bank statement, written by hand after the message definition of ISO 20022."""

CAMT = (
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt>'
    "<GrpHdr><MsgId>M1</MsgId></GrpHdr><Stmt><Id>1</Id><Acct><Id><IBAN>FR7630001007941234567890185</IBAN></Id></Acct>"
    '<Bal><Amt Ccy="EUR">0.00</Amt></Bal>ENTRIES</Stmt></BkToCstmrStmt></Document>'
)


def camt_of(*entries: str) -> str:
    return CAMT.replace("ENTRIES", "".join(entries))


def entry(
    amount: str, *, day: str = "2026-11-12", side: str = "CRDT", details: list[tuple[str, str, str]] | None = None,
    reference: str = "REF1",
) -> str:  # fmt: skip
    """One Ntry. `details`: (amount or empty, words, name)."""
    inside = "".join(
        "<TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>"
        + (f'<AmtDtls><TxAmt><Amt Ccy="EUR">{money}</Amt></TxAmt></AmtDtls>' if money else "")
        + f"<RltdPties><Dbtr><Nm>{name}</Nm></Dbtr></RltdPties><RmtInf><Ustrd>{words}</Ustrd></RmtInf></TxDtls>"
        for money, words, name in details or []
    )
    return (
        f'<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts>BOOK</Sts>'
        f"<BookgDt><Dt>{day}</Dt></BookgDt><AcctSvcrRef>{reference}</AcctSvcrRef>"
        f"<NtryDtls>{inside}</NtryDtls></Ntry>"
    )
