// An administrator's day in a real browser: from the link of the first start on.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { ageForms, fill, follow, heading, launch, plugIn, press, says, signIn, totp, visit } from "./browser.js";
import { OTHER_PASSWORD, PASSWORD, Server } from "./server.js";

let server, browser, root;
before(async () => {
  server = await Server.start({ DOORWARD_LIMITS__ENABLED: "false" }, true);
  browser = await launch();
  root = await visit(browser, server.url);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const row = (page, text) => page.locator("li", { hasText: text });

// A member, signed in, at a page of their own.
const member = async (name) => {
  server.user(name, "Bo", "Berg");
  const page = await visit(browser, server.url);
  await signIn(page, name, PASSWORD);
  await heading(page, "Your account");
  return page;
};

const openUser = async (name) => {
  await root.goto("/admin/users");
  await fill(root, "E-mail address or username", name);
  await press(root, "Search");
  await follow(root, `${name}@example.org`);
  await heading(root, `${name}@example.org`);
};

test("the link of the first start makes the first administrator, once", async () => {
  const link = await server.setupLink();
  await root.goto(link);
  await heading(root, "Set up Example");
  await fill(root, "Username", "root");
  await fill(root, "E-mail address", "root@example.org");
  await fill(root, "Password", "password123");
  await press(root, "Create the account");
  await says(root, "The password is too easy to guess.");
  assert.equal(await root.getByLabel("Username").inputValue(), "root");
  await fill(root, "Password", PASSWORD);
  await ageForms(root);
  await press(root, "Create the account");
  await says(root, "Look through the form and send it again.");
  assert.equal(await root.getByLabel("E-mail address").inputValue(), "root@example.org");
  await fill(root, "Password", PASSWORD);
  // Two presses create one.
  await root.getByRole("button", { name: "Create the account" }).dblclick();
  await says(root, "Your account is ready.");
  await root.goto(link);
  await heading(root, "This link does not work");
  await signIn(root, "root", PASSWORD);
  await follow(root, "Administration");
  await heading(root, "Overview");
});

test("users are found by how their name or address begins", async () => {
  for (const name of ["bob", "bert"]) server.user(name);
  await root.goto("/admin/users");
  for (const [typed, found] of [["b", ["bert", "bob"]], ["BO", ["bob"]], ["bob@exam", ["bob"]], ["ob", []]]) {
    await fill(root, "E-mail address or username", typed);
    await press(root, "Search");
    await root.waitForURL((url) => url.searchParams.get("search") === typed);
    const shown = await root.locator(".rows strong a").allInnerTexts();
    assert.deepEqual(shown.sort(), found.map((name) => `${name}@example.org`), typed);
  }
  await says(root, "Nobody is found.");
});

test("somebody who lost their key, and a session that was left open", async () => {
  const page = await member("bodil");
  await plugIn(page);
  await page.goto("/account/keys?name=Lost%20key");
  await press(page, "Add the key");
  await says(page, "The security key is added.");
  await openUser("bodil");
  await root.getByRole("button", { name: /^End the session on Chrom/ }).click();
  await says(root, "The session is ended.");
  await page.goto("/account");
  await says(page, "Your session has ended.");
  await signIn(page, "bodil", PASSWORD);
  await heading(page, "One more step");
  await press(root, "Remove the key Lost key");
  await says(root, "The security key is removed.");
  await says(root, "There are none.");
  // Who is asked for it just then is led on.
  await page.reload();
  await says(page, "it was removed while you were signing in");
  await press(page, "Back to sign-in");
  await signIn(page, "bodil", PASSWORD);
  await heading(page, "Your account");
  await root.reload();
  await press(root, "End all sessions");
  await says(root, "All sessions of the account are ended.");
  await page.reload();
  await heading(page, "Sign in to Example");
});

test("an account is disabled and enabled, and gets a link for a new password", async () => {
  const page = await member("bella");
  await openUser("bella");
  await press(root, "Disable");
  await says(root, "The account is disabled, and all that was open in its name has ended.");
  await page.reload();
  await says(page, "Your session has ended.");
  await signIn(page, "bella", PASSWORD);
  await says(page, "This account is disabled.");
  await press(root, "Enable");
  await says(root, "The account is enabled.");
  await press(root, "Mail a link to set a new password");
  await says(root, "A link to set a new password is on its way.");
  await page.goto(await server.link("bella@example.org", "/reset"));
  await fill(page, "New password", OTHER_PASSWORD);
  await press(page, "Set the password");
  await signIn(page, "bella", OTHER_PASSWORD);
  await heading(page, "Your account");
  // Nobody shuts themselves out.
  await openUser("root");
  await press(root, "Disable");
  await says(root, "nobody disables themselves here");
});

test("an invitation is made and used, and another taken back", async () => {
  await root.goto("/admin/invitations");
  await says(root, "Nobody has been invited.");
  for (const name of ["ida", "ivo"]) {
    await fill(root, "E-mail address", `${name}@example.org`);
    await press(root, "Mail the invitation");
    await says(root, "The invitation is on its way.");
  }
  await press(root, "Take back the invitation for ivo@example.org");
  await says(root, "The invitation is taken back.");
  const page = await visit(browser, server.url);
  await page.goto(await server.link("ivo@example.org", "/invitation"));
  await heading(page, "This invitation is closed");
  await page.goto(await server.link("ida@example.org", "/invitation"));
  await fill(page, "First name", "Ida");
  await fill(page, "Last name", "Igel");
  await fill(page, "Password", PASSWORD);
  await press(page, "Create the account");
  await says(page, "Your account is ready.");
  await root.reload();
  await row(root, "ida@example.org").getByText("used", { exact: true }).waitFor();
  await row(root, "ivo@example.org").getByText("taken back", { exact: true }).waitFor();
  // What is not there any more cannot be mailed again.
  assert.equal(await root.getByRole("button", { name: /^Mail the invitation for/ }).count(), 0);
});

// What an application's secrets open: a kotak call answers 401 where they open nothing.
const call = async ([appId, consumerKey, token]) => {
  const headers = { Authorization: `Bearer ${token}`, consumerKey, appId, ip: "", userid: "bob" };
  return (await fetch(`${server.url}/apim/session/1.0/session/init`, { headers })).status;
};

test("an application's secrets are shown once, are replaced, and are good from its networks alone", async () => {
  const register = async (name, networks) => {
    await root.goto("/admin/applications");
    await fill(root, "Name of the application", name);
    await root.locator("#networks").fill(networks);
    await press(root, "Register");
  };
  await register("Desk", "not a network");
  await says(root, "A network has the form");
  assert.equal(await root.getByLabel("Name of the application").inputValue(), "Desk");
  await root.locator("#networks").fill("127.0.0.0/8, ::1/128");
  await press(root, "Register");
  await heading(root, "Secrets of Desk");
  const first = await root.locator(".secret").allInnerTexts();
  assert.equal(await call(first), 200);
  await follow(root, "I have them");
  await heading(root, "Applications");
  for (const secret of first.slice(1)) assert.ok(!(await root.content()).includes(secret));
  await press(root, "Give the application Desk new secrets");
  await heading(root, "Secrets of Desk");
  const second = await root.locator(".secret").allInnerTexts();
  assert.deepEqual([await call(first), await call(second)], [401, 200]);
  // Coming back to the page's address makes no others.
  await root.goto(root.url());
  await heading(root, "Applications");
  assert.equal(await call(second), 200);
  await register("Elsewhere", "192.0.2.0/24");
  await heading(root, "Secrets of Elsewhere");
  assert.equal(await call(await root.locator(".secret").allInnerTexts()), 401);
  await root.goto("/admin/applications");
  await press(root, "Revoke the application Desk");
  await says(root, "The application is revoked");
  assert.equal(await call(second), 401);
});

test("a mail that cannot be sent is looked at, and sent", async () => {
  server.post.answer = "451 later";
  await openUser("bob");
  await press(root, "Mail a link to set a new password");
  await says(root, "A link to set a new password is on its way.");
  const mail = row(root, "bob@example.org").first();
  await root.goto("/admin/mail");
  // Its first try takes a moment.
  for (let tries = 0; !(await mail.getByText("451").count()); tries += 1) {
    assert.ok(tries < 100, "the mail was not tried");
    await root.reload();
  }
  await mail.getByText("waiting", { exact: true }).waitFor();
  await mail.getByRole("link").click();
  await says(root, "As it reads");
  assert.match(await root.locator("pre.letter").innerText(), /\/reset\?/);
  const tab = root.context().waitForEvent("page");
  await follow(root, "The same with its layout, in a tab of its own");
  const letter = await tab;
  await letter.waitForURL(/\/html$/);
  await letter.getByText("asked to reset the password").waitFor();
  await letter.close();
  await follow(root, "Back to the outbox");
  server.post.answer = "250 known";
  await mail.getByRole("button", { name: /^Send now: / }).click();
  await says(root, "The mail is due now.");
  assert.ok(await server.link("bob@example.org", "/reset"));
  for (let tries = 0; !(await mail.getByText("sent", { exact: true }).count()); tries += 1) {
    assert.ok(tries < 100, "the mail was not sent");
    await root.reload();
  }
  assert.equal(await mail.getByRole("button").count(), 0);
});

test("the audit log is filtered, and taken along as a file", async () => {
  await root.goto("/admin/audit?event=user_disabled");
  await root.getByLabel(/^User/).fill("bella");
  await press(root, "Show");
  await root.waitForURL(/user=bella/);
  assert.equal(await root.locator(".rows li").count(), 1);
  const download = root.waitForEvent("download");
  await root.getByRole("link", { name: /^As a CSV file/ }).click();
  const file = await download;
  assert.equal(file.suggestedFilename(), "audit.csv");
  const lines = readFileSync(await file.path(), "utf8").trim().split(/\r?\n/);
  assert.equal(lines.length, 2);
  assert.ok(lines[1].includes("user_disabled"), lines[1]);
  await root.getByLabel(/^Since/).fill("yesterday");
  await press(root, "Show");
  await says(root, "A time is of the form");
  assert.equal(await root.getByLabel(/^Since/).inputValue(), "yesterday");
  await root.goto("/admin/audit");
  assert.ok((await root.locator(".rows li").count()) > 20);
  await root.locator(".rows a", { hasText: "to this account" }).first().click();
  await root.waitForURL(/\/admin\/users\//);
});

test("the overview counts, and the settings are those in force", async () => {
  await root.goto("/admin");
  await root.locator("summary").first().click();
  const cells = await root.locator("details").first().locator("td").allInnerTexts();
  const sum = (column) => cells.filter((_, place) => place % 2 === column).reduce((all, cell) => all + Number(cell), 0);
  assert.ok(sum(0) > 2 && sum(1) > 0, `${sum(0)} ${sum(1)}`);
  await says(root, `Sign-ins: ${sum(0)}`);
  await says(root, `Refusals: ${sum(1)}`);
  await follow(root, "Settings");
  await root.locator("tr", { hasText: "public_url" }).filter({ hasText: server.url }).waitFor();
});

test("members find no console", async () => {
  const page = await member("boris");
  assert.equal(await page.getByRole("link", { name: "Administration" }).count(), 0);
  await page.goto("/admin/users");
  await heading(page, "There is no such page");
});

test("who has a second factor gives it before anything else, and who must have one is told", async () => {
  const page = await visit(browser, server.url);
  server.user("ria", "Ria", "Roth", "--admin");
  await signIn(page, "ria", PASSWORD);
  await press(page, "Set up an app");
  const seed = await page.locator("input[name=seed]").inputValue();
  await fill(page, "Code of the app", totp(seed));
  await press(page, "Finish");
  await says(page, "The authenticator app is set up.");
  await press(page, "Sign out");
  await signIn(page, "ria", PASSWORD);
  await heading(page, "One more step");
  await page.goto("/admin/users");
  await heading(page, "One more step");
  await fill(page, "Code of the app", totp(seed, 1));
  await press(page, "Go on");
  await heading(page, "Users");

  await server.restart({ DOORWARD_ADMINISTRATORS__SECOND_FACTOR: "true" });
  await root.goto("/admin");
  await heading(root, "Set up a second factor first");
  await follow(root, "Back to your account");
  await heading(root, "Your account");
  await page.reload();
  await heading(page, "Users");
  await server.restart({ DOORWARD_ADMINISTRATORS__SECOND_FACTOR: "false" });
});

test("what is dangerous asks for a recent sign-in, and nothing that was typed is lost by it", async () => {
  await openUser("bert");
  // Every sign-in there was is older by now than the server's start.
  await server.restart({ DOORWARD_SESSIONS__RECENT: "1ms" });
  const confirm = async () => {
    await heading(root, "Confirm that it is you");
    await says(root, "This change asks for a fresh sign-in.");
    assert.equal(await root.getByLabel("E-mail address or username").inputValue(), "root@example.org");
    await fill(root, "Password", PASSWORD);
    await press(root, "Sign in");
  };
  await press(root, "Disable");
  await confirm();
  await heading(root, "bert@example.org");
  assert.equal(await root.getByText("Disabled", { exact: true }).count(), 0);
  await root.goto("/admin/invitations");
  await fill(root, "E-mail address", "otto@example.org");
  await root.locator("#role").selectOption("admin");
  await press(root, "Mail the invitation");
  await confirm();
  await heading(root, "Invitations");
  assert.equal(await root.getByLabel("E-mail address").inputValue(), "otto@example.org");
  assert.equal(await root.locator("#role").inputValue(), "admin");
  await root.goto("/admin/applications");
  await fill(root, "Name of the application", "Bücher & mehr");
  await root.locator("#networks").fill("192.0.2.0/24");
  await press(root, "Register");
  await confirm();
  await heading(root, "Applications");
  assert.equal(await root.getByLabel("Name of the application").inputValue(), "Bücher & mehr");
  assert.equal(await root.locator("#networks").inputValue(), "192.0.2.0/24");
  // What only closes a door does not wait.
  await openUser("root");
  await press(root, "End all sessions");
  await heading(root, "Sign in to Example");

  await server.restart({ DOORWARD_SESSIONS__RECENT: "15m" });
  await signIn(root, "root", PASSWORD);
  await openUser("bert");
  await press(root, "Disable");
  await says(root, "The account is disabled");
});
