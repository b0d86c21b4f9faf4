"""Holds one started server against one of its documents: `contract.py NAME SEED EXAMPLES`. `run.py` does all of them."""

import collections
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "clients"), str(HERE.parent / "guides")]
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost,127.0.0.1"

import schemathesis  # noqa: E402
from schemathesis.cli import schemathesis as command_line  # noqa: E402

import callers  # noqa: E402
from good_calls import CALLS, UNREACHED  # noqa: E402
from harness import Server  # noqa: E402


def operation_id(operation):
    """The name of an operation in its document."""
    return operation.definition.raw["operationId"]


class Contract:
    """The calls of one document, and what was answered."""

    def __init__(self, document, server):
        self.document, self.server = document, server
        self.statuses = collections.defaultdict(collections.Counter)
        self.elsewhere = set()

    def hook(self):
        """Has every call made by somebody who may, adds the good calls, and counts the answers."""
        schemathesis.auth.set_from_requests(callers.caller(self.document, self.server))

        @schemathesis.hook
        def before_add_examples(context, examples):
            make = CALLS.get((self.document, operation_id(context.operation)))
            if make:
                examples.append(good_call(context.operation, make(self.server)))

        @schemathesis.hook
        def after_call(context, case, response):
            if case.method.lower() == case.operation.method.lower():
                self.statuses[operation_id(case.operation)][response.status_code] += 1
            if not response.request.url.startswith(self.server.url + "/"):
                self.elsewhere.add(response.request.url)

    def run(self, seed, examples):
        """What the command line of schemathesis ends with."""
        arguments = ["--config-file", str(HERE / "schemathesis.toml"), "run", f"{self.server.url}/openapi/{self.document}.json"]
        arguments += ["--seed", seed, "--max-examples", examples, "--no-color", "--warnings", "off"]
        try:
            command_line(arguments, standalone_mode=False)
        except SystemExit as end:
            return end.code or 0
        return 0

    def complaints(self):
        """What only the whole of a run shows: an operation that nothing got through to has not been tested."""
        paths = self.server.get(f"/openapi/{self.document}.json").json()["paths"]
        operations = {o["operationId"] for item in paths.values() for o in item.values() if isinstance(o, dict) and "operationId" in o}
        unreached = UNREACHED.get(self.document, {})
        for operation in sorted(operations):
            statuses = self.statuses[operation]
            succeeded = any(status < 400 for status in statuses)
            if set(statuses) <= {401}:
                yield f"{operation}: never got anything but 401"
            elif succeeded == (operation in unreached):
                yield f"{operation}: {'succeeds, so it is no longer' if succeeded else 'never succeeded, and is not'} in UNREACHED: {dict(statuses)}"
        for url in sorted(self.elsewhere):
            yield f"a call went elsewhere: {url}"

    def figures(self):
        """The answers by the first digit of their status."""
        total = collections.Counter()
        for statuses in self.statuses.values():
            total.update({f"{status // 100}xx": count for status, count in statuses.items()})
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(total.items()))
        return f"{len(self.statuses)} operations, {total.total()} calls of them: {kinds}"


def good_call(operation, parts):
    """A case for schemathesis."""
    auth = parts.pop("auth", None)
    if "body" in parts:
        parts.setdefault("media_type", "application/json")
    case = operation.Case(**parts)
    schemathesis.auths.GLOBAL_AUTH_STORAGE.set(case, schemathesis.auths.AuthContext(operation, None))
    if auth:
        case._auth = auth
    return case


def main(document, seed, examples):
    server = Server()
    try:
        server.start()
        # It leaves files where it runs.
        os.chdir(server.data)
        contract = Contract(document, server)
        contract.hook()
        code = contract.run(seed, examples)
        complaints = list(contract.complaints())
        for complaint in complaints:
            print(f"{document}: {complaint}")
        print(f"{document}: {contract.figures()}")
        return code or bool(complaints)
    finally:
        os.chdir(HERE)
        server.dispose()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
