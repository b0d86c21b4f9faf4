"""One call that must succeed for each operation that made-up data cannot bring to success: the right password, a mailed code, an id that exists.

A function below is given the server and says what is in the call, in schemathesis' words (`body`, `headers`, `path_parameters`, `query`,
`media_type`), and who makes it (`auth`), if that is not whoever makes all other calls of the document.
"""

import mailbox_reader
import totp
import wires
from callers import Application, Bearer, sign_in
from harness import new_password, unique
from kotak_client import KotakClient

CALLS = {}

# Operations that nothing here brings to success, with the reason and what else does it.
UNREACHED = {
    "admin": {"retryMail": "no mail of this server fails or waits; it/outbox.rs does it"},
}


def good(document, *operations):
    """The function below makes these operations succeed."""

    def add(make):
        for operation in operations:
            CALLS[document, operation] = make
        return make

    return add


def after(server, method, path, address, find, **call):
    """What `find` finds in the mail that a call causes."""
    return server.mail.after(lambda: server.call(method, path, **call), address, find)


# kalshi


@good("kalshi", "Login", "LoginV2")
def kalshi_login(server):
    user = server.user()
    return {"body": {"email": user.email, "password": user.password}}


@good("kalshi", "ResetPassword")
def kalshi_reset(server):
    return {"body": {"email": server.user().email}}


@good("kalshi", "ResetPasswordConfirm")
def kalshi_confirm(server):
    email = server.user().email
    link = mailbox_reader.query_of(after(server, "POST", "/v1/passwords/reset", email, mailbox_reader.reset_link, json={"email": email}))
    return {"path_parameters": {"code": link["code"]}, "body": {"user_id": link["user_id"], "password": new_password()}}


# kraken


@good("kraken", "login")
def kraken_login(server):
    user = server.user()
    return {"body": {"username": user.username, "password": user.password}}


class Jar(Bearer):
    """The cookies of a kraken caller."""

    def __call__(self, request):
        request.headers["Cookie"] = self.token
        return request


def jar(caller):
    return Jar("; ".join(f"{name}={value}" for name, value in caller.cookies.items()))


@good("kraken", "finishRegister")
def kraken_key(server):
    caller = wires.signed_in(server, server.user())
    options = caller.post(wires.KRAKEN + "/startRegister").json()
    return {"auth": jar(caller), "body": {**wires.SecurityKey().create(options, server.url), "name": "key"}}


@good("kraken", "startAuth")
def kraken_start(server):
    user, _ = wires.user_with_key(server)
    return {"auth": jar(wires.signed_in(server, user))}


@good("kraken", "finishAuth")
def kraken_finish(server):
    user, key = wires.user_with_key(server)
    caller = wires.signed_in(server, user)
    options = caller.post(wires.KRAKEN + "/startAuth").json()
    return {"auth": jar(caller), "body": key.get(options, server.url)}


# kestra


@good("kestra", "login")
def kestra_login(server):
    user = server.user()
    return {"body": {"username": user.username, "password": user.password}, "media_type": "application/json"}


@good("kestra", "resetPassword")
def kestra_reset(server):
    user = server.user()
    query = {"username": user.username}
    link = after(server, "GET", "/api/v1/forgotten-password", user.email, mailbox_reader.link_with("token"), params=query)
    return {"body": {"token": mailbox_reader.query_of(link)["token"], "password": new_password()}}


@good("kestra", "acceptInvitation")
def kestra_accept(server):
    auth, invitation = invited(server)
    return {"auth": auth, "path_parameters": {"invitationId": invitation}}


@good("kestra", "createFromInvitation")
def kestra_create(server):
    body = {"firstName": "Nia", "lastName": "Osei", "password": new_password()}
    return {"path_parameters": {"invitationId": invitation_for(server)}, "body": body}


# kotak


def kotak_client(server, *flags):
    user = server.user()
    return user, KotakClient(server, server.app(*flags), user.username)


def kotak_call(client, body=None, **headers):
    call = {"auth": Application(client.application), "headers": client.headers(**headers)}
    return call if body is None else {**call, "body": body}


@good("kotak", "session-init")
def kotak_init(server):
    user, client = kotak_client(server)
    return kotak_call(client, userid=user.username)


@good("kotak", "login-with-user-id")
def kotak_login(server):
    user, client = kotak_client(server)
    return kotak_call(client, {"userid": user.username, "password": user.password})


@good("kotak", "generate-session2FA")
def kotak_code(server):
    user, client = kotak_client(server)
    code = server.mail.after(lambda: client.login(user.password), user.email, mailbox_reader.code)
    return kotak_call(client, {"userid": user.username, "accessCode": code}, oneTimeToken=client.one_time_token)


@good("kotak", "one-time-token")
def kotak_token(server):
    user, client = kotak_client(server, "--one-time-token-suffices")
    client.login(user.password)
    return kotak_call(client, {"userid": user.username}, oneTimeToken=client.one_time_token)


@good("kotak", "session-logout")
def kotak_logout(server):
    user, client = kotak_client(server, "--one-time-token-suffices")
    client.login(user.password)
    client.session_2fa()
    return kotak_call(client, userid=user.username, sessionToken=client.session_token)


# native


@good("native", "signInWithPassword")
def native_password(server):
    user = server.user()
    return {"body": {"identifier": user.email, "password": user.password}}


@good("native", "requestSignInCode")
def native_request(server):
    return {"body": {"email": server.user().email}}


@good("native", "signInWithCode")
def native_code(server):
    email = server.user().email
    code = after(server, "POST", "/auth/v1/sign-in/code/request", email, mailbox_reader.code, json={"email": email})
    return {"body": {"email": email, "code": code}}


@good("native", "confirmRecovery")
def native_recovery(server):
    email = server.user().email
    link = after(server, "POST", "/auth/v1/recovery", email, mailbox_reader.reset_link, json={"identifier": email})
    return {"body": {"code": mailbox_reader.query_of(link)["code"], "password": new_password()}}


@good("native", "changePassword")
def native_change(server):
    user = server.user()
    body = {"current_password": user.password, "new_password": new_password()}
    return {"auth": Bearer(sign_in(server, user)["token"]), "body": body}


@good("native", "endSession")
def native_end(server):
    answer = sign_in(server, server.user())
    return {"auth": Bearer(answer["token"]), "path_parameters": {"id": answer["session"]["id"]}}


@good("native", "inspectInvitation")
def native_inspect(server):
    return {"body": {"id": invitation_for(server)}}


@good("native", "createAccount")
def native_create(server):
    return {"body": {"id": invitation_for(server), "first_name": "Nia", "last_name": "Osei", "password": new_password()}}


@good("native", "acceptInvitation")
def native_accept(server):
    auth, invitation = invited(server)
    return {"auth": auth, "body": {"id": invitation}}


@good("native", "finishKey")
def native_key(server):
    token = sign_in(server, server.user())["token"]
    options = own(server, "POST", "/keys/start", token)
    return {"auth": Bearer(token), "body": {"name": "key", "credential": wires.SecurityKey().create(options, server.url)}}


@good("native", "signInWithPasskey")
def native_passkey(server):
    user = server.user()
    token, key = sign_in(server, user)["token"], wires.SecurityKey(passkey=True)
    made = key.create(own(server, "POST", "/keys/start", token), server.url)
    own(server, "POST", "/keys", token, {"name": "passkey", "credential": made})
    options = server.call("POST", "/auth/v1/sign-in/passkey/start").json()
    return {"body": {"credential": key.get(options, server.url)}}


@good("native", "startSecondFactor")
def native_start(server):
    return {"auth": Bearer(half_with_key(server)[0])}


@good("native", "finishSecondFactor")
def native_finish(server):
    token, credential = half_with_key(server)
    return {"auth": Bearer(token), "body": {"credential": credential}}


@good("native", "removeKey")
def native_remove_key(server):
    token, key = full_with_key(server)
    return {"auth": Bearer(token), "path_parameters": {"id": key}}


@good("native", "renameKey")
def native_rename_key(server):
    return {**native_remove_key(server), "body": {"name": "another"}}


@good("native", "confirmTotp")
def native_totp(server):
    token = sign_in(server, server.user())["token"]
    secret = own(server, "POST", "/totp/start", token)["secret"]
    return {"auth": Bearer(token), "body": {"code": totp.code(secret)}}


@good("native", "giveTotp")
def native_give_totp(server):
    user, secret = with_totp(server)
    return {"auth": Bearer(sign_in(server, user)["token"]), "body": {"code": totp.code(secret, 1)}}


@good("native", "removeTotp")
def native_remove_totp(server):
    user, secret = with_totp(server)
    half = sign_in(server, user)["token"]
    return {"auth": Bearer(own(server, "POST", "/second-factor/totp", half, {"code": totp.code(secret, 1)})["token"])}


# admin


@good("admin", "registerApplication")
def admin_application(server):
    return {"body": {"name": unique("app")}}


@good("admin", "rotateApplication", "revokeApplication")
def admin_of_application(server):
    return {"path_parameters": {"id": server.app()["app_id"]}}


@good("admin", "changeApplication")
def admin_change_of_application(server):
    return {"path_parameters": {"id": server.app()["app_id"]}, "body": {"networks": ["192.0.2.0/24", "2001:db8::1"]}}


@good("admin", "invite")
def admin_invite(server):
    return {"body": {"email": f"{unique()}@example.net"}}


@good("admin", "revokeInvitation", "reissueInvitation")
def admin_of_invitation(server):
    return {"path_parameters": {"id": server.cli("invitation", "create", f"{unique()}@example.net")["handle"]}}


@good("admin", "showMail")
def admin_of_mail(server):
    server.cli("invitation", "create", f"{unique()}@example.net")
    return {"path_parameters": {"id": server.items("mail", "list")[0]["id"]}}


@good("admin", "createUser")
def admin_create(server):
    name = unique()
    return {"body": {"username": name, "email": f"{name}@example.net"}}


@good("admin", "showUser", "disableUser", "enableUser", "deleteUser", "sendRecovery", "listUserSessions", "endUserSessions")
def admin_of_user(server):
    return {"path_parameters": {"user": server.user().id}}


@good("admin", "endAnySession")
def admin_end(server):
    return {"path_parameters": {"id": sign_in(server, server.user())["session"]["id"]}}


@good("admin", "removeUserKey")
def admin_remove_key(server):
    token, key = full_with_key(server)
    return {"path_parameters": {"user": own(server, "GET", "/session", token)["user"]["id"], "id": key}}


@good("admin", "removeUserTotp")
def admin_remove_totp(server):
    return {"path_parameters": {"user": with_totp(server)[0].id}}


# What these are made of


def own(server, method, path, token, body=None):
    """A call at somebody's own account."""
    answer = server.call(method, "/auth/v1" + path, json=body, headers=wires.bearer(token))
    assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json()


def invitation_for(server, email=None):
    """The secret of a new invitation."""
    return server.cli("invitation", "create", email or f"{unique()}@example.net")["id"]


def invited(server):
    """Somebody, and the secret of an invitation for them."""
    user = server.user()
    return Bearer(sign_in(server, user)["token"]), invitation_for(server, user.email)


def half_with_key(server):
    """A half session, and what makes it full."""
    user, key = wires.user_with_key(server)
    half = sign_in(server, user)["token"]
    return half, key.get(own(server, "POST", "/second-factor/start", half), server.url)


def full_with_key(server):
    """A session with a security key, and the id of the key."""
    half, credential = half_with_key(server)
    full = own(server, "POST", "/second-factor", half, {"credential": credential})["token"]
    return full, own(server, "GET", "/keys", full)["items"][0]["id"]


def with_totp(server):
    """Somebody with an authenticator app, and its seed."""
    user = server.user()
    token = sign_in(server, user)["token"]
    secret = own(server, "POST", "/totp/start", token)["secret"]
    own(server, "POST", "/totp", token, {"code": totp.code(secret)})
    return user, secret
