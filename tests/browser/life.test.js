// The life of an account in a real browser, and what befalls people on the way.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { closePrompt, device, fill, heading, launch, plugIn, press, says, signIn, visit, withoutOffers } from "./browser.js";
import { OTHER_PASSWORD, PASSWORD, Server } from "./server.js";

let server, browser, app;
before(async () => {
  app = createServer((_, answer) => answer.end("<title>The app</title>")).listen(0, "localhost");
  await once(app, "listening");
  server = await Server.start({
    DOORWARD_FORWARD__RETURN_TO: `http://localhost:${app.address().port}`,
    DOORWARD_LIMITS__ENABLED: "false",
  });
  browser = await launch();
  server.user("ann");
});
after(async () => {
  await browser?.close();
  await server?.stop();
  app?.close();
});

test("from the invitation to a lost password", async () => {
  const page = await visit(browser, server.url);
  server.invite("zoe@example.org");
  await page.goto(await server.link("zoe@example.org", "/invitation"));
  await fill(page, "First name", "Zoë");
  await fill(page, "Last name", "Ødegård");
  await fill(page, "Password", PASSWORD);
  await press(page, "Create the account");
  await says(page, "Your account is ready.");
  await signIn(page, "zoe@example.org", PASSWORD);
  await heading(page, "Your account");

  const key = await plugIn(page);
  await page.getByRole("link", { name: "Add a security key" }).click();
  await fill(page, "Name of the key", "Blue key");
  await press(page, "Add the key");
  await says(page, "The security key is added.");
  assert.equal((await key.keys()).length, 1);
  await press(page, "Sign out");
  await says(page, "You are signed out.");

  await signIn(page, "zoe@example.org", PASSWORD);
  await heading(page, "One more step");
  await page.goto("/account");
  await heading(page, "One more step");
  await press(page, "Use your security key");
  await heading(page, "Your account");
  assert.equal((await key.keys())[0].signCount > 1, true);
  await press(page, "Sign out");

  await page.getByRole("link", { name: "Forgotten your password?" }).click();
  await fill(page, "E-mail address or username", "zoe@example.org");
  await press(page, "Mail me a link");
  await heading(page, "Check your mail");
  await page.goto(await server.link("zoe@example.org", "/reset"));
  await fill(page, "New password", OTHER_PASSWORD);
  await press(page, "Set the password");
  await says(page, "Your new password is set");
  await signIn(page, "zoe@example.org", PASSWORD);
  await says(page, "The name or the password is wrong.");
  await signIn(page, "zoe@example.org", OTHER_PASSWORD);
  await heading(page, "One more step");
  await press(page, "Use your security key");
  await heading(page, "Your account");

  await page.getByRole("link", { name: "Manage the key Blue key" }).click();
  await fill(page, "Name of the key", "Old key");
  await press(page, "Save the name");
  await says(page, "The security key has its new name.");
  await page.getByRole("link", { name: "Manage the key Old key" }).click();
  await press(page, "Remove the key");
  await says(page, "The security key is removed.");
  await says(page, "No security key is added.");
  assert.deepEqual(page.noted, []);
});

// An account whose passkey is on the page's device, signed out.
const withPasskey = async (page, name) => {
  server.user(name);
  await signIn(page, name, PASSWORD);
  const keys = await device(page);
  await page.goto("/account/keys?name=This%20device");
  await press(page, "Add the key");
  await says(page, "The security key is added.");
  const [key] = await keys.keys();
  assert.equal(key.isResidentCredential, true);
  await keys.touches(false);
  await press(page, "Sign out");
  await says(page, "You are signed out.");
  return keys;
};

test("a passkey signs in at the press of a button, without a name and a password", async () => {
  const page = await visit(browser, server.url);
  await withoutOffers(page);
  const keys = await withPasskey(page, "pia");
  await page.goto("/sign-in?return_to=/account/password");
  await closePrompt(page);
  await press(page, "Sign in with a passkey");
  await says(page, "No passkey was used");
  await keys.touches(true);
  await press(page, "Sign in with a passkey");
  // Full at once, though a key is asked for after a password.
  await heading(page, "Change your password");
  assert.equal((await keys.keys())[0].signCount > 1, true);
  await page.goto("/account");
  await says(page, "pia@example.org");
  assert.deepEqual(page.noted, []);
});

test("the browser offers a passkey where the name is typed", async () => {
  const page = await visit(browser, server.url);
  const keys = await withPasskey(page, "quin");
  await page.goto("/sign-in?return_to=/account/password");
  assert.equal(await page.getByLabel("E-mail address or username").getAttribute("autocomplete"), "username webauthn");
  await page.goto("/forgotten");
  await keys.touches(true);
  // It is picked as soon as it is offered, be the page loaded or not.
  await page.goto("/sign-in?return_to=/account/password", { waitUntil: "commit" });
  await heading(page, "Change your password");
  assert.deepEqual(page.noted, []);
});

test("the button works while the browser offers passkeys", async () => {
  const page = await visit(browser, server.url);
  const keys = await withPasskey(page, "rex");
  await page.addInitScript(() => {
    const get = CredentialsContainer.prototype.get;
    window.asked = [];
    // Nobody picks what is offered; the request stands until it is ended.
    CredentialsContainer.prototype.get = function (options) {
      window.asked.push(options.mediation ?? "press");
      if (options.mediation !== "conditional") return get.call(this, options);
      return new Promise((_, refuse) => {
        options.signal.addEventListener("abort", () => (window.asked.push("ended"), refuse(options.signal.reason)));
      });
    };
  });
  await page.goto("/sign-in");
  await page.waitForFunction(() => window.asked[0] === "conditional");
  await closePrompt(page);
  await press(page, "Sign in with a passkey");
  await says(page, "No passkey was used");
  await page.waitForFunction(() => window.asked.length > 2);
  assert.deepEqual(await page.evaluate(() => window.asked), ["conditional", "ended", "conditional"]);
  await keys.touches(true);
  await press(page, "Sign in with a passkey");
  await heading(page, "Your account");
  assert.deepEqual(page.noted, []);
});

test("a passkey that was removed is refused in words", async () => {
  const page = await visit(browser, server.url);
  await withoutOffers(page);
  const keys = await withPasskey(page, "sue");
  await keys.touches(true);
  await page.goto("/sign-in");
  await press(page, "Sign in with a passkey");
  await heading(page, "Your account");
  await page.getByRole("link", { name: "Manage the key This device" }).click();
  await press(page, "Remove the key");
  await heading(page, "Sign in to Example");
  await press(page, "Sign in with a passkey");
  await says(page, "The passkey was not accepted.");
});

test("a key is not added twice", async () => {
  const page = await visit(browser, server.url);
  server.user("kim");
  await signIn(page, "kim", PASSWORD);
  await plugIn(page);
  for (const name of ["One", "Two"]) {
    await page.goto(`/account/keys?name=${name}`);
    await press(page, "Add the key");
    if (name === "One") await says(page, "The security key is added.");
    if (name === "One") {
      // A change of factors needs the key itself now.
      await page.goto("/second-factor?again=yes&return_to=/account/keys");
      await press(page, "Use your security key");
      await heading(page, "Add a security key");
    }
  }
  await says(page, "This key is added already.");
  assert.equal(await page.getByLabel("Name of the key").inputValue(), "Two");
});

test("a change that asks for the key leads to it and back, with what was typed", async () => {
  const page = await visit(browser, server.url);
  server.user("lou");
  await signIn(page, "lou", PASSWORD);
  await plugIn(page);
  await page.goto("/account/keys?name=One");
  await press(page, "Add the key");
  await says(page, "The security key is added.");
  await page.goto("/account/keys?name=Two");
  await says(page, "This change asks for your second factor");
  await press(page, "Use your security key");
  await heading(page, "Add a security key");
  assert.equal(await page.getByLabel("Name of the key").inputValue(), "Two");
});

test("a prompt that is closed is told, and tried again", async () => {
  const page = await visit(browser, server.url);
  server.user("max");
  await signIn(page, "max", PASSWORD);
  await plugIn(page);
  await page.goto("/account/keys?name=One");
  await closePrompt(page);
  await press(page, "Add the key");
  await says(page, "No key was added");
  assert.equal(await page.getByLabel("Name of the key").inputValue(), "One");
  await press(page, "Add the key");
  await says(page, "The security key is added.");
});

test("a mailed code signs in", async () => {
  const page = await visit(browser, server.url);
  await page.goto("/sign-in");
  await press(page, "Get a code by e-mail");
  await fill(page, "E-mail address", "ann@example.org");
  await press(page, "Mail me a code");
  assert.ok(!page.url().includes("ann"), page.url());
  await fill(page, "Code", await server.code("ann@example.org"));
  await press(page, "Sign in");
  await heading(page, "Your account");
});

test("signing in leads back to an app at another port, and nowhere else", async () => {
  const page = await visit(browser, server.url);
  const wanted = `http://localhost:${app.address().port}/deep?a=b`;
  await page.goto(`/sign-in?return_to=${encodeURIComponent(wanted)}`);
  await fill(page, "E-mail address or username", "ann");
  await fill(page, "Password", PASSWORD);
  await press(page, "Sign in");
  await page.waitForURL(wanted);
  assert.equal(await page.title(), "The app");
  for (const elsewhere of ["//127.0.0.1:9/", "/\\127.0.0.1:9/", "http://127.0.0.1:9/", "javascript:alert(1)"]) {
    await page.goto(`/sign-in?return_to=${encodeURIComponent(elsewhere)}`);
    assert.equal(page.url(), `${server.url}/account`, elsewhere);
  }
  assert.deepEqual(page.noted, []);
});

test("two tabs, the back button, and a session that ended meanwhile", async () => {
  const page = await visit(browser, server.url);
  await page.goto("/forgotten");
  await fill(page, "E-mail address or username", "somebody");
  const other = await page.context().newPage();
  await signIn(other, "ann", PASSWORD);
  await heading(other, "Your account");
  await press(page, "Mail me a link");
  await says(page, "Look through the form and send it again.");
  assert.equal(await page.getByLabel("E-mail address or username").inputValue(), "somebody");
  await press(page, "Mail me a link");
  await heading(page, "Check your mail");

  await page.goto("/account/password");
  await press(other, "Sign out");
  await fill(page, "Current password", PASSWORD);
  await fill(page, "New password", OTHER_PASSWORD);
  await press(page, "Change the password");
  await heading(page, "Sign in to Example");
  assert.ok(page.url().includes("return_to=%2Faccount%2Fpassword"), page.url());
  await fill(page, "E-mail address or username", "ann");
  await fill(page, "Password", PASSWORD);
  await press(page, "Sign in");
  await heading(page, "Change your password");

  await page.goBack();
  await page.goBack();
  await page.reload();
  await page.goto("/account");
  await heading(page, "Your account");
});

test("a button that is pressed twice does once", async () => {
  const page = await visit(browser, server.url);
  server.invite("twice@example.org");
  await page.goto(await server.link("twice@example.org", "/invitation"));
  await fill(page, "First name", "Two");
  await fill(page, "Last name", "Times");
  await fill(page, "Password", PASSWORD);
  await page.getByRole("button", { name: "Create the account" }).dblclick();
  await says(page, "Your account is ready.");
});

test("sessions elsewhere are ended from the account page", async () => {
  const page = await visit(browser, server.url);
  const other = await visit(browser, server.url);
  server.user("sam");
  await signIn(other, "sam", PASSWORD);
  await heading(other, "Your account");
  await signIn(page, "sam", PASSWORD);
  await page.getByRole("button", { name: /^End the session on Chrom/ }).click();
  await says(page, "The session is ended.");
  await other.goto("/account");
  await says(other, "Your session has ended.");
});

test("a password can be shown, and the button says of which", async () => {
  const page = await visit(browser, server.url);
  await page.goto("/sign-in");
  await fill(page, "Password", "typed");
  await press(page, "Show: Password");
  assert.equal(await page.getByLabel("Password", { exact: true }).getAttribute("type"), "text");
  await press(page, "Hide: Password");
  assert.equal(await page.getByLabel("Password", { exact: true }).getAttribute("type"), "password");
});

test("without JavaScript all but security keys works", async () => {
  const page = await visit(browser, server.url, { javaScriptEnabled: false });
  server.user("tom");
  await signIn(page, "tom", PASSWORD);
  await heading(page, "Your account");
  await page.goto("/account/keys");
  await says(page, "Security keys need JavaScript");
  assert.equal(await page.getByRole("button", { name: "Add the key" }).isVisible(), false);
  await page.goto("/account/password");
  await fill(page, "Current password", PASSWORD);
  await fill(page, "New password", OTHER_PASSWORD);
  await press(page, "Change the password");
  await says(page, "Your password is changed.");
  await press(page, "Sign out");
  await says(page, "You are signed out.");
});

test("a browser that asks for German gets it", async () => {
  const page = await visit(browser, server.url, { locale: "de-AT" });
  await page.goto("/sign-in");
  await heading(page, "Bei Example anmelden");
  assert.equal(await page.getAttribute("html", "lang"), "de");
});
