// A service with a route for people who are signed in. DOORWARD_URL=http://127.0.0.1:8080 PORT=3000 node dist/examples/notes.js
import { createServer } from "node:http";
import { credentials, doorward } from "../src/index.js";

const login = doorward({ baseUrl: process.env["DOORWARD_URL"] ?? "http://127.0.0.1:8080", deadline: 2000 });

const server = createServer(async (request, response) => {
  try {
    const { data, response: said } = await login.GET("/auth/v1/session", { headers: credentials(request.headers) });
    if (data) {
      response.writeHead(200, { "content-type": "text/plain", "cache-control": "no-store" }).end(`Notes of ${data.user.username}\n`);
    } else {
      response.writeHead(said.status === 401 ? 401 : 503, { "www-authenticate": "Bearer" }).end();
    }
  } catch {
    response.writeHead(503, { "retry-after": "1" }).end(); // the login server is away: nobody gets in
  }
});
server.listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1", () => console.log(`listening on ${JSON.stringify(server.address())}`));
