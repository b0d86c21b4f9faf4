"""An authenticator app (RFC 6238)."""

import base64
import hashlib
import hmac
import struct
import time


def code(secret, step=0):
    """What it shows for a base32 secret, or will show some steps of 30 s later."""
    counter = struct.pack(">Q", int(time.time()) // 30 + step)
    digest = hmac.digest(base64.b32decode(secret), counter, hashlib.sha1)
    (number,) = struct.unpack_from(">I", digest, digest[19] & 15)
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06}"
