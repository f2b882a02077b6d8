#!/usr/bin/env python3
"""A writer of the crash test: chains of vertices through the stock Python driver, or without it over a plain socket.

    writer.py PORTS PREFIX SECONDS     prints "ack N" for what was acknowledged, "maybe N" for what may have been

Each write makes vertex PREFIX-N and an edge from PREFIX-(N-1): mostly on two shards, all or nothing.
"""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'conformance'))
from client import Client, ServerError  # noqa: E402

try:
    from gremlin_python.driver.client import Client as Driver
except ImportError:
    Driver = None


class Plain:
    """The socket client with the driver's face."""

    def __init__(self, port):
        self.client = Client('127.0.0.1', port, timeout=20)

    def run(self, text):
        """Raises when it was not acknowledged."""
        self.client.text('g', text)

    def close(self):
        """Ends the connection."""
        self.client.close()


class Stock:
    """gremlinpython."""

    def __init__(self, port):
        self.client = Driver(f'ws://127.0.0.1:{port}/gremlin', 'g')

    def run(self, text):
        """Raises when it was not acknowledged."""
        self.client.submit(text).all().result(timeout=20)

    def close(self):
        """Ends the connection."""
        try:
            self.client.close()
        except Exception:  # pylint: disable=broad-except
            pass


def main():
    """Writes until the time is over; goes to the other router after each failure."""
    ports, prefix, seconds = sys.argv[1].split(','), sys.argv[2], float(sys.argv[3])
    end, number, last, turn, client = time.monotonic() + seconds, 0, None, 0, None
    kind = Stock if Driver else Plain
    while time.monotonic() < end:
        try:
            if client is None:
                client = kind(int(ports[turn % len(ports)]))
            text = f"g.addV('w').property(T.id,'{prefix}-{number}').property('n',{number})"
            if last is not None:
                text += f".as('c').V('{prefix}-{last}').addE('next').to('c')"
            client.run(text)
            print(f'ack {number} {-1 if last is None else last}', flush=True)
            last, number = number, number + 1
        except Exception as problem:  # pylint: disable=broad-except
            print(f'maybe {number} {problem!r:.100}', flush=True)
            number, turn = number + 1, turn + 1
            if not isinstance(problem, ServerError) and client is not None:
                client.close()
                client = None
            time.sleep(0.05)


if __name__ == '__main__':
    main()
