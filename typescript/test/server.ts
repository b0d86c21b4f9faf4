import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** The program under test: what `cargo build` made, unless the environment names another. */
const BINARY = process.env["CLIENT_TESTS_BINARY"] ?? join(import.meta.dirname, "../../../target/debug/doorward");

/** A port of the loopback address that nobody has just now. */
async function freePort(): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  listener.close();
  await once(listener, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** A started `doorward serve` with data of its own. */
export class Server {
  private constructor(
    readonly url: string,
    private readonly folder: string,
    private readonly env: NodeJS.ProcessEnv,
    private readonly process: ChildProcess,
  ) {}

  static async start(): Promise<Server> {
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), "doorward-test-"));
    const env = {
      PATH: process.env["PATH"],
      DOORWARD_LISTEN: `127.0.0.1:${port}`,
      DOORWARD_DATA_DIR: folder,
      DOORWARD_SHUTDOWN_DRAIN: "0s",
      DOORWARD_PASSWORDS__MEMORY_KIB: "64",
    };
    const child = spawn(BINARY, ["serve"], { env, cwd: folder, stdio: "ignore" });
    const url = `http://127.0.0.1:${port}`;
    while (!(await fetch(`${url}/health/ready`).then((answer) => answer.ok, () => false))) {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return new Server(url, folder, env, child);
  }

  /** Creates a user with the command line. */
  user(username: string, password: string): void {
    const words = ["user", "create", "--email", `${username}@example.org`, "--username", username, "--first-name", "Ann", "--password-stdin"];
    execFileSync(BINARY, words, { env: this.env, cwd: this.folder, input: password, stdio: ["pipe", "ignore", "inherit"] });
  }

  async stop(): Promise<void> {
    await ended(this.process);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A started program of ours, on a port of its own; its URL, and how to end it. */
export async function example(name: string, env: NodeJS.ProcessEnv): Promise<{ url: string; stop: () => Promise<void> }> {
  const program = join(import.meta.dirname, "../examples", name);
  const child = spawn(process.execPath, [program], { env: { ...process.env, ...env, PORT: "0" }, stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const { port } = JSON.parse(line.slice(line.indexOf("{"))) as { port: number };
  return { url: `http://127.0.0.1:${port}`, stop: () => ended(child) };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "exit");
}
