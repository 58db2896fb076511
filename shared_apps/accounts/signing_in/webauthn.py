"""What a passkey's answer must hold (WebAuthn level 3, §7.1 and §7.2): no model, no session.

The library checks type, challenge, RP id, presence, verification and signature. We check the origin here, letter by
letter, because the library would also accept a subdomain of ours.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from fido2 import cbor
from fido2.cose import ES256, RS256, CoseKey, EdDSA
from fido2.utils import websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationConveyancePreference,
    AttestedCredentialData,
    AuthenticationResponse,
    CollectedClientData,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialParameters,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

if TYPE_CHECKING:
    from fido2.server import Fido2Server

LONGEST_ANSWER = 16_384  # characters; some browsers add a certificate unasked
LONGEST_ID = 1023  # bytes (WebAuthn §5.1)
TIMEOUT = 5 * 60 * 1000  # milliseconds that the browser waits for the person
_TYPE = PublicKeyCredentialType.PUBLIC_KEY
# The algorithms of telephones, computers (RS256: Windows with an older chip) and security keys.
_ALGORITHMS = [
    PublicKeyCredentialParameters(type=_TYPE, alg=kind.ALGORITHM) for kind in (ES256, EdDSA, RS256)
]


class Refused(Exception):
    """The answer is wrong. The text is for tests and logs, not for the screen."""


@dataclass(frozen=True)
class Place:
    """Where the browser must be: the host (the RP id) and the full origin."""

    host: str
    origin: str


@dataclass(frozen=True)
class NewKey:
    """The result of a registration: the id, and the public key as COSE bytes."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


@dataclass(frozen=True)
class Assertion:
    """A parsed answer to a sign-in, not verified yet."""

    credential_id: bytes
    user_handle: bytes
    sign_count: int
    response: AuthenticationResponse


def creation_options(
    *, place: Place, town: str, handle: bytes, email: str, known: list[bytes], challenge: bytes
) -> dict[str, Any]:
    """The JSON for `navigator.credentials.create`; `known` are the ids that the person has here already."""
    options, _state = _server(place, town).register_begin(
        PublicKeyCredentialUserEntity(id=handle, name=email, display_name=email),
        credentials=[PublicKeyCredentialDescriptor(type=_TYPE, id=each) for each in known],
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=UserVerificationRequirement.REQUIRED,
        challenge=challenge,
    )
    return cast(dict[str, Any], dict(options)["publicKey"])


def request_options(*, place: Place, challenge: bytes) -> dict[str, Any]:
    """The JSON for `navigator.credentials.get`, without a list of keys, so it reveals nothing about an account."""
    options, _state = _server(place).authenticate_begin(
        user_verification=UserVerificationRequirement.REQUIRED, challenge=challenge
    )
    return cast(dict[str, Any], dict(options)["publicKey"])


def check_registration(*, place: Place, challenge: bytes, answer: str) -> NewKey:
    """The new key of an answer to `creation_options`. Raises Refused."""
    data = _read(answer)
    try:
        registration = RegistrationResponse.from_dict(data)
        _check_frame(registration.response.client_data)
        found = _server(place).register_complete(_state(challenge), registration)
        credential = found.credential_data
    except Exception as error:  # hostile bytes: any exception of the parser means a refusal
        raise Refused(str(error)) from error
    if credential is None or credential.credential_id != registration.raw_id:
        raise Refused("not the credential that was announced")
    if not 0 < len(credential.credential_id) <= LONGEST_ID:
        raise Refused("the credential's id is too long")
    if credential.public_key.ALGORITHM not in {each.alg for each in _ALGORITHMS}:
        raise Refused("not an algorithm that was asked for")
    return NewKey(
        credential_id=bytes(credential.credential_id),
        public_key=cbor.encode(dict(credential.public_key)),
        sign_count=found.counter,
    )


def read_assertion(answer: str) -> Assertion:
    """Parse an answer to `request_options`; nothing is checked. Raises Refused."""
    data = _read(answer)
    try:
        response = AuthenticationResponse.from_dict(data)
        return Assertion(
            credential_id=bytes(response.raw_id),
            user_handle=bytes(response.response.user_handle or b""),
            sign_count=int(response.response.authenticator_data.counter),
            response=response,
        )
    except Exception as error:  # as above
        raise Refused(str(error)) from error


def check_assertion(*, place: Place, challenge: bytes, public_key: bytes, assertion: Assertion) -> None:
    """Raises Refused unless the owner of `public_key`, verified, signed this challenge at this place."""
    try:
        _check_frame(assertion.response.response.client_data)
        key = CoseKey.parse(cast(Mapping[int, Any], cbor.decode(public_key)))
        credential = AttestedCredentialData.create(Aaguid.NONE, assertion.credential_id, key)
        _server(place).authenticate_complete(_state(challenge), [credential], assertion.response)
    except Exception as error:  # as above
        raise Refused(str(error)) from error


def _server(place: Place, name: str = "") -> "Fido2Server":
    # Imported here: it reads the list of public suffixes, 10 MB that most processes never need.
    from fido2.server import Fido2Server

    server = Fido2Server(
        PublicKeyCredentialRpEntity(name=name or place.host, id=place.host),
        attestation=AttestationConveyancePreference.NONE,
        verify_origin=lambda origin: origin == place.origin,
    )
    server.allowed_algorithms = _ALGORITHMS
    server.timeout = TIMEOUT  # type: ignore[assignment] # declared by its default, None
    return server


def _state(challenge: bytes) -> dict[str, Any]:
    """The state that the library's `…_begin` returned for that challenge."""
    return {
        "challenge": websafe_encode(challenge),
        "user_verification": UserVerificationRequirement.REQUIRED,
    }


def _read(answer: str) -> dict[str, Any]:
    if len(answer) > LONGEST_ANSWER:
        raise Refused("too long")
    try:
        data = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise Refused("no JSON") from error
    if not isinstance(data, dict):
        raise Refused("no object")
    return data


def _check_frame(client_data: CollectedClientData) -> None:
    if client_data.cross_origin:
        raise Refused("asked from a frame of another origin")
