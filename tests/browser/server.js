// A started `doorward serve` with data of its own, its command line, and its mails.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Post } from "./post.js";

export const PASSWORD = "correct horse battery 9!";
export const OTHER_PASSWORD = "another staple of mine 7?";

const BINARY = process.env["CLIENT_TESTS_BINARY"] ?? join(dirname(fileURLToPath(import.meta.url)), "../../target/debug/doorward");
const DEADLINE_MS = 60_000;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A mail with a name beyond ASCII is quoted-printable (RFC 2045, 6.7). */
const decoded = (mail) => {
  if (!mail.includes("quoted-printable")) return mail;
  return mail.replace(/=\n/g, "").replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
};

/** A port that is free at the moment. */
export const freePort = async () => {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
};

export class Server {
  /** With `posts`, mails go through a mail server, `server.post`; without, into files. */
  static async start(settings = {}, posts = false) {
    const server = new Server();
    const port = await freePort();
    server.folder = mkdtempSync(join(tmpdir(), "doorward-browser-"));
    server.url = `http://localhost:${port}`;
    server.env = {
      PATH: process.env["PATH"],
      // Where it is started: pictures of the settings show no path of a machine.
      DOORWARD_DATA_DIR: ".",
      DOORWARD_LISTEN: `127.0.0.1:${port}`,
      DOORWARD_PUBLIC_URL: server.url,
      DOORWARD_SERVICE_NAME: "Example",
      DOORWARD_SHUTDOWN_DRAIN: "0s",
      DOORWARD_PASSWORDS__MEMORY_KIB: "64",
      ...settings,
    };
    if (posts) {
      server.post = await Post.open(join(server.folder, "mail"));
      server.env.DOORWARD_SMTP_URL = server.post.url;
    }
    await server.run();
    return server;
  }

  async run() {
    const said = openSync(join(this.folder, "said"), "a");
    this.process = spawn(BINARY, ["serve"], { env: this.env, cwd: this.folder, stdio: ["ignore", said, "ignore"] });
    const end = Date.now() + DEADLINE_MS;
    while (!(await fetch(`${this.url}/health/ready`).then((answer) => answer.ok, () => false))) {
      if (this.process.exitCode !== null || Date.now() > end) throw new Error("the server did not start");
      await pause(20);
    }
  }

  async end() {
    if (this.process.exitCode !== null) return;
    this.process.kill();
    await once(this.process, "exit");
  }

  /** Goes on with other settings, at the same address. */
  async restart(settings) {
    await this.end();
    Object.assign(this.env, settings);
    await this.run();
  }

  /** The link that a server without users shows. */
  async setupLink() {
    const end = Date.now() + DEADLINE_MS;
    while (Date.now() < end) {
      const found = readFileSync(join(this.folder, "said"), "utf8").match(/http\S+\/setup\?token=[\w-]+/);
      if (found) return found[0];
      await pause(20);
    }
    throw new Error("the server shows no link");
  }

  cli(words, input = "") {
    return execFileSync(BINARY, words, { env: this.env, cwd: this.folder, input, stdio: ["pipe", "pipe", "inherit"] }).toString();
  }

  user(name, first = "Ann", last = "Lee", ...more) {
    const names = ["--first-name", first, "--last-name", last, ...more];
    this.cli(["user", "create", "--email", `${name}@example.org`, "--username", name, ...names, "--password-stdin"], PASSWORD);
  }

  invite(email) {
    this.cli(["invitation", "create", email]);
  }

  /** The last mail to an address that has what is looked for, once it is there. */
  async mailed(to, pattern, after = 0) {
    const end = Date.now() + DEADLINE_MS;
    while (Date.now() < end) {
      const folder = join(this.folder, "mail");
      const files = readdirSync(folder).filter((name) => name.endsWith(".eml")).map((name) => join(folder, name));
      const time = (file) => statSync(file).mtimeMs;
      for (const file of files.filter((file) => time(file) > after).sort((a, b) => time(b) - time(a))) {
        const text = decoded(readFileSync(file, "utf8").replaceAll("\r\n", "\n"));
        const found = text.includes(`To: ${to}`) && text.match(pattern);
        if (found) return found[1];
      }
      await pause(50);
    }
    throw new Error(`no mail to ${to} has ${pattern}`);
  }

  async link(to, path, after = 0) {
    return this.mailed(to, new RegExp(`^(${this.url}${path}\\?\\S+)$`, "m"), after);
  }

  async code(to) {
    return this.mailed(to, /^([A-Z0-9]{6})$/m);
  }

  async stop() {
    await this.end();
    this.post?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
