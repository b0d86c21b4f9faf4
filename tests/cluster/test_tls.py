"""TLS to the database: sslmode disable, require and verify-full, and what is said when it cannot be."""

import pytest
from cryptography import x509

import postgres
import wires
from authority import Authority
from nodes import Node


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the certificates are."""
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def authority(folder):
    """The authority of the database's certificate."""
    return Authority(folder)


@pytest.fixture(scope="module")
def stranger(folder):
    """An authority that has issued nothing."""
    return Authority(folder, "another authority")


@pytest.fixture(scope="module")
def encrypted(authority):
    """A PostgreSQL server that takes nothing but TLS, under the name of localhost and no address."""
    one = postgres.Postgres()
    try:
        one.initialise()
        for name, path in zip(("server.crt", "server.key"), authority.issue(names=[x509.DNSName("localhost")])):
            inside = one.data / name
            inside.write_bytes(path.read_bytes())
            inside.chmod(0o600)
            postgres.given_away(inside)
        one.hba("hostssl all all 127.0.0.1/32 scram-sha-256")
        one.settings["ssl"] = "on"
        yield one.start().create_owner()
    finally:
        one.dispose()


@pytest.fixture
def node(closing):
    """Makes a node on a database, not yet started."""

    def make(url):
        one = Node(url)
        closing.callback(one.dispose)
        return one

    return make


def at(server, host="localhost", **parameters):
    """The URL of a new database, its host under this name."""
    return server.url(server.create_database(), hosts=[f"{host}:{server.port}"], **parameters)


def encrypted_connections(server):
    """How the connections of the server under test are: whether each is encrypted."""
    query = f"SELECT s.ssl FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.usename = '{postgres.OWNER}'"
    return {row[0] for row in server.sql(query)}


# What works


def test_verify_full(encrypted, authority, node):
    one = node(at(encrypted, sslmode="verify-full", sslrootcert=authority.path)).start()
    assert wires.honoured(one, wires.native(one, one.user())) == wires.EVERYWHERE
    assert encrypted_connections(encrypted) == {"t"}


def test_require_takes_any_certificate(encrypted, node):
    one = node(at(encrypted, host="127.0.0.1", sslmode="require")).start()
    assert wires.native(one, one.user())
    assert encrypted_connections(encrypted) == {"t"}


def test_disable(server_of_databases, node):
    one = node(at(server_of_databases, sslmode="disable")).start()
    assert wires.native(one, one.user())
    assert encrypted_connections(server_of_databases) == {"f"}


# What does not


def complaint(one):
    """The line with which a command and the server itself refuse to go on; it must be one line and hold no password."""
    said = []
    for command in (("user", "list"), ("serve",)):
        result = one.run(*command)
        assert result.returncode in (1, 2), f"{command}: {result.returncode}"
        assert "panicked" not in result.stderr
        lines = [line for line in result.stderr.splitlines() if line.strip()]
        password = one.env["DOORWARD_DATABASE_URL"].split("@")[0].rpartition(":")[2]
        assert password not in result.stderr, "the password is in the output"
        said.append(lines)
    assert len(said[0]) == 1, f"one line: {said[0]}"
    assert said[0][0].partition(":")[2].strip()[-40:] in said[1][-1], f"the server says the same: {said}"
    return said[0][0]


def test_an_unknown_authority(encrypted, stranger, node):
    line = complaint(node(at(encrypted, sslmode="verify-full", sslrootcert=stranger.path)))
    assert "certificate" in line.lower(), line


def test_an_authority_that_the_system_does_not_know(encrypted, node):
    line = complaint(node(at(encrypted, sslmode="verify-full")))
    assert "certificate" in line.lower(), line


def test_another_host_name(encrypted, authority, node):
    line = complaint(node(at(encrypted, host="127.0.0.1", sslmode="verify-full", sslrootcert=authority.path)))
    assert "certificate" in line.lower() and "name" in line.lower(), line


def test_a_server_without_tls(server_of_databases, node):
    line = complaint(node(at(server_of_databases, sslmode="require")))
    assert "tls" in line.lower() or "ssl" in line.lower(), line


def test_a_server_that_demands_tls(encrypted, node):
    line = complaint(node(at(encrypted, sslmode="disable")))
    assert "encryption" in line.lower() or "ssl" in line.lower(), line


@pytest.mark.parametrize("content", [None, "no certificate"], ids=["missing", "empty"])
def test_a_file_of_authorities_that_cannot_be_read(encrypted, folder, node, content):
    path = folder / f"authorities-{content is None}.pem"
    if content:
        path.write_text(content)
    line = complaint(node(at(encrypted, sslmode="verify-full", sslrootcert=path)))
    assert str(path) in line, line


def test_an_unknown_mode(server_of_databases, node):
    line = complaint(node(at(server_of_databases, sslmode="perhaps")))
    assert "sslmode" in line, line


def test_a_wrong_password_and_an_unknown_database(server_of_databases, node):
    good = at(server_of_databases)
    assert "password" in complaint(node(good.replace(server_of_databases.owner_password, "wrong-one"))).lower()
    assert "nowhere" in complaint(node(server_of_databases.url("nowhere")))


def test_nobody_at_the_port(node):
    line = complaint(node("postgres://doorward:some-secret-word@127.0.0.1:1/doorward"))
    assert "127.0.0.1:1" in line or "refused" in line.lower(), line
