"""A certificate authority of the tests' own."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LOOPBACK = (x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1")))


class Authority:
    """An authority; its certificate is the file `path`."""

    def __init__(self, folder, name="test authority"):
        self.folder, self.name = folder, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.path = folder / f"{name.replace(' ', '-')}.pem"
        own = self.signed(name, self.key, x509.BasicConstraints(True, 0))
        self.path.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def issue(self, subject="localhost", names=LOOPBACK):
        """Files with a certificate for these names and with its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self.signed(subject, key, x509.SubjectAlternativeName(names))
        certificate, secret = self.folder / f"{subject}.crt", self.folder / f"{subject}.key"
        certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        form = serialization.PrivateFormat.PKCS8
        secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
        secret.chmod(0o600)
        return certificate, secret

    def signed(self, subject, key, extension):
        """A certificate that is good for an hour."""
        now = datetime.datetime.now(datetime.timezone.utc)
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
            .sign(self.key, hashes.SHA256())
        )
