"""A telephone in software: makes keys and signs with them as a browser would send it, or wrongly on demand."""

import json
import os
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256, CoseKey
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

FLAG = AuthenticatorData.FLAG
PRESENT_AND_VERIFIED = FLAG.UP | FLAG.UV


class Authenticator:
    """One key. `counts=False` is a key that lives on several devices: its counter stays zero."""

    def __init__(self, *, counts: bool = True) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.credential_id = os.urandom(32)
        self.user_handle = b""
        self.counts, self.count = counts, 0

    def create(self, options: dict[str, Any], origin: str, **wrong: Any) -> str:
        """The answer to `navigator.credentials.create(options)` on a page of `origin`."""
        self.user_handle = websafe_decode(options["user"]["id"])
        key = wrong.get("public_key") or ES256.from_cryptography_key(self.private.public_key())
        credential = AttestedCredentialData.create(Aaguid.NONE, self.credential_id, CoseKey.parse(key))
        flags = wrong.get("flags", PRESENT_AND_VERIFIED) | FLAG.AT
        rp_id = wrong.get("rp_id", options["rp"]["id"])
        data = AuthenticatorData.create(_hash(rp_id), flags, self._next(), credential)
        client = self._client("create", options, origin, wrong)
        return self._answer(
            clientDataJSON=client, attestationObject=AttestationObject.create("none", data, {})
        )

    def get(self, options: dict[str, Any], origin: str, **wrong: Any) -> str:
        """The answer to `navigator.credentials.get(options)` on a page of `origin`."""
        flags = wrong.get("flags", PRESENT_AND_VERIFIED)
        data = AuthenticatorData.create(_hash(wrong.get("rp_id", options["rpId"])), flags, self._next())
        client = self._client("get", options, origin, wrong)
        signature = self.private.sign(data + sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            clientDataJSON=client,
            authenticatorData=data,
            signature=wrong.get("signature", signature),
            userHandle=wrong.get("user_handle", self.user_handle),
        )

    def _client(self, kind: str, options: dict[str, Any], origin: str, wrong: dict[str, Any]) -> bytes:
        return CollectedClientData.create(
            f"webauthn.{wrong.get('kind', kind)}",
            wrong.get("challenge", options["challenge"]),
            origin,
            cross_origin=wrong.get("cross_origin", False),
        )

    def _next(self) -> int:
        self.count += self.counts
        return self.count

    def _answer(self, **parts: bytes) -> str:
        name = websafe_encode(self.credential_id)
        response = {part: websafe_encode(value) for part, value in parts.items()}
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})


def _hash(rp_id: str) -> bytes:
    return sha256(rp_id.encode()).digest()
