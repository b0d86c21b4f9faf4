// A mail server (RFC 5321) that takes mails into a folder, or answers their recipients with what it is told.

import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

const GREETED = { EHLO: "250 here", HELO: "250 here", MAIL: "250 go on", DATA: "354 go on", RSET: "250 forgotten", NOOP: "250 here" };

export class Post {
  /** The answer to every recipient. */
  answer = "250 known";
  taken = 0;

  static async open(folder) {
    const post = new Post();
    mkdirSync(folder, { recursive: true });
    post.server = createServer((socket) => post.serve(socket, folder));
    await once(post.server.listen(0, "127.0.0.1"), "listening");
    post.url = `smtp://127.0.0.1:${post.server.address().port}`;
    return post;
  }

  serve(socket, folder) {
    let waiting = "";
    let data = false;
    const say = (line) => socket.write(`${line}\r\n`);
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      waiting += bytes.toString("latin1");
      for (;;) {
        const end = waiting.indexOf(data ? "\r\n.\r\n" : "\r\n");
        if (end < 0) return;
        const text = waiting.slice(0, end);
        waiting = waiting.slice(end + (data ? 5 : 2));
        if (data) {
          this.taken += 1;
          writeFileSync(join(folder, `${this.taken}.eml`), text.replaceAll("\r\n..", "\r\n.") + "\r\n", "latin1");
          data = false;
          say("250 taken");
          continue;
        }
        const verb = text.slice(0, 4).toUpperCase();
        if (verb === "QUIT") return socket.end("221 bye\r\n");
        data = verb === "DATA";
        say(verb === "RCPT" ? this.answer : (GREETED[verb] ?? "502 unknown"));
      }
    });
    say("220 here");
  }

  close() {
    this.server.close();
  }
}
