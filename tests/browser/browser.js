// Debian's Chromium, a security key for it, and an authenticator app.

import { createHmac } from "node:crypto";
import { chromium } from "playwright-core";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const launch = () =>
  chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: ARGUMENTS });

/** A page in a context of its own, which notes what went wrong in it and where it has called. */
export const visit = async (browser, url, options = {}) => {
  const context = await browser.newContext({ baseURL: url, locale: "en-GB", ...options });
  const page = await context.newPage();
  page.noted = [];
  page.called = [];
  page.on("pageerror", (error) => page.noted.push(`${error}`));
  page.on("console", (message) => {
    // A refusal is an answer, and Chromium says so on the console.
    const refused = /the server responded with a status of 4\d\d/.test(message.text());
    if (message.type() === "error" && !refused) page.noted.push(message.text());
  });
  page.on("request", (request) => page.called.push(request.url()));
  return page;
};

/** Plugs in a security key that its owner touches at once; the way to hold back the touch, and to pull it out. */
export const plugIn = (page) =>
  authenticator(page, { transport: "usb", hasResidentKey: false, hasUserVerification: false });

/** A device that keeps passkeys and knows its owner at once. */
export const device = (page) =>
  authenticator(page, { transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true });

/** From here on the page's browser offers no passkeys among what it fills in. */
export const withoutOffers = (page) =>
  page.addInitScript(() => (PublicKeyCredential.isConditionalMediationAvailable = async () => false));

const authenticator = async (page, kind) => {
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable");
  const options = { protocol: "ctap2", automaticPresenceSimulation: true, ...kind };
  const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", { options });
  return {
    pullOut: () => session.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId }),
    touches: (enabled) => session.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled }),
    keys: async () => (await session.send("WebAuthn.getCredentials", { authenticatorId })).credentials,
  };
};

/** The next prompt of the browser is closed by its user. */
export const closePrompt = (page) =>
  page.evaluate(() => {
    const closed = () => Promise.reject(new DOMException("closed", "NotAllowedError"));
    const { get, create } = navigator.credentials;
    navigator.credentials.get = () => ((navigator.credentials.get = get), closed());
    navigator.credentials.create = () => ((navigator.credentials.create = create), closed());
  });

/** The code that an authenticator app shows (RFC 6238), so many steps from now. */
export const totp = (base32, ahead = 0) => {
  const bits = [...base32].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const digest = createHmac("sha1", key).update(counter).digest();
  const number = digest.readUInt32BE(digest[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
};

/** Signs in with a password, from wherever the page is. */
export const signIn = async (page, name, password) => {
  await page.goto("/sign-in");
  await page.getByLabel("E-mail address or username").fill(name);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
};

export const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
export const follow = (page, name) => page.getByRole("link", { name, exact: true }).click();
export const fill = (page, label, text) => page.getByLabel(label, { exact: true }).fill(text);
export const heading = (page, name) => page.getByRole("heading", { name, exact: true, level: 1 }).waitFor();
export const says = (page, text) => page.getByText(text).first().waitFor();

/** What a form is bound to is of another time. */
export const ageForms = (page) =>
  page.evaluate(() => document.querySelectorAll("main input[name=csrf]").forEach((input) => (input.value = "of another time")));
