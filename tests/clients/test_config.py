"""Wrong settings stop the start with one line that helps; what is shown hides secrets."""

import re
import stat

import pytest

import wires
from harness import free_port


@pytest.fixture
def stopped(serve):
    """A server that is not started."""
    return serve(started=False)


def complaint(server, *arguments, env=None):
    """The one line on the error output with which a command refuses to start."""
    result = server.run(*arguments, env=env)
    assert result.returncode not in (0, 101), result.stdout
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, result.stderr
    return lines[0]


def write(server, text, name="doorward.toml"):
    path = server.data / name
    path.write_text(text)
    return str(path)


WRONG = {
    "DOORWARD_LISTEN": "nowhere",
    "DOORWARD_PUBLIC_URL": "not a url",
    "DOORWARD_DATABASE_URL": "mysql://x",
    "DOORWARD_SMTP_URL": "http://x",
    "DOORWARD_LIMITS__ENABLED": "perhaps",
    "DOORWARD_PASSWORDS__MEMORY_KIB": "-1",
}


@pytest.mark.parametrize("key", WRONG)
@pytest.mark.parametrize("command", [["serve"], ["config", "check"]], ids=" ".join)
def test_wrong_values_in_the_environment(stopped, key, command):
    line = complaint(stopped, *command, env={key: WRONG[key]})
    assert key in line, "the key and the place"
    assert re.search(r"\b(use|expected|set|write|must|give|should|for example|e\.g\.)\b", line, re.I), f"the mend: {line}"


@pytest.mark.parametrize("key", ["DOORWARD_NONSENSE", "DOORWARD_LIMITS__NONSENSE", "DOORWARD_NONSENSE__X", "DOORWARD_LISTEM"])
def test_unknown_names_in_the_environment(stopped, key):
    assert key in complaint(stopped, "serve", env={key: "1"})


def test_a_near_miss_is_told_the_right_name(stopped):
    assert "listen" in complaint(stopped, "serve", env={"DOORWARD_LISTEM": "127.0.0.1:1"}).replace("LISTEM", "").lower()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("nonsense = 1\n", "nonsense"),
        ("[limits]\nnonsense = 1\n", "nonsense"),
        ("listen = 5\n", "listen"),
        ("listen = \n", "doorward.toml"),
        ("[limits]\nenabled = 'yes'\n", "enabled"),
    ],
)
def test_the_file(stopped, text, named):
    for name in ("DOORWARD_LISTEN", "DOORWARD_LIMITS__ENABLED"):
        stopped.env.pop(name, None)
    path = write(stopped, text)
    line = complaint(stopped, "serve", "--config", path)
    assert named in line
    assert path in line


def test_a_file_that_is_not_there(stopped):
    assert "missing.toml" in complaint(stopped, "serve", "--config", str(stopped.data / "missing.toml"))


def test_later_places_win(stopped):
    stopped.env.pop("DOORWARD_LISTEN")
    path = write(stopped, 'listen = "127.0.0.1:1111"\n[limits]\nenabled = true\n')
    shown = stopped.run("config", "show", "--config", path)
    assert shown.returncode == 0, shown.stderr
    assert "127.0.0.1:1111" in shown.stdout
    shown = stopped.run("config", "show", "--config", path, env={"DOORWARD_LISTEN": "127.0.0.1:2222"})
    assert "127.0.0.1:2222" in shown.stdout and "1111" not in shown.stdout


def test_the_file_in_the_working_directory_is_read(stopped):
    stopped.env.pop("DOORWARD_LISTEN")
    write(stopped, 'listen = "127.0.0.1:3333"\n')
    assert "127.0.0.1:3333" in stopped.run("config", "show").stdout


def test_check_and_show(stopped):
    result = stopped.run("config", "check")
    assert result.returncode == 0, result.stderr
    env = {"DOORWARD_SMTP_URL": "smtp://mailer:very-secret-word@mail.example.com:25"}
    shown = stopped.run("config", "show", env=env)
    assert shown.returncode == 0
    assert "mail.example.com" in shown.stdout
    assert "very-secret-word" not in shown.stdout + shown.stderr


def test_a_wrong_secret_is_not_repeated(stopped):
    assert "very-secret-word" not in complaint(stopped, "serve", env={"DOORWARD_SMTP_URL": "smtp://mailer:very-secret-word@:x"})


def test_dialects_can_be_switched_off(serve):
    paths = {
        "kalshi": "/v1/log_in",
        "kraken": "/api/v1/auth/login",
        "kestra": "/login",
        "kotak": "/apim/session/1.0/session/login/userid",
    }
    server = serve(env={"DOORWARD_DIALECTS__KRAKEN": "false", "DOORWARD_DIALECTS__KALSHI": "false"})
    user = server.user()
    assert server.post(paths["kalshi"], json={"email": user.email, "password": user.password}).status_code == 404
    assert server.post(paths["kraken"], json={"username": user.email, "password": user.password}).status_code == 404
    assert server.post(paths["kestra"], json={"username": user.email, "password": user.password}).status_code == 200
    assert server.post(paths["kotak"], json={}).status_code == 401
    assert wires.native(server, user)


def test_a_port_that_is_taken(serve):
    first, second = serve(), serve(started=False)
    line = complaint(second, "serve", env={"DOORWARD_LISTEN": f"127.0.0.1:{first.port}"})
    assert str(first.port) in line


def test_an_address_as_public_url_goes_without_security_keys(serve):
    server = serve(started=False)
    server.env["DOORWARD_PUBLIC_URL"] = f"http://127.0.0.1:{server.port}"
    server.start()
    user = server.user()
    with wires.signed_in(server, user) as caller:
        answer = caller.post(wires.KRAKEN + "/startRegister")
        assert (answer.status_code, answer.json()["status_code"]) == (500, 2003), "the server's fault, not the caller's"
        assert caller.get(wires.KRAKEN + "/test").status_code == 200


def test_start_prints_what_a_newcomer_needs(serve):
    server = serve()
    log = server.log()
    assert str(server.port) in log
    assert "mail" in log.lower()
    assert "user create" in log


def test_the_data_directory_is_private(serve):
    server = serve()
    files = [path for path in (server.data / "doorward.db", server.data / "mail") if path.exists()]
    assert server.database or files[0].name == "doorward.db"
    for path in files:
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


def test_metrics_have_a_listener_of_their_own(serve):
    port = free_port()
    server = serve(env={"DOORWARD_METRICS_LISTEN": f"127.0.0.1:{port}"})
    wires.kalshi(server, server.user())
    answer = server.get(f"http://127.0.0.1:{port}/metrics")
    assert answer.status_code == 200
    assert "# TYPE" in answer.text
    assert server.get("/metrics").status_code == 404
