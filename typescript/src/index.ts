import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./api.js";

export type { components, paths } from "./api.js";

/** A problem (RFC 9457): what every answer is that is no success. Programs go by its `type`. */
export type Problem = components["schemas"]["Problem"];

/** A client: `GET`, `POST` and the like, whose paths, bodies and answers have the types of the OpenAPI document. */
export type Doorward = Client<paths>;

/** Where the server is, and as whom to call it. */
export interface Options {
  /** The public URL of the server, without a path. */
  baseUrl: string;
  /** The token of a session, asked for at each call, so that a new one (after a second factor, say) counts at once. */
  token?: () => string | undefined;
  /** Milliseconds after which a call is given up, with a `TimeoutError`; 10 seconds by default. */
  deadline?: number;
}

/** Makes a client. It keeps nothing: no cookie, no token. */
export function doorward({ baseUrl, token, deadline = 10_000 }: Options): Doorward {
  const client = createClient<paths>({
    baseUrl,
    fetch: (request) => fetch(request, { signal: either(request.signal, AbortSignal.timeout(deadline)) }),
  });
  client.use({
    onRequest({ request }) {
      const known = token?.();
      if (known !== undefined && !request.headers.has("authorization")) request.headers.set("authorization", `Bearer ${known}`);
      return request;
    },
  });
  return client;
}

/** What of a caller's request says who they are: the headers to ask Doorward with on their behalf. */
export function credentials(headers: { authorization?: string | undefined; cookie?: string | undefined }): Record<string, string> {
  const { authorization, cookie } = headers;
  return { ...(authorization !== undefined && { authorization }), ...(cookie !== undefined && { cookie }) };
}

/** A signal that is given when one of two is. `AbortSignal.any` is not in Node.js 18. */
function either(one: AbortSignal, other: AbortSignal): AbortSignal {
  const both = new AbortController();
  for (const signal of [one, other]) {
    if (signal.aborted) both.abort(signal.reason);
    signal.addEventListener("abort", () => both.abort(signal.reason), { once: true });
  }
  return both.signal;
}
