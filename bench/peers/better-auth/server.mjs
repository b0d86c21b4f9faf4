// better-auth as its guide has it: e-mail addresses and passwords on SQLite, in production mode, a process for each processor.
// Arguments: the port, the database, the processes.
import cluster from "node:cluster";
import { createServer } from "node:http";
import { hash, verify } from "@node-rs/argon2";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import Database from "better-sqlite3";

const [port, path, processes] = process.argv.slice(2);
const database = new Database(path);
database.pragma("journal_mode = WAL");
const cost = { memoryCost: 19456, timeCost: 2, parallelism: 1 };
const auth = betterAuth({
  database,
  baseURL: `http://127.0.0.1:${port}`,
  secret: "f3c1b0d2a4958677f3c1b0d2a4958677",
  // All calls come from one address here.
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  emailAndPassword: {
    enabled: true,
    password: { hash: (password) => hash(password, cost), verify: ({ hash: stored, password }) => verify(stored, password) },
  },
});

if (cluster.isPrimary) {
  await (await getMigrations(auth.options)).runMigrations();
  for (let number = 0; number < Number(processes); number += 1) cluster.fork();
} else {
  createServer(toNodeHandler(auth)).listen(Number(port), "127.0.0.1");
}
