// The mailbox of development, for pictures. Its tests are in dev_mail.test.js: a mail's frame is none that axe-core can look into.

import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { heading } from "./browser.js";

/** Goes on without a mail server. */
export const mailbox = async (server, page, show) => {
  await server.restart({ DOORWARD_SMTP_URL: undefined });
  for (const identifier of ["root", "zoe", "eve"]) {
    const body = JSON.stringify({ identifier });
    await fetch(`${server.url}/auth/v1/recovery`, { method: "POST", headers: { "Content-Type": "application/json" }, body });
  }
  server.invite("max@example.org");
  await page.goto("/dev/mail");
  await heading(page, "Mailbox for development");
  await page.locator("main li:nth-child(4)").waitFor();
  await show("mailbox");
  await page.locator("main a[href^='/dev/mail/']").first().click();
  await page.frameLocator("iframe").locator("a").first().waitFor();
  await show("mailbox-mail");
  const folder = join(server.folder, "mail");
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
  await page.goto("/dev/mail");
  await show("mailbox-empty");
};
