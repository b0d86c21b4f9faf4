// The console of administrators and the form of the first start, for the tour.

import { ageForms, fill, heading, press, signIn } from "./browser.js";
import { PASSWORD } from "./server.js";

const open = async (page, show, places) => {
  for (const [name, place] of Object.entries(places)) {
    await page.goto(place);
    await show(name);
  }
};

/** On a server that nobody has used yet: the first administrator, and a console that is empty. */
export const firstStart = async (server, page, show) => {
  await page.goto(await server.setupLink());
  await show("setup");
  await page.evaluate(() => document.querySelector("main form").setAttribute("novalidate", ""));
  await fill(page, "Username", "the boss");
  await fill(page, "E-mail address", "nowhere");
  await fill(page, "Password", PASSWORD);
  await press(page, "Create the account");
  await show("setup-wrong");
  await fill(page, "Username", "root");
  await fill(page, "E-mail address", "root@example.org");
  await fill(page, "Password", "password123");
  await press(page, "Create the account");
  await show("setup-weak");
  await ageForms(page);
  await fill(page, "Password", PASSWORD);
  await press(page, "Create the account");
  await show("setup-stale");
  await fill(page, "Password", PASSWORD);
  await press(page, "Create the account");
  await page.getByText("Your account is ready.").waitFor();
  await signIn(page, "root", PASSWORD);
  await heading(page, "Your account");
  await open(page, show, {
    "console-overview-new": "/admin",
    "console-users-none": "/admin/users?search=zzz",
    "console-invitations-none": "/admin/invitations",
    "console-applications-none": "/admin/applications",
    "console-outbox-none": "/admin/mail",
    "console-audit-none": "/admin/audit?event=user_deleted",
  });
  await press(page, "Sign out");
  await page.getByText("You are signed out.").waitFor();
};

// A mail's row, once it has the badge.
const mailed = async (server, words) => {
  const end = Date.now() + 60_000;
  while (!server.cli(["mail", "list"]).includes(words)) if (Date.now() > end) throw new Error(`no mail is ${words}`);
};

/** After all that the tour has done before. Nobody is signed in. */
export const console = async (server, page, show) => {
  await signIn(page, "root", PASSWORD);
  await heading(page, "Your account");
  await open(page, show, { "console-overview": "/admin", "console-users": "/admin/users" });
  await page.goto("/admin");
  await page.locator("summary").first().click();
  await show("console-overview-figures");
  await users(page, show);
  await invitations(page, show);
  await applications(page, show);
  await mails(server, page, show);
  await open(page, show, {
    "console-audit": "/admin/audit",
    "console-audit-wrong": "/admin/audit?user=nobody&since=yesterday",
    "console-settings": "/admin/settings",
    "console-not-found": "/admin/users/nobody",
  });
  await server.restart({ DOORWARD_ADMINISTRATORS__SECOND_FACTOR: "true" });
  await open(page, show, { "console-factor": "/admin" });
};

const users = async (page, show) => {
  await page.goto("/admin/users?search=zoe");
  await page.getByRole("link", { name: "zoe@example.org" }).click();
  await show("console-user");
  await ageForms(page);
  await press(page, "Disable");
  await show("console-stale");
  await page.goto("/admin/users?search=ann");
  await page.getByRole("link", { name: "ann@example.org" }).click();
  await press(page, "Disable");
  await page.getByText("The account is disabled").waitFor();
  await show("console-user-disabled");
  await page.goto("/admin/users?search=root");
  await page.getByRole("link", { name: "root@example.org" }).click();
  await press(page, "Disable");
  await show("console-user-own");
};

const invitations = async (page, show) => {
  await page.goto("/admin/invitations");
  await fill(page, "E-mail address", "a-rather-long-name-of-somebody@mail.department.example.org");
  await page.locator("#role").selectOption("admin");
  await press(page, "Mail the invitation");
  await page.getByText("The invitation is on its way.").waitFor();
  await press(page, "Take back the invitation for eve@example.org");
  await show("console-invitations");
  await page.evaluate(() => document.querySelector("main form").setAttribute("novalidate", ""));
  await fill(page, "E-mail address", "nobody");
  await press(page, "Mail the invitation");
  await show("console-invitations-wrong");
};

const applications = async (page, show) => {
  await page.goto("/admin/applications");
  for (const [name, networks] of [["Counter at the entrance", ""], ["Nightly reports", "192.0.2.0/24, 2001:db8:12::/48, 198.51.100.17/32"]]) {
    await page.goto("/admin/applications");
    await fill(page, "Name of the application", name);
    await page.locator("#networks").fill(networks);
    await press(page, "Register");
    await page.getByRole("heading", { name: `Secrets of ${name}` }).waitFor();
  }
  await show("console-application-secrets");
  await page.goto("/admin/applications");
  await press(page, "Revoke the application Counter at the entrance");
  await show("console-applications");
  await fill(page, "Name of the application", "Desk");
  await page.locator("#networks").fill("not a network");
  await press(page, "Register");
  await show("console-applications-wrong");
  await page.goto("/admin/applications");
  await page.getByRole("link", { name: "Change the networks of the application Nightly reports" }).click();
  await show("console-networks");
  await page.locator("#networks").fill("not a network");
  await press(page, "Save the networks");
  await show("console-networks-wrong");
};

const mails = async (server, page, show) => {
  for (const [answer, badge] of [["550 no such mailbox", "550"], ["451 try again later", "451"]]) {
    server.post.answer = answer;
    await page.goto("/admin/users?search=zoe");
    await page.getByRole("link", { name: "zoe@example.org" }).click();
    await press(page, "Mail a link to set a new password");
    await page.getByText("is on its way").waitFor();
    await mailed(server, badge);
  }
  await page.goto("/admin/mail");
  await show("console-outbox");
  await page.locator(".rows strong a").first().click();
  await show("console-outbox-letter");
};
