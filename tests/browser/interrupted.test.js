// What comes in between while somebody administers: a clear message, a way on, and nothing lost of what was typed.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ageForms, closePrompt, fill, follow, heading, launch, plugIn, press, says, signIn, totp, visit } from "./browser.js";
import { PASSWORD, Server } from "./server.js";

let server, browser;
before(async () => {
  server = await Server.start({ DOORWARD_LIMITS__ENABLED: "false" });
  browser = await launch();
  for (const name of ["root", "uma", "vic"]) server.user(name, "Ann", "Lee", "--admin");
  server.user("ann");
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const administrator = async (name, options = {}) => {
  const page = await visit(browser, server.url, options);
  await signIn(page, name, PASSWORD);
  await heading(page, "Your account");
  return page;
};

const openAnn = async (page) => {
  await page.goto("/admin/users?search=ann");
  await follow(page, "ann@example.org");
  await heading(page, "ann@example.org");
};

const invited = async (page, email) => {
  await page.goto("/admin/invitations");
  return page.getByText(email, { exact: true }).count();
};

test("a form of another time is shown again with what was typed, and a button of another time leads to its page", async () => {
  const page = await administrator("root");
  await page.goto("/admin/invitations");
  await fill(page, "E-mail address", "old@example.org");
  await ageForms(page);
  await press(page, "Mail the invitation");
  await says(page, "Look through the form and send it again.");
  assert.equal(await page.getByLabel("E-mail address").inputValue(), "old@example.org");
  await press(page, "Mail the invitation");
  await says(page, "The invitation is on its way.");

  await page.goto("/admin/applications");
  await fill(page, "Name of the application", "Old app");
  await ageForms(page);
  await press(page, "Register");
  await says(page, "Look through the form and send it again.");
  assert.equal(await page.getByLabel("Name of the application").inputValue(), "Old app");

  await openAnn(page);
  await ageForms(page);
  await press(page, "Disable");
  await heading(page, "This page was out of date");
  await follow(page, "On to the page as it is now");
  await heading(page, "ann@example.org");
  assert.equal(await page.getByRole("button", { name: "Disable" }).count(), 1, "nothing was done");
});

test("a press that comes twice invites once", async () => {
  const page = await administrator("root");
  await page.goto("/admin/invitations");
  await fill(page, "E-mail address", "twice@example.org");
  await page.getByRole("button", { name: "Mail the invitation", exact: true }).dblclick();
  await says(page, "The invitation is on its way.");
  assert.equal(await invited(page, "twice@example.org"), 1);
});

test("of two tabs, the one that signed in before goes on when the other has signed in anew", async () => {
  const page = await administrator("root");
  await page.goto("/admin/invitations");
  await fill(page, "E-mail address", "tab@example.org");
  const other = await page.context().newPage();
  await other.goto("/account");
  await press(other, "Sign out");
  await says(other, "You are signed out.");
  await signIn(other, "root", PASSWORD);
  await heading(other, "Your account");
  await press(page, "Mail the invitation");
  await says(page, "Look through the form and send it again.");
  await press(page, "Mail the invitation");
  await says(page, "The invitation is on its way.");
  assert.equal(await invited(page, "tab@example.org"), 1);
});

test("a session that ended meanwhile, by the server or by the browser, costs nothing that was typed", async () => {
  const page = await administrator("root");
  const ways = {
    "ended@example.org": () => server.cli(["session", "revoke", "--user", "root"]),
    "forgotten@example.org": () => page.context().clearCookies(),
  };
  for (const [email, end] of Object.entries(ways)) {
    await page.goto("/admin/invitations");
    await fill(page, "E-mail address", email);
    await page.locator("#role").selectOption("admin");
    await end();
    await press(page, "Mail the invitation");
    await heading(page, "Sign in to Example");
    await fill(page, "E-mail address or username", "root");
    await fill(page, "Password", PASSWORD);
    await press(page, "Sign in");
    await heading(page, "Invitations");
    assert.equal(await page.getByLabel("E-mail address").inputValue(), email);
    assert.equal(await page.locator("#role").inputValue(), "admin");
    await press(page, "Mail the invitation");
    await says(page, "The invitation is on its way.");
  }
  await page.goto("/account/profile");
  await fill(page, "First name", "Zoë");
  await page.context().clearCookies();
  await press(page, "Save the name");
  await fill(page, "E-mail address or username", "root");
  await fill(page, "Password", PASSWORD);
  await press(page, "Sign in");
  await heading(page, "Change your name");
  assert.equal(await page.getByLabel("First name").inputValue(), "Zoë");
  await press(page, "Save the name");
  await says(page, "Your name is changed.");
});

test("after signing out the back button shows nothing of the console, nor secrets anew", async () => {
  const page = await administrator("root");
  await page.goto("/admin/applications");
  await fill(page, "Name of the application", "Backward");
  await press(page, "Register");
  await heading(page, "Secrets of Backward");
  const secrets = await page.locator(".secret").allInnerTexts();
  await follow(page, "I have them");
  await heading(page, "Applications");
  await page.goto("/admin/users");
  await press(page, "Sign out");
  await says(page, "You are signed out.");
  for (let step = 0; step < 3; step += 1) {
    // What answered a form is not kept: for it the browser has a page of its own.
    await page.goBack().catch(() => {});
    await page.waitForLoadState();
    const shown = await page.content();
    assert.ok(!shown.includes("ann@example.org") && !secrets.some((secret) => shown.includes(secret)), page.url());
  }
  const tab = await page.context().newPage();
  await tab.goto("/admin/users");
  await heading(tab, "Sign in to Example");
});

test("without JavaScript the console does all that it does, behind a second factor as well", async () => {
  const page = await administrator("uma", { javaScriptEnabled: false });
  await press(page, "Set up an app");
  const seed = await page.locator("input[name=seed]").inputValue();
  await fill(page, "Code of the app", totp(seed));
  await press(page, "Finish");
  await press(page, "Sign out");
  await page.goto("/admin/users");
  await fill(page, "E-mail address or username", "uma");
  await fill(page, "Password", PASSWORD);
  await press(page, "Sign in");
  await heading(page, "One more step");
  await fill(page, "Code of the app", totp(seed, 1));
  await press(page, "Go on");
  await heading(page, "Users");
  await fill(page, "E-mail address or username", "ann");
  await press(page, "Search");
  await follow(page, "ann@example.org");
  await press(page, "Disable");
  await says(page, "The account is disabled");
  await press(page, "Enable");
  await says(page, "The account is enabled.");
  await page.goto("/admin/invitations");
  await fill(page, "E-mail address", "plain@example.org");
  await press(page, "Mail the invitation");
  await says(page, "The invitation is on its way.");
  await page.goto("/admin/applications");
  await fill(page, "Name of the application", "Plain");
  await press(page, "Register");
  await heading(page, "Secrets of Plain");
  await page.goto("/admin");
  await page.locator("summary").first().click();
  assert.ok(await page.locator("details").first().locator("td").first().isVisible());
});

test("a key prompt that is closed on the way into the console is told, and the way goes on", async () => {
  const page = await administrator("vic");
  const key = await plugIn(page);
  await page.goto("/account/keys?name=Key");
  await press(page, "Add the key");
  await says(page, "The security key is added.");
  await press(page, "Sign out");
  await page.goto("/admin/applications?name=Typed&networks=&suffices=");
  await fill(page, "E-mail address or username", "vic");
  await fill(page, "Password", PASSWORD);
  await press(page, "Sign in");
  await closePrompt(page);
  await press(page, "Use your security key");
  await says(page, "The security key was not used");
  await press(page, "Use your security key");
  await heading(page, "Applications");
  assert.equal(await page.getByLabel("Name of the application").inputValue(), "Typed");
  assert.equal((await key.keys()).length, 1);
});
