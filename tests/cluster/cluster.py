"""A cluster of real processes from config/cluster-3, on free ports, in a folder of its own."""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Each process has pages at a free port, told in its log.
os.environ['CARDEA_HTTP_LISTEN'] = '127.0.0.1:0'
PATIENCE = 30.0


def free_ports(count):
    """Ports that were free a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(('127.0.0.1', 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Error(Exception):
    """An answer with a status of 400 or more."""

    def __init__(self, status, body):
        super().__init__(f'HTTP {status}: {body}')
        self.status = status
        self.body = body


class Cluster:
    """Starts, kills and asks. Used as a context: all ends with it."""

    def __init__(self, build, shards=3, routers=2):
        self.build = pathlib.Path(build).resolve()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='cardea-cluster-'))
        ports = free_ports(1 + shards + 2 * routers)
        coordinator = f'tcp://127.0.0.1:{ports.pop()}'
        self.processes = {}
        self.arguments = {'coordinator': ['cardea-coordinator', 'coordinator.cfg', '--bind', coordinator,
                                          '--coordinators', coordinator]}
        self.ports = {}
        for i in range(1, shards + 1):
            self.arguments[f'shard-{i}'] = ['cardea-shardd', f'shard-{i}.cfg', '--bind',
                                            f'tcp://127.0.0.1:{ports.pop()}', '--coordinators', coordinator]
        for i in range(1, routers + 1):
            self.ports[f'router-{i}'] = ports.pop()
            self.arguments[f'router-{i}'] = ['cardea-router', f'router-{i}.cfg', '--port',
                                             str(self.ports[f'router-{i}']), '--bind',
                                             f'tcp://127.0.0.1:{ports.pop()}', '--coordinators', coordinator]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for name in list(self.processes):
            self.kill(name)
        shutil.rmtree(self.folder, ignore_errors=True)

    def shards(self):
        """What cardeactl status shows of the graph's shards: by number."""
        done = subprocess.run([self.build / 'cardeactl', '--router', f'127.0.0.1:{self.ports["router-1"]}', '--output', 'json',
                               'status'], capture_output=True, text=True, timeout=PATIENCE, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return {row['shard']: row for row in json.loads(done.stdout)['graphs'][0]['shards']}

    def start(self, *names, extra=()):
        """Starts processes; all if none is named."""
        for name in names or self.arguments:
            program, config, *rest = self.arguments[name]
            with open(self.folder / f'{name}.log', 'ab') as log:
                self.processes[name] = subprocess.Popen(
                    [self.build / program, ROOT / 'config/cluster-3' / config, *rest, *extra],
                    cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self, name, number=signal.SIGKILL):
        """Sends a signal and waits for the end; gives the exit status."""
        process = self.processes.pop(name)
        process.send_signal(number)
        return process.wait(PATIENCE)

    def log(self, name):
        """What a process has said."""
        return (self.folder / f'{name}.log').read_text()

    def get(self, path, router='router-1', method='GET', body=None):
        """One HTTP exchange: status and body."""
        connection = http.client.HTTPConnection('127.0.0.1', self.ports[router], timeout=PATIENCE)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def page(self, name, path):
        """A page of a process's own HTTP port: status and body."""
        port = until(lambda: re.findall(r'http=(\d+)', self.log(name))[-1:] or fail('not started'), name)[0]
        connection = http.client.HTTPConnection('127.0.0.1', int(port), timeout=PATIENCE)
        try:
            connection.request('GET', path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def ask(self, text, router='router-1'):
        """The results of a query, numbers without their types."""
        status, body = self.get('/gremlin', router, 'POST', json.dumps({'gremlin': text}))
        if status != 200:
            raise Error(status, body)
        return untyped(json.loads(body)['result']['data'])

    def ask_until(self, text, router='router-1'):
        """Asks until it is answered: for the time when a process is away."""
        return until(lambda: self.ask(text, router), text)

    def ready(self, router='router-1'):
        """Waits until a router is ready for queries."""
        until(lambda: self.get('/readyz', router)[0] == 200 or fail('not ready'), 'ready')

    def ctl(self, *arguments):
        """cardeactl at the first router: exit status and output."""
        done = subprocess.run([self.build / 'cardeactl', '--router', f'127.0.0.1:{self.ports["router-1"]}',
                               *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False)
        return done.returncode, done.stdout + done.stderr

    def make_graph(self, shards=4, replicas=0):
        """The graph g; 0 replicas: two where there are two nodes, once all of them are there."""
        nodes = sum(name.startswith('shard-') for name in self.arguments)
        replicas = replicas or min(2, nodes)

        def create():
            code, text = self.ctl('graph', 'create', 'g', '--shards', str(shards), '--replicas', str(replicas))
            return code == 0 or 'exists' in text or fail(text)
        until(create, 'graph create')
        for router in self.ports:
            self.ready(router)


def fail(text):
    """As an expression."""
    raise AssertionError(text)


def until(attempt, what):
    """Repeats what fails; gives its result."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return attempt()
        except (OSError, http.client.HTTPException, AssertionError, Error) as problem:
            if time.monotonic() > end:
                raise AssertionError(f'{what}: {problem}') from problem
            time.sleep(0.02)


def untyped(value):
    """GraphSON 3 to plain values, elements to their ids."""
    if isinstance(value, dict) and '@type' in value:
        kind, inner = value['@type'], value.get('@value')
        if kind in ('g:List', 'g:Set'):
            return [untyped(item) for item in inner]
        if kind == 'g:Map':
            items = [untyped(item) for item in inner]
            return dict(zip(items[0::2], items[1::2]))
        if kind in ('g:Vertex', 'g:Edge'):
            return untyped(inner['id'])
        return untyped(inner)
    return value


def words(text):
    """For messages: one line."""
    return re.sub(r'\s+', ' ', text)
