"""A WebSocket client for Gremlin, of the standard library alone: one request at a time, GraphSON 3."""
import base64
import json
import os
import socket
import struct
import uuid

from values import dumps


class ServerError(Exception):
    """An answer that is not a success."""

    def __init__(self, code, message):
        super().__init__(f'{code}: {message}')
        self.code, self.message = code, message


class Client:
    """One connection."""

    def __init__(self, host, port, timeout=60):
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.buffer = b''
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f'GET /gremlin HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n'
                             f'Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n').encode())
        while b'\r\n\r\n' not in self.buffer:
            self.fill()
        head, self.buffer = self.buffer.split(b'\r\n\r\n', 1)
        if b' 101 ' not in head.split(b'\r\n')[0]:
            raise ConnectionError(head.decode(errors='replace'))

    def fill(self):
        """Reads some more."""
        data = self.socket.recv(1 << 16)
        if not data:
            raise ConnectionError('the server closed the connection')
        self.buffer += data

    def exactly(self, size):
        """The next size bytes."""
        while len(self.buffer) < size:
            self.fill()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def send(self, payload, opcode=2):
        """One masked frame."""
        mask = os.urandom(4)
        size = len(payload)
        head = bytes([0x80 | opcode]) + (bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + struct.pack('>H', size)
                                         if size < 65536 else bytes([0x80 | 127]) + struct.pack('>Q', size))
        repeated = (mask * (size // 4 + 1))[:size]
        masked = (int.from_bytes(payload, 'big') ^ int.from_bytes(repeated, 'big')).to_bytes(size, 'big') if size else b''
        self.socket.sendall(head + mask + masked)

    def receive(self):
        """The next message, pings answered."""
        message = b''
        while True:
            first, second = self.exactly(2)
            size = second & 0x7f
            if size == 126:
                size = struct.unpack('>H', self.exactly(2))[0]
            elif size == 127:
                size = struct.unpack('>Q', self.exactly(8))[0]
            data = self.exactly(size)
            opcode = first & 0x0f
            if opcode == 9:
                self.send(data, 10)
            elif opcode == 8:
                raise ConnectionError(f'closed: {data[2:].decode(errors="replace")}')
            elif opcode in (0, 1, 2):
                message += data
                if first & 0x80:
                    return message

    def request(self, op, processor, arguments):
        """All results of one request, as GraphSON values."""
        mime = b'application/vnd.gremlin-v3.0+json'
        body = dumps({'requestId': {'@type': 'g:UUID', '@value': str(uuid.uuid4())}, 'op': op, 'processor': processor,
                      'args': {'@type': 'g:Map', '@value': [part for pair in arguments.items() for part in pair]}})
        self.send(bytes([len(mime)]) + mime + body.encode())
        results = []
        while True:
            answer = json.loads(self.receive(), parse_float=None)
            code = answer['status']['code']
            if code not in (200, 204, 206):
                raise ServerError(code, answer['status'].get('message') or '')
            if code != 204:
                results += answer['result']['data']['@value']
            if code != 206:
                return results

    def text(self, source, query, bindings=None):
        """Results of a query as text."""
        arguments = {'gremlin': query, 'aliases': mapping({'g': source}), 'language': 'gremlin-lang'}
        if bindings:
            arguments['bindings'] = mapping(bindings)
        return self.request('eval', '', arguments)

    def bytecode(self, source, code):
        """Results of bytecode, traversers unrolled."""
        results = []
        for item in self.request('bytecode', 'traversal', {'gremlin': code, 'aliases': mapping({'g': source})}):
            if not isinstance(item, dict) or item.get('@type') != 'g:Traverser':
                raise ValueError('bytecode is answered with traversers')
            results += [item['@value']['value']] * item['@value']['bulk']['@value']
        return results

    def close(self):
        """Ends the connection."""
        self.socket.close()


def mapping(pairs):
    """A g:Map."""
    return {'@type': 'g:Map', '@value': [part for pair in pairs.items() for part in pair]}
