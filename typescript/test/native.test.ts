import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { doorward } from "../src/index.js";
import { example, Server } from "./server.js";

const PASSWORD = "a parrot of the north";
let server: Server;

before(async () => {
  server = await Server.start();
  server.user("ann", PASSWORD);
});
after(() => server.stop());

/** A client that is signed in. */
async function signedIn(password = PASSWORD) {
  let token: string | undefined;
  const client = doorward({ baseUrl: server.url, token: () => token });
  const { data, error } = await client.POST("/auth/v1/sign-in/password", { body: { identifier: "ann", password } });
  assert.ok(data, JSON.stringify(error));
  token = data.token;
  return { client, token: () => token as string, renew: (given: string) => (token = given) };
}

test("a session from its beginning to its end", async () => {
  const { client, token } = await signedIn();
  const { data } = await client.GET("/auth/v1/session");
  assert.equal(data?.user.username, "ann");
  assert.equal(data?.assurance_level, 1);
  assert.deepEqual(data?.factors, ["password"]);
  const { data: page } = await client.GET("/auth/v1/sessions", { params: { query: { limit: 1 } } });
  assert.equal(page?.items[0]?.current, true);
  const ended = await client.DELETE("/auth/v1/session");
  assert.equal(ended.response.status, 204);
  const again = await client.GET("/auth/v1/session");
  assert.equal(again.response.status, 401);
  assert.equal(again.error?.type, "urn:doorward:problem:not-signed-in");
  assert.ok(token());
});

test("problems have their types", async () => {
  const client = doorward({ baseUrl: server.url });
  const wrong = await client.POST("/auth/v1/sign-in/password", { body: { identifier: "ann", password: "wrong" } });
  assert.equal(wrong.error?.type, "urn:doorward:problem:invalid-credentials");
  assert.equal(wrong.error?.status, 401);
  const { client: ann } = await signedIn();
  const weak = await ann.POST("/auth/v1/password", { body: { current_password: PASSWORD, new_password: "1234" } });
  assert.equal(weak.error?.type, "urn:doorward:problem:password-rejected");
  assert.equal(weak.error?.problems?.[0]?.code, "too_short");
});

test("a new password ends the other sessions, and its token goes on", async () => {
  const [mine, other] = [await signedIn(), await signedIn()];
  const changed = "another parrot, of the south";
  const { data } = await mine.client.POST("/auth/v1/password", { body: { current_password: PASSWORD, new_password: changed } });
  assert.ok(data);
  mine.renew(data.token);
  assert.equal((await mine.client.GET("/auth/v1/session")).response.status, 200);
  assert.equal((await other.client.GET("/auth/v1/session")).response.status, 401);
  await mine.client.POST("/auth/v1/password", { body: { current_password: changed, new_password: PASSWORD } });
});

test("the example protects its route", async () => {
  const notes = await example("notes.js", { DOORWARD_URL: server.url });
  try {
    const ask = (headers: Record<string, string> = {}) => fetch(notes.url, { headers });
    assert.equal((await ask()).status, 401);
    assert.equal((await ask({ authorization: "Bearer nobody" })).status, 401);
    const { client, token } = await signedIn();
    const authorization = `Bearer ${token()}`;
    assert.equal(await (await ask({ authorization })).text(), "Notes of ann\n");
    assert.equal(await (await ask({ cookie: `doorward=${token()}` })).text(), "Notes of ann\n");
    await client.DELETE("/auth/v1/session");
    assert.equal((await ask({ authorization })).status, 401);
  } finally {
    await notes.stop();
  }
});

test("whoever cannot ask lets nobody in", async () => {
  const notes = await example("notes.js", { DOORWARD_URL: "http://127.0.0.1:1" });
  try {
    assert.equal((await fetch(notes.url, { headers: { authorization: "Bearer x" } })).status, 503);
  } finally {
    await notes.stop();
  }
});
