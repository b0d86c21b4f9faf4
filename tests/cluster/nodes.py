"""Servers that share one database."""

from concurrent.futures import ThreadPoolExecutor

from harness import Server


class Node(Server):
    """One server of several. All have the public URL of the balancer, or of one of them, as they would in production."""

    def __init__(self, database_url, public_url=None, env=None, **kwargs):
        super().__init__(**kwargs)
        self.public_url = public_url or self.url
        self.env.update(DOORWARD_DATABASE_URL=database_url, DOORWARD_PUBLIC_URL=self.public_url, DOORWARD_SHUTDOWN_DRAIN="0s")
        self.env.update(env or {})


class Nodes(list):
    """Nodes on one database, started at the same moment: the first start of all of them finds it empty."""

    def __init__(self, database_url, count=2, public_url=None, **kwargs):
        super().__init__()
        for _ in range(count):
            self.append(Node(database_url, public_url or (self[0].url if self else None), **kwargs))

    def start(self):
        """Starts all at once, and waits until all are ready."""
        with ThreadPoolExecutor(len(self)) as pool:
            list(pool.map(Node.start, self))
        return self

    def dispose(self):
        """Ends all and removes their data."""
        failures = []
        for node in self:
            try:
                node.dispose()
            except AssertionError as failure:
                failures.append(failure)
        if failures:
            raise failures[0]
