"""Every command of the command line, with --json, while a server runs on the same database."""

import json

import pytest

import mailbox_reader
import wires
from harness import CommandFailed, new_password, unique


def fails(server, *arguments, stdin=None):
    """What a command says on its error output when it fails; nothing may be on the other."""
    with pytest.raises(CommandFailed) as caught:
        server.cli(*arguments, stdin=stdin)
    assert caught.value.code not in (0, 101), "a refusal, not a panic"
    assert caught.value.stderr.strip()
    return caught.value.stderr


# Users


def test_user_create_and_show(server):
    user = server.user("--first-name", "Ada", "--last-name", "Byron", "--admin")
    for name in (user.id, user.username, user.email, user.email.upper()):
        shown = server.cli("user", "show", name)
        assert shown["id"] == user.id
        assert shown["email"] == user.email
        assert shown["username"] == user.username
        assert shown["first_name"] == "Ada" and shown["last_name"] == "Byron"
        assert shown["role"] == "admin"
        assert user.password not in json.dumps(shown) and "argon2" not in json.dumps(shown)
    assert user.id in {row["id"] for row in server.items("user", "list")}


def test_user_create_refusals(server, user):
    def create(email, username, password):
        return fails(server, "user", "create", "--email", email, "--username", username, "--password-stdin", stdin=password)

    assert "e-mail" in create(user.email, unique(), new_password())
    assert "e-mail" in create(user.email.upper(), unique(), new_password())
    assert "username" in create(f"{unique()}@example.com", user.username, new_password()).lower()
    create("not an address", unique(), new_password())
    create(f"{unique()}@example.com", "", new_password())
    create(f"{unique()}@example.com", user.email, new_password())
    create(f"{unique()}@example.com", unique(), "short")
    create(f"{unique()}@example.com", unique(), "")


def test_password_from_stdin_loses_only_its_line_end(server):
    password = " " + new_password() + " "
    username = unique()
    made = server.cli(
        "user", "create", "--email", f"{username}@example.com", "--username", username, "--password-stdin", stdin=password + "\n"
    )
    assert made["id"]
    answer = server.post("/v1/log_in", json={"email": f"{username}@example.com", "password": password})
    assert answer.status_code == 200


def test_user_disable_enable_delete(server, user):
    def status():
        return server.post("/v1/log_in", json={"email": user.email, "password": user.password}).status_code

    assert status() == 200
    server.cli("user", "disable", user.username)
    assert status() == 403
    server.cli("user", "enable", user.email)
    assert status() == 200
    server.cli("user", "delete", user.id)
    assert status() == 401
    fails(server, "user", "show", user.id)
    assert user.id not in json.dumps(server.cli("user", "list"))


def test_user_set_password(server, user):
    fresh = new_password()
    server.cli("user", "set-password", user.username, "--password-stdin", stdin=fresh)
    assert server.post("/v1/log_in", json={"email": user.email, "password": user.password}).status_code == 401
    assert server.post("/v1/log_in", json={"email": user.email, "password": fresh}).status_code == 200
    fails(server, "user", "set-password", user.username, "--password-stdin", stdin="short")


@pytest.mark.parametrize("command", ["show", "disable", "enable", "delete"])
def test_unknown_users(server, command):
    assert "nobody-here" in fails(server, "user", command, "nobody-here")


# Invitations


def test_invitation_create_list_revoke(server):
    address = f"{unique()}@example.net"
    made = server.cli("invitation", "create", address, "--role", "admin", "--expires", "10m")
    assert {"id", "link", "handle"} <= set(made)
    assert made["link"] in server.mail.wait(address, mailbox_reader.links)[-1]
    listed = server.items("invitation", "list")
    row = next(row for row in listed if row["handle"] == made["handle"])
    assert row["email"] == address and row["role"] == "admin"
    assert made["id"] not in json.dumps(listed)
    server.cli("invitation", "revoke", made["handle"])
    body = {"firstName": "a", "lastName": "b", "password": new_password()}
    assert server.post(f"/api/v1/invitation/create/{made['id']}", json=body).status_code == 404
    fails(server, "invitation", "revoke", "no-such-handle")


@pytest.mark.parametrize("expires", ["", "7", "d7", "-1d", "1y", "999999999d"])
def test_invitation_expiry_is_understood_or_refused(server, expires):
    fails(server, "invitation", "create", f"{unique()}@example.net", f"--expires={expires}")


def test_invitation_for_no_address(server):
    fails(server, "invitation", "create", "not an address")


# Applications


def test_app_create_list_rotate_revoke(server, user):
    made = server.app("--allow-network", "127.0.0.0/8")
    assert {"app_id", "consumer_key", "access_token"} <= set(made)
    listed = server.items("app", "list")
    assert made["app_id"] in json.dumps(listed)
    assert made["consumer_key"] not in json.dumps(listed) and made["access_token"] not in json.dumps(listed)
    assert any("127.0.0.0/8" in json.dumps(row) for row in listed if made["app_id"] in json.dumps(row))
    wires.KotakClient(server, made, user.username)
    rotated = server.cli("app", "rotate", made["app_id"])
    assert rotated["access_token"] != made["access_token"]
    server.cli("app", "revoke", made["app_id"])
    assert wires.refused_by_kotak(lambda: wires.KotakClient(server, {**made, **rotated}, user.username)).status == 401
    fails(server, "app", "rotate", "no-such-app")


@pytest.mark.parametrize("network", ["", "x", "300.0.0.0/8", "10.0.0.0/33"])
def test_app_networks_are_understood_or_refused(server, network):
    fails(server, "app", "create", unique("app"), f"--allow-network={network}")


# Sessions, mails, audit


def test_session_list_and_revoke(server, user):
    token = wires.native(server, user)
    rows = server.items("session", "list", "--user", user.username)
    assert len(rows) == 1
    assert token not in json.dumps(rows)
    server.cli("session", "revoke", rows[0]["id"])
    assert wires.honoured(server, token) == wires.NOWHERE
    assert not server.items("session", "list", "--user", user.username)
    fails(server, "session", "revoke", "no-such-session")


def test_mail_list_show(server, user):
    server.post("/v1/passwords/reset", json={"email": user.email})
    code = mailbox_reader.query_of(server.mail.wait(user.email, mailbox_reader.link_with("code"))[-1])["code"]
    rows = [row for row in server.items("mail", "list") if row["to"] == user.email]
    assert rows
    shown = server.cli("mail", "show", rows[0]["id"])
    assert shown["to"] == user.email
    assert code not in json.dumps(rows)
    fails(server, "mail", "show", "no-such-mail")
    fails(server, "mail", "retry", "no-such-mail")


def test_audit_tells_when_who_what_where_and_how(server, user):
    wires.kalshi(server, user)
    server.post(wires.KRAKEN + "/login", json={"username": user.username, "password": "not the password"})
    server.cli("user", "disable", user.id)
    rows = [row for row in server.items("audit", "list") if user.id in json.dumps(row)]
    told = json.dumps(rows)
    assert "kalshi" in told and "kraken" in told
    assert "127.0.0.1" in told
    assert "not the password" not in told and user.password not in told
    assert len(rows) >= 4, "created, signed in, refused, disabled"


# The rest


def test_help_and_version(server):
    for arguments in (["--help"], ["user", "--help"], ["--version"], ["serve", "--help"]):
        result = server.run(*arguments)
        assert result.returncode == 0
        assert result.stdout.strip()


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["user"], ["user", "nonsense"], ["user", "create"], ["serve", "--nonsense"]]
)
def test_wrong_usage(server, arguments):
    result = server.run(*arguments)
    assert result.returncode == 2
    assert "sage" in result.stderr
    assert not result.stdout


LISTS = [["user", "list"], ["invitation", "list"], ["app", "list"], ["session", "list"], ["mail", "list"], ["audit", "list"]]


@pytest.mark.parametrize("arguments", LISTS, ids=" ".join)
def test_lists_for_people_and_for_programs(server, user, arguments):
    assert server.run(*arguments).returncode == 0
    assert set(server.cli(*arguments, "--limit", "1")) == {"items", "next"}


def test_a_list_goes_on_where_a_page_ends(serve):
    server = serve(started=False)
    made = [server.user().id for _ in range(5)]
    assert [row["id"] for row in server.items("user", "list", "--limit", "2")] == made[::-1]


def test_commands_without_a_server(serve):
    server = serve(started=False)
    user = server.user()
    assert [row["id"] for row in server.items("user", "list")] == [user.id]
    server.start()
    assert wires.native(server, user)
