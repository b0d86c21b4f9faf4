// Every page in every state worth a look, one after another. `show(name)` is called where each is on the screen.

import { ageForms, closePrompt, fill, plugIn, press, signIn, totp } from "./browser.js";
import { console, firstStart } from "./tour-console.js";
import { OTHER_PASSWORD, PASSWORD } from "./server.js";

/** Walks with a page that nobody is signed in at. */
export const tour = async (server, page, show) => {
  await firstStart(server, page, show);
  server.user("ann");
  await strangers(server, page, show);
  await newcomer(server, page, show);
  await owner(server, page, show);
  await console(server, page, show);
};

const strangers = async (server, page, show) => {
  await page.goto("/sign-in");
  await show("sign-in");
  await signIn(page, "ann", "not my password");
  await show("sign-in-wrong");
  // Five tries under one name, of which one is spent.
  for (let tries = 0; tries < 5; tries += 1) await signIn(page, "ann", "not my password");
  await page.getByText("There were too many attempts.").waitFor();
  await show("sign-in-limited");
  await page.goto("/sign-in/code");
  await show("code-request");
  await fill(page, "E-mail address", "ann@example.org");
  await press(page, "Mail me a code");
  await show("code-entry");
  await fill(page, "Code", "AAA222");
  await press(page, "Sign in");
  await show("code-wrong");
  await page.goto("/forgotten");
  await show("forgotten");
  await fill(page, "E-mail address or username", "ann");
  await press(page, "Mail me a link");
  await show("check-your-mail");
  await page.goto(await server.link("ann@example.org", "/reset"));
  await show("reset");
  await fill(page, "New password", "password123");
  await press(page, "Set the password");
  await show("reset-weak");
  await page.goto("/reset?token=of-another-time");
  await show("reset-failed");
  await page.goto("/account/nothing-here");
  await show("not-found");
  await page.goto("/setup?token=of-another-time");
  await show("setup-closed");
  await page.goto("/invitation?id=of-another-time");
  await show("invitation-closed");
};

const newcomer = async (server, page, show) => {
  server.invite("zoe@example.org");
  await page.goto(await server.link("zoe@example.org", "/invitation"));
  await show("invitation");
  await fill(page, "First name", "Zoë");
  await fill(page, "Last name", "Ødegård");
  await fill(page, "Password", "password");
  await press(page, "Create the account");
  await show("invitation-weak");
  await fill(page, "Password", PASSWORD);
  await press(page, "Create the account");
  await show("sign-in-account-ready");
  await signIn(page, "zoe@example.org", PASSWORD);
  await show("account-new");
  server.invite("zoe@example.org");
  await page.goto(await server.link("zoe@example.org", "/invitation", Date.now() - 500));
  await show("invitation-accept");
  server.invite("eve@example.org");
  await page.goto(await server.link("eve@example.org", "/invitation"));
  await show("invitation-other");
};

const owner = async (server, page, show) => {
  await page.goto("/account/profile");
  await show("change-name");
  await page.goto("/account/history");
  await show("history");
  await page.goto("/account/password");
  await show("change-password");
  await fill(page, "Current password", OTHER_PASSWORD);
  await fill(page, "New password", "another staple");
  await press(page, "Change the password");
  await show("change-password-wrong");
  await page.goto("/account");
  await press(page, "Set up an app");
  await show("app");
  const seed = await page.locator("input[name=seed]").inputValue();
  await fill(page, "Code of the app", "000000");
  await press(page, "Finish");
  await show("app-wrong");
  await fill(page, "Code of the app", totp(seed));
  await press(page, "Finish");
  await page.getByText("The authenticator app is set up.").waitFor();
  await page.goto("/account/app/remove");
  await show("app-remove");
  await page.goto("/second-factor?again=yes&return_to=/account/keys");
  await show("second-factor-app");
  await fill(page, "Code of the app", totp(seed, 1));
  await press(page, "Go on");
  await page.getByRole("heading", { name: "Add a security key" }).waitFor();
  await show("key-add");
  await fill(page, "Name of the key", "Blue key at home");
  await closePrompt(page);
  await press(page, "Add the key");
  await page.getByText("No key was added").waitFor();
  await show("key-add-cancelled");
  await plugIn(page);
  await press(page, "Add the key");
  await page.getByText("The security key is added.").waitFor();
  await keyed(server, page, show);
};

const keyed = async (server, page, show) => {
  await fetch(`${server.url}/auth/v1/sign-in/password`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ identifier: "zoe", password: PASSWORD }),
  });
  await page.goto("/account");
  await show("account");
  await page.getByRole("link", { name: "Manage" }).click();
  await show("key");
  await page.goto("/sign-out");
  await show("sign-out");
  await press(page, "Sign out");
  await page.getByText("You are signed out.").waitFor();
  await show("sign-in-signed-out");
  await signIn(page, "zoe", PASSWORD);
  await show("second-factor");
  await closePrompt(page);
  await press(page, "Use your security key");
  await page.getByText("The security key was not used").waitFor();
  await show("second-factor-cancelled");
  await press(page, "Use your security key");
  await page.getByRole("heading", { name: "Your account" }).waitFor();
  await page.goto("/sign-in?again=yes&return_to=/account/password");
  await show("sign-in-again");
  await ageForms(page);
  await fill(page, "Password", PASSWORD);
  await press(page, "Sign in");
  await show("sign-in-stale");
  await page.goto("/account");
  await ageForms(page);
  await page.locator("main form button").first().click();
  await show("stale");
  await page.goto("/sign-out");
  await page.locator("main").getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByText("You are signed out.").waitFor();
};
