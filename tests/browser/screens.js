// Writes every page as a picture, in light, in dark and on a phone, into the folder that is given.

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { launch, visit } from "./browser.js";
import { Server } from "./server.js";
import { tour } from "./tour.js";
import { mailbox } from "./tour-mailbox.js";

const folder = process.argv[2];
const LOOKS = [
  ["light", { width: 1100, height: 760 }, "light"],
  ["dark", { width: 1100, height: 760 }, "dark"],
  ["phone", { width: 390, height: 760 }, "light"],
];

/** Lists look the same further down. */
const TALLEST = 1100;

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const server = await Server.start({}, true);
const browser = await launch();
try {
  const page = await visit(browser, server.url);
  const show = async (name) => {
    for (const [look, size, colorScheme] of LOOKS) {
      await page.setViewportSize(size);
      await page.emulateMedia({ colorScheme });
      const height = Math.min(await page.evaluate(() => document.documentElement.scrollHeight), TALLEST);
      if (page.frames().length > 1) {
        // What is out of sight in a frame is not drawn, and says not when it is.
        await page.setViewportSize({ width: size.width, height: TALLEST });
        await page.waitForTimeout(500);
      }
      const clip = { x: 0, y: 0, width: size.width, height };
      await page.screenshot({ path: join(folder, `${name}-${look}.png`), fullPage: true, clip, animations: "disabled" });
    }
  };
  await tour(server, page, show);
  await mailbox(server, page, show);
} finally {
  await browser.close();
  await server.stop();
}
