// What holds for every page: no violation that axe-core knows of, in light and in dark; nothing wider than a phone, in either direction of
// writing; no complaint of the browser's; no call to anywhere else.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { AxeBuilder } from "@axe-core/playwright";
import { launch, visit } from "./browser.js";
import { PASSWORD, Server } from "./server.js";
import { tour } from "./tour.js";

const PHONE = { width: 390, height: 844 };
const DESKTOP = { width: 1280, height: 900 };

let server, browser;
before(async () => {
  server = await Server.start({}, true);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const violations = async (page, dark) => {
  // No page has frames: one run within it does. What is dark differs in its colours alone.
  const builder = new AxeBuilder({ page }).setLegacyMode();
  const { violations } = await (dark ? builder.withRules(["color-contrast"]) : builder).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`);
};

const overflow = (page) =>
  page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth > clientWidth ? `${scrollWidth} > ${clientWidth}` : "";
  });

test("every page is accessible, fits a phone, and keeps to itself", async (t) => {
  const page = await visit(browser, server.url);
  const seen = [];
  await tour(server, page, async (name) => {
    seen.push(name);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await violations(page, colorScheme === "dark"), [], `${name} in ${colorScheme}`);
    }
    for (const [width, size] of [["on a phone", PHONE], ["on a desktop", DESKTOP]]) {
      await page.setViewportSize(size);
      assert.equal(await overflow(page), "", `${name} ${width}`);
      await page.evaluate(() => (document.documentElement.dir = "rtl"));
      assert.equal(await overflow(page), "", `${name} ${width}, from right to left`);
      await page.evaluate(() => (document.documentElement.dir = "ltr"));
    }
  });
  assert.deepEqual(page.noted, []);
  assert.deepEqual([...new Set(page.called.map((url) => new URL(url).origin))], [server.url]);
  assert.equal(new Set(seen).size, seen.length);
  t.diagnostic(`${seen.length} pages`);
});

test("the style sheet knows no left and no right", () => {
  const style = readFileSync(new URL("../../templates/pages/doorward.css", import.meta.url), "utf8");
  const physical = /(?<![\w-])(?:(?:margin|padding|border|scroll-margin|scroll-padding)-)?(?:left|right)\s*:|(?:text-align|float|clear)\s*:\s*(?:left|right)/g;
  assert.deepEqual(style.match(physical) ?? [], []);
  // Four different sides in one shorthand are left and right, too.
  const sides = [...style.matchAll(/(?:margin|padding|inset|border-width)\s*:\s*([^;}]+)/g)].map(([, value]) => value.trim().split(/\s+/));
  assert.deepEqual(sides.filter((values) => values.length === 4 && values[1] !== values[3]), []);
});

test("the sign-in page comes in under 30 KB, all told", async (t) => {
  const page = await visit(browser, server.url);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Network.enable");
  let bytes = 0;
  cdp.on("Network.loadingFinished", ({ encodedDataLength }) => (bytes += encodedDataLength));
  await page.goto("/sign-in", { waitUntil: "networkidle" });
  t.diagnostic(`${bytes} bytes with their heads`);
  assert.ok(bytes > 10_000 && bytes < 30_000, `${bytes}`);
});

test("the keyboard alone signs in, and its place is always seen", async () => {
  const page = await visit(browser, server.url);
  server.user("kay");
  await page.goto("/sign-in");
  // The browser sets the place when it first draws the page.
  await page.locator("#identifier:focus").waitFor();
  await page.keyboard.type("kay");
  for (let step = 0; step < 12; step += 1) {
    const ring = await page.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      return document.activeElement === document.body || (outlineStyle !== "none" && parseFloat(outlineWidth) >= 2);
    });
    assert.ok(ring, `step ${step}`);
    await page.keyboard.press("Tab");
  }
  await page.goto("/sign-in");
  // The browser sets the place when it first draws the page.
  await page.locator("#identifier:focus").waitFor();
  await page.keyboard.type("kay");
  await page.keyboard.press("Tab");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Your account" }).waitFor();
});
