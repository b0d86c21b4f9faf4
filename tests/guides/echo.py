"""An app that keeps what reaches it: request lines and headers, as they came."""

import http.server
import json
import threading


class Echo(http.server.ThreadingHTTPServer):
    """Answers everything with 200; `seen` has what was asked, oldest first."""

    def __init__(self, port):
        self.seen = []
        super().__init__(("127.0.0.1", int(port)), Handler)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def last(self):
        """Method, target and headers of the last request; headers as pairs, names in lower case."""
        return self.seen[-1]

    def dispose(self):
        """Ends it."""
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    """Any method."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.server.seen.append((self.command, self.path, [(name.lower(), value) for name, value in self.headers.items()]))
        body = json.dumps(len(self.server.seen)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def log_message(self, *_):
        """Says nothing."""
