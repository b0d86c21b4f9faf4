// The mailbox of development in a real browser: accessible, up to date by itself, and its links lead on.

import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import axe from "axe-core";
import { launch, signIn, visit } from "./browser.js";
import { OTHER_PASSWORD, Server } from "./server.js";

let server, browser;
before(async () => {
  server = await Server.start();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const heading = (page, name) => page.getByRole("heading", { name, exact: true, level: 1 }).waitFor();

// Without the frame of a mail, in which nothing can run, axe-core neither.
const violations = async (page) => {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run(document, { iframes: false }));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`);
};

const accessible = async (page, name) => {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await violations(page), [], `${name} in ${colorScheme}`);
  }
  const size = page.viewportSize();
  await page.setViewportSize({ width: 390, height: 844 });
  for (const dir of ["rtl", "ltr"]) {
    await page.evaluate((dir) => (document.documentElement.dir = dir), dir);
    const { scrollWidth, clientWidth } = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return { scrollWidth, clientWidth };
    });
    assert.ok(scrollWidth <= clientWidth, `${name} ${dir} on a phone: ${scrollWidth} > ${clientWidth}`);
  }
  await page.setViewportSize(size);
};

/** Asks for a link for a new password, as anybody can. */
const forgotten = async (name) => {
  const body = JSON.stringify({ identifier: name });
  const answer = await fetch(`${server.url}/auth/v1/recovery`, { method: "POST", headers: { "Content-Type": "application/json" }, body });
  assert.ok(answer.ok, `${answer.status}`);
};

test("empty, then with a mail that arrives by itself, and nothing moves", async () => {
  const page = await visit(browser, server.url);
  await page.goto("/dev/mail");
  await heading(page, "Mailbox for development");
  await page.getByText("No mail has been sent yet.").waitFor();
  await accessible(page, "the empty list");
  server.invite("one@example.org");
  await page.getByRole("link", { name: "Invitation to Example" }).waitFor();
  assert.equal(await page.getByText("No mail has been sent yet.").isVisible(), false);
  await accessible(page, "the list");

  // Whoever reads on is left where they are.
  const kept = await page.locator("li a").elementHandle();
  await kept.focus();
  await page.evaluate(() => (window.sameDocument = true));
  server.invite("two@example.org");
  await page.locator("li", { hasText: "two@example.org" }).waitFor();
  await page.getByText("A new mail: Invitation to Example").waitFor();
  assert.match(await page.locator("li").first().textContent(), /two@example\.org/);
  assert.equal(await page.evaluate((kept) => document.activeElement === kept && window.sameDocument, kept), true);

  const folder = join(server.folder, "mail");
  writeFileSync(join(folder, "20200101T000000Z-old.eml"), "Subject: An old one\r\n\r\nHello\r\n");
  await page.getByRole("link", { name: "An old one" }).waitFor();
  assert.match(await page.locator("li").last().textContent(), /An old one/);
  rmSync(join(folder, "20200101T000000Z-old.eml"));
  await page.getByRole("link", { name: "An old one" }).waitFor({ state: "detached" });
  assert.deepEqual(page.noted, []);
  assert.deepEqual([...new Set(page.called.map((url) => new URL(url).origin))], [server.url]);
  await page.context().close();
});

test("the link of a mail leads to a new password, from its text and from its layout", async () => {
  server.user("ann");
  await forgotten("ann");
  const page = await visit(browser, server.url);
  await page.goto("/dev/mail");
  await page.locator("li", { hasText: "ann@example.org" }).getByRole("link").click();
  await heading(page, "Reset your password for Example");
  await accessible(page, "a mail");
  const frame = page.frameLocator("iframe");
  const context = page.context();
  const [fromLayout] = await Promise.all([context.waitForEvent("page"), frame.locator("a[href*='/reset?']").first().click()]);
  await heading(fromLayout, "Choose a new password");
  // A page as any other: it works, though the mail around its link could do nothing.
  assert.equal(await fromLayout.evaluate(() => self.origin), server.url);
  await fromLayout.close();
  const [reset] = await Promise.all([context.waitForEvent("page"), page.locator("pre a[href*='/reset?']").first().click()]);
  await reset.getByLabel("New password", { exact: true }).fill(OTHER_PASSWORD);
  await reset.getByRole("button", { name: "Set the password", exact: true }).click();
  await reset.getByText("Your new password is set").waitFor();
  await signIn(reset, "ann", OTHER_PASSWORD);
  await heading(reset, "Your account");
  await page.getByRole("link", { name: "Back to the mailbox" }).click();
  await heading(page, "Mailbox for development");
  assert.deepEqual(page.noted, []);
  await context.close();
});

test("nothing of a mail runs, loads or leads the page away", async () => {
  const hostile = `<html><head><title>x</title><meta http-equiv="refresh" content="0;url=${server.url}/sign-in">
    <script>parent.postMessage("ran", "*")</script></head><body>
    <img src="${server.url}/assets/doorward.svg?from-a-mail" onerror="parent.postMessage('ran', '*')">
    <form action="/sign-out" method="post"><button>Press</button></form><a href="javascript:parent.postMessage('ran','*')">Run</a>
    <a href="${server.url}/sign-in" target="_top">Away</a></body></html>`;
  const file = join(server.folder, "mail", "20990101T000000Z-hostile.eml");
  writeFileSync(file, `Subject: <b>Hostile</b>\r\nContent-Type: text/html\r\n\r\n${hostile}`);
  const page = await visit(browser, server.url);
  await page.addInitScript(() => {
    window.told = [];
    window.addEventListener("message", (event) => window.told.push(event.data));
  });
  // What the policy stops is a request too, that is never sent.
  const answered = [];
  page.on("response", (response) => answered.push(response.url()));
  await page.goto("/dev/mail");
  await page.getByRole("link", { name: "<b>Hostile</b>" }).click();
  await heading(page, "<b>Hostile</b>");
  const here = page.url();
  const frame = page.frameLocator("iframe");
  await frame.getByRole("button", { name: "Press" }).click();
  await frame.getByRole("link", { name: "Away" }).click();
  await frame.getByRole("link", { name: "Run" }).click();
  await frame.getByRole("button", { name: "Press" }).waitFor();
  assert.equal(page.url(), here);
  assert.deepEqual(await page.evaluate(() => window.told), []);
  assert.ok(answered.some((url) => url.endsWith("-hostile/html")), `${answered}`);
  assert.deepEqual(answered.filter((url) => url.includes("from-a-mail") || url.endsWith("/sign-in")), []);
  rmSync(file);
  await page.context().close();
});

test("without JavaScript it loads itself anew", async () => {
  const page = await visit(browser, server.url, { javaScriptEnabled: false });
  await page.goto("/dev/mail");
  await page.getByText("This page loads itself anew every five seconds.").waitFor();
  server.invite("three@example.org");
  await page.locator("li", { hasText: "three@example.org" }).getByRole("link").click();
  await heading(page, "Invitation to Example");
  const [opened] = await Promise.all([page.context().waitForEvent("page"), page.locator("pre a").first().click()]);
  await opened.waitForURL(/\/invitation\?id=/);
  await page.context().close();
});

test("a server that is away is told of, and forgotten when it is back", async () => {
  const page = await visit(browser, server.url);
  await page.goto("/dev/mail");
  await page.context().setOffline(true);
  await page.getByText("The server does not answer.").waitFor();
  await page.context().setOffline(false);
  await page.getByText("The server does not answer.").waitFor({ state: "hidden" });
  await page.context().close();
});
