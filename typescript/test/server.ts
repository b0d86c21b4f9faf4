import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Readable } from "node:stream";

const HERE = dirname(fileURLToPath(import.meta.url)); // `import.meta.dirname` is not in Node.js 18

/** The program under test: what `cargo build` made, unless the environment names another. */
const BINARY = process.env["CLIENT_TESTS_BINARY"] ?? join(HERE, "../../../target/debug/doorward");

/** A server that has not said within this time that it is ready is taken for stuck. */
const DEADLINE_MS = 60_000;

/** A started `doorward serve` with data of its own. */
export class Server {
  private constructor(
    readonly url: string,
    private readonly folder: string,
    private readonly env: NodeJS.ProcessEnv,
    private readonly process: ChildProcess,
  ) {}

  static async start(): Promise<Server> {
    const folder = mkdtempSync(join(tmpdir(), "doorward-test-"));
    const env = {
      PATH: process.env["PATH"],
      DOORWARD_DATA_DIR: folder,
      DOORWARD_SHUTDOWN_DRAIN: "0s",
      DOORWARD_PASSWORDS__MEMORY_KIB: "64",
    };
    const child = spawn(BINARY, ["serve", "--listen", "127.0.0.1:0", "--json"], { env, cwd: folder, stdio: ["ignore", "pipe", "ignore"] });
    try {
      const signal = AbortSignal.timeout(DEADLINE_MS);
      const { listen } = JSON.parse(await firstLine(child, signal)) as { listen: string };
      await ready(listen, child, signal);
      return new Server(listen, folder, env, child);
    } catch (error) {
      await ended(child, "SIGKILL");
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
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
  const program = join(HERE, "../examples", name);
  const child = spawn(process.execPath, [program], { env: { ...process.env, ...env, PORT: "0" }, stdio: ["ignore", "pipe", "inherit"] });
  const line = await firstLine(child, AbortSignal.timeout(DEADLINE_MS));
  const { port } = JSON.parse(line.slice(line.indexOf("{"))) as { port: number };
  return { url: `http://127.0.0.1:${port}`, stop: () => ended(child) };
}

/** The first line of a program's output, unless it ends or the signal comes before. */
async function firstLine(child: ChildProcess & { stdout: Readable }, signal: AbortSignal): Promise<string> {
  const lines = createInterface(child.stdout);
  const [line] = (await Promise.race([once(lines, "line", { signal }), once(lines, "close", { signal }), once(child, "exit", { signal })])) as unknown[];
  if (typeof line !== "string") throw new Error(`${child.spawnfile} ended without a word`);
  return line;
}

/** Waits until a server is ready, unless it ends or the signal comes before. */
async function ready(url: string, child: ChildProcess, signal: AbortSignal): Promise<void> {
  while (!(await fetch(`${url}/health/ready`, { signal }).then((answer) => answer.ok, () => false))) {
    signal.throwIfAborted();
    if (over(child)) throw new Error(`the server ended with ${child.exitCode ?? child.signalCode}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Whether a program has ended, by itself or by a signal. */
function over(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function ended(child: ChildProcess, how: NodeJS.Signals = "SIGTERM"): Promise<void> {
  if (over(child)) return;
  child.kill(how);
  await once(child, "exit");
}
