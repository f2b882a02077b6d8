#!/usr/bin/env python3
"""No client stops a router: what was refused or answered by name, then a crowd that sends anything, with `cardea dev` as it comes.

    tests/cluster/test_clients.py BUILD [--seconds 10] [--seed N]     TAP; one real process on loopback
"""
import argparse
import json
import os
import pathlib
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

QUERY = b'{"gremlin":"g.inject(41).math(\'_+1\')"}'
POST = b'POST /gremlin HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b' % (len(QUERY), QUERY)
UPGRADE = (b'GET /gremlin HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
           b'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n')
PATIENCE_S = 30


def frame(first, data=b'', mask=b'\x37\xfa\x21\x3d', size=None):
    """One frame of a client."""
    count = len(data) if size is None else size
    bit = 0x80 if mask else 0
    head = bytes([first]) + (bytes([bit | count]) if count < 126 else bytes([bit | 126]) + struct.pack('>H', count)
                             if count < 65536 else bytes([bit | 127]) + struct.pack('>Q', count))
    return head + mask + (bytes(c ^ mask[i % 4] for i, c in enumerate(data)) if mask else data)


def request(gremlin):
    """A request as a text frame."""
    return frame(0x81, json.dumps({'requestId': '01234567-89ab-cdef-0123-456789abcdef', 'op': 'eval', 'processor': '',
                                   'args': {'gremlin': gremlin}}).encode())


class Dev:
    """`cardea dev` with the options as they come, on a free port."""

    def __init__(self, build, folder):
        self.log = pathlib.Path(folder) / 'log'
        with open(self.log, 'w', encoding='utf-8') as log:
            self.process = subprocess.Popen([build / 'cardea', 'dev', '--data', pathlib.Path(folder) / 'data', '--port', '0', '--no-sync'],
                                            stdout=log, stderr=log)
        end = time.monotonic() + PATIENCE_S
        while not (match := re.search(r'ws://127\.0\.0\.1:(\d+)/', self.log.read_text(encoding='utf-8'))):
            if time.monotonic() > end or self.process.poll() is not None:
                raise TimeoutError('cardea dev did not start: ' + self.log.read_text(encoding='utf-8'))
            time.sleep(0.02)
        self.port = int(match.group(1))

    def connect(self):
        """A socket of a client."""
        return socket.create_connection(('127.0.0.1', self.port), timeout=PATIENCE_S)

    def exchange(self, data, until=None):
        """Sends and reads until the server closes, or a pattern has come."""
        with self.connect() as client:
            client.sendall(data)
            got = b''
            while until is None or not re.search(until, got, re.S):
                part = client.recv(65536)
                if not part:
                    break
                got += part
            return got

    def memory_mb(self):
        """Resident now."""
        text = pathlib.Path(f'/proc/{self.process.pid}/status').read_text(encoding='ascii')
        return int(re.search(r'VmRSS:\s+(\d+)', text).group(1)) // 1024

    def end(self):
        """SIGTERM; the exit status, or 'killed' if it does not listen."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return 'killed'


def named(dev):
    """(holds, what, what came) of each input that has done harm somewhere."""
    def status(data):
        return dev.exchange(data)[:12].decode('latin-1')

    def closes(data):
        got = dev.exchange(UPGRADE + data)
        close = got[got.index(b'\r\n\r\n') + 4:]
        return struct.unpack('>H', close[2:4])[0] if close[:1] == b'\x88' else close

    got = dev.exchange(POST + POST + b'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    yield got.count(b'"@value":42') == 2 and got.endswith(b'ok\n'), 'two POSTs and a GET in one segment are answered', got
    rows = [
        ('conflicting lengths', '400', POST.replace(b'\r\n\r\n', b'\r\nContent-Length: 3\r\n\r\n')),
        ('a coding with a blank before its colon', '400', POST.replace(b'\r\n\r\n', b'\r\nTransfer-Encoding : chunked\r\n\r\n')),
        ('a coding beside a length', '400', POST.replace(b'\r\n\r\n', b'\r\nTransfer-Encoding: chunked\r\n\r\n')),
        ('another page', '403', POST.replace(b'\r\n\r\n', b'\r\nOrigin: http://evil.example\r\n\r\n')),
        ('another page, GET', '403', b'GET /gremlin?gremlin=g.V() HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\n\r\n'),
        ('another page, WebSocket', '403', UPGRADE.replace(b'\r\n\r\n', b'\r\nOrigin: http://evil.example\r\n\r\n')),
        ('a foreign name for this machine', '403', POST.replace(b'localhost', b'evil.example')),
        ('WebSocket version 8', '400', UPGRADE.replace(b'13', b'8')),
        ('TLS', '400', b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'),
        ('HTTP/2', '505', b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
        ('a head without end', '431', b'GET / HTTP/1.1\r\n' + b'X: ' + b'y' * 40000),
        ('a body of 1 TB', '413', b'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1099511627776\r\n\r\n'),
    ]
    for what, expected, data in rows:
        yield status(data) == f'HTTP/1.1 {expected}', f'{what}: {expected}', status(data)
    rows = [
        ('an unmasked frame', 1002, frame(0x81, b'hello', b'')),
        ('a control frame in fragments', 1002, frame(0x09, b'x')),
        ('a compressed frame', 1002, frame(0xc1, b'x')),
        ('text that is not UTF-8', 1007, frame(0x81, b'\xed\xa0\x80')),
        ('a message of 1 TB', 1009, frame(0x82, size=1 << 40)),
        ('a close frame', 1000, frame(0x88, b'\x03\xe8')),
    ]
    for what, expected, data in rows:
        yield closes(data) == expected, f'{what}: {expected}', closes(data)


# ---- a crowd ----

def some_bytes(rng):
    """What one of the crowd sends: well formed, damaged, or no protocol at all."""
    kinds = [
        lambda: POST * rng.randint(1, 300),
        lambda: UPGRADE + b''.join(request('g.V().count()') for _ in range(rng.randint(1, 300))),
        lambda: UPGRADE + b''.join(frame(0x89, os.urandom(rng.randint(0, 125))) for _ in range(rng.randint(1, 2000))),
        lambda: UPGRADE + b''.join(frame(0x02 if i == 0 else 0, b'x' * rng.randint(0, 3)) for i in range(rng.randint(1, 2000))),
        lambda: UPGRADE + frame(rng.randint(0, 255), os.urandom(rng.randint(0, 300)), size=rng.choice([None, 1 << 20, 1 << 62])),
        lambda: b'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n' * rng.randint(1, 500),
        lambda: b'POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n' + b'1\r\nx\r\n' * rng.randint(1, 5000) + b'0\r\n\r\n',
        lambda: b'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n\r\n' + b'x' * rng.randint(0, 1 << 20),
        lambda: b'GET / HTTP/1.1\r\n' + b''.join(b'X-%d: y\r\n' % i for i in range(rng.randint(1, 200))),
        lambda: os.urandom(rng.randint(1, 5000)),
        lambda: b'',
    ]
    data = bytearray(rng.choice(kinds)())
    for _ in range(rng.choice([0, 0, 1, 3, 20])):
        if data:
            data[rng.randrange(len(data))] = rng.choice([0, 10, 13, 32, 58, 128, 255, rng.randrange(256)])
    return bytes(data)


def one_of_the_crowd(dev, seed, end):
    """Connects, sends in any pieces, reads or not, leaves politely or not."""
    rng = random.Random(seed)
    held = []
    while time.monotonic() < end:
        try:
            client = dev.connect()
            client.settimeout(0.2)
            data = some_bytes(rng)
            step = rng.choice([1 << 20, 1 << 16, 1460, 7])
            for at in range(0, min(len(data), step * 200), step):
                client.sendall(data[at:at + step])
            for _ in range(rng.choice([0, 0, 1, 5])):
                if not client.recv(65536):
                    break
        except OSError:
            pass
        if rng.random() < 0.3:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        held.append(client)
        while len(held) > rng.choice([0, 5, 40]):
            held.pop(0).close()
    for client in held:
        client.close()


def crowd(dev, seconds, seed):
    """A client that behaves is served all the while. Returns its number of answers, its worst wait, errors."""
    end = time.monotonic() + seconds
    threads = [threading.Thread(target=one_of_the_crowd, args=(dev, seed * 1000 + i, end), daemon=True) for i in range(8)]
    for thread in threads:
        thread.start()
    answers, worst, errors = 0, 0.0, []
    while time.monotonic() < end:
        begun = time.monotonic()
        try:
            got = dev.exchange(POST, rb'"@value":42')
            if b'"@value":42' not in got:
                errors.append(got)
            answers += 1
        except OSError as error:
            errors.append(error)
        worst = max(worst, time.monotonic() - begun)
        time.sleep(0.01)
    for thread in threads:
        thread.join()
    return answers, worst, errors


def main():
    """The checks, as TAP."""
    parser = argparse.ArgumentParser()
    parser.add_argument('build')
    parser.add_argument('--seconds', type=float, default=10)
    parser.add_argument('--seed', type=int, default=random.randrange(1 << 30))
    options = parser.parse_args()
    build = pathlib.Path(options.build).resolve()
    print(f'# seed {options.seed}')
    with tempfile.TemporaryDirectory() as folder:
        dev = Dev(build, folder)
        try:
            checks = list(named(dev))
            before = dev.memory_mb()
            answers, worst, errors = crowd(dev, options.seconds, options.seed)
            print(f'# {answers} answers, the slowest after {worst * 1000:.0f} ms, {before} MB before, {dev.memory_mb()} MB after')
            checks.append((answers > 0 and not errors, 'a client that behaves is served within a crowd that does not', errors[:3]))
            checks.append((dev.memory_mb() < 1024, 'memory is bounded', dev.memory_mb()))
            got = dev.exchange(POST + POST, rb'"@value":42.*"@value":42')
            checks.append((got.count(b'"@value":42') == 2, 'it serves afterwards', got))
            half = [dev.connect() for _ in range(20)]
            for client in half:
                client.sendall(POST[:-3])
        finally:
            status = dev.end()
        checks.append((status == 0, 'SIGTERM ends it, with half requests open', status))
    print(f'1..{len(checks)}')
    for number, (is_good, what, why) in enumerate(checks, 1):
        print(f'{"ok" if is_good else "not ok"} {number} - {what}')
        if not is_good:
            print(f'# {why}'[:2000])
    return 0 if all(check[0] for check in checks) else 1


if __name__ == '__main__':
    sys.exit(main())
