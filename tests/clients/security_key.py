"""A software security key that speaks JSON as browsers do, and can be told to misbehave."""

import base64
import copy
import json
import struct
from hashlib import sha256

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from soft_webauthn import SoftWebauthnDevice

USER_PRESENT, USER_VERIFIED = 0x01, 0x04


def encode(data):
    """Unpadded base64url."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    """The bytes of unpadded base64url."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class SecurityKey:
    """A touch-only key with a signature counter (the published software key inside), or one that verifies its user."""

    def __init__(self, *, passkey=False):
        self.device = SoftWebauthnDevice()
        self.flags = USER_PRESENT | USER_VERIFIED if passkey else USER_PRESENT

    def clone(self):
        """A copy with the same secret and the same counter, as a thief would make it."""
        return copy.deepcopy(self)

    def __deepcopy__(self, memo):
        twin = SecurityKey()
        twin.device.__dict__.update(self.device.__dict__)
        twin.flags = self.flags
        return twin

    @property
    def id(self):
        """The credential id as it travels."""
        return encode(self.device.credential_id)

    def create(self, options, origin):
        """The answer to creation options."""
        options = copy.deepcopy(options)
        public = options["publicKey"]
        public["challenge"] = decode(public["challenge"])
        public["user"]["id"] = decode(public["user"]["id"])
        made = self.device.create(options, origin)
        # The flags follow the hash of the relying party's id; nothing signs an attestation of the format "none".
        attestation = bytearray(made["response"]["attestationObject"])
        rp_hash = sha256(public["rp"]["id"].encode()).digest()
        attestation[attestation.index(rp_hash) + len(rp_hash)] |= self.flags
        made["response"]["attestationObject"] = bytes(attestation)
        return {
            "id": self.id,
            "rawId": self.id,
            "type": made["type"],
            "response": {name: encode(value) for name, value in made["response"].items()},
            "extensions": {},
        }

    def get(
        self, options, origin, *, count=None, flags=None, rp_id=None, kind="webauthn.get", challenge=None, handle=None
    ):
        """The answer to request options; each keyword replaces one honest value, and all of it is signed."""
        public = options["publicKey"]
        if count is None:
            self.device.sign_count += 1
            count = self.device.sign_count
        client_data = json.dumps({"type": kind, "challenge": challenge or public["challenge"], "origin": origin}).encode()
        rp_hash = sha256((rp_id or public["rpId"]).encode()).digest()
        authenticator_data = rp_hash + bytes([self.flags if flags is None else flags]) + struct.pack(">I", count)
        signature = self.device.private_key.sign(authenticator_data + sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
        return {
            "id": self.id,
            "rawId": self.id,
            "type": "public-key",
            "extensions": {},
            "response": {
                "clientDataJSON": encode(client_data),
                "authenticatorData": encode(authenticator_data),
                "signature": encode(signature),
                "userHandle": encode(handle if handle is not None else self.device.user_handle),
            },
        }


def flipped(text):
    """The same base64url with one bit of its middle byte changed."""
    data = bytearray(decode(text))
    data[len(data) // 2] ^= 1
    return encode(bytes(data))
