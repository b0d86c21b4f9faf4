"""A client of the kotak API as its users drive it: connect, sign in, prove the second factor, sign out.

The published client is not on PyPI, so this one follows the wire contract by hand.
"""

import requests


class Fault(Exception):
    """A refusal in the API's own words."""

    def __init__(self, response):
        self.status, self.headers, self.body = response.status_code, response.headers, response.json()
        fault = self.body["fault"]
        self.code, self.message, self.description = fault["code"], fault["message"], fault["description"]
        super().__init__(f"{self.status} {self.code}: {self.message}")


class KotakClient:
    """One person's way through one registered application."""

    def __init__(self, server, application, userid, ip="127.0.0.1", connect=True, host=None):
        self.host = host or server.url + "/apim"
        self.application, self.userid, self.ip = application, userid, ip
        self.one_time_token = self.session_token = self.greeting = None
        if connect:
            self.connect()

    def headers(self, **more):
        """The headers that every call of this API carries."""
        return {
            "Authorization": "Bearer " + self.application["access_token"],
            "consumerKey": self.application["consumer_key"],
            "appId": self.application["app_id"],
            "ip": self.ip,
            "Accept": "application/json",
            **more,
        }

    def call(self, method, path, headers, body=None):
        """One call; the content of its envelope, or a Fault."""
        response = requests.request(method, self.host + path, headers=headers, json=body, timeout=30)
        if response.status_code != 200:
            raise Fault(response)
        assert response.headers["Content-Type"].startswith("application/json")
        assert set(response.json()) == {"Success"}
        return response.json()["Success"]

    def connect(self):
        """Asks for a session; a client starts again wherever it is redirected to, so that must be where it already is."""
        self.greeting = self.call("GET", "/session/1.0/session/init", self.headers(userid=self.userid))
        return self.greeting

    def login(self, password):
        """First factor: gives a one-time token."""
        body = {"userid": self.userid, "password": password}
        answer = self.call("POST", "/session/1.0/session/login/userid", self.headers(), body)
        self.one_time_token = answer["oneTimeToken"]
        return answer

    def session_2fa(self, access_code=None):
        """Second factor, or none where the application's one-time token suffices."""
        body, last = {"userid": self.userid}, "oneTimeToken"
        if access_code is not None:
            body, last = {**body, "accessCode": access_code}, "accesscode"
        headers = self.headers(oneTimeToken=self.one_time_token)
        answer = self.call("POST", f"/session/1.0/session/2FA/{last}", headers, body)
        self.session_token = answer["sessionToken"]
        return answer

    def logout(self):
        """Ends the session."""
        headers = self.headers(sessionToken=self.session_token, userid=self.userid)
        return self.call("DELETE", "/session/1.0/session/logout", headers)
