"""cluster.Cluster with a graph in it from the start, and what tests of drivers and crashes ask of it."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import cluster

ROOT = cluster.ROOT
BUILD = pathlib.Path(os.environ.get('CARDEA_BUILD', ROOT / 'build')).resolve()
SHARED = pathlib.Path(os.environ.get('CARDEA_SHARED', ROOT / '../shared'))
sys.path.insert(0, str(ROOT / 'tests/conformance'))


def wait_for(condition, seconds, what):
    """Polls until the condition holds; it must within a generous time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f'{what}: not within {seconds} s')
        time.sleep(0.02)


class Cluster:
    """One coordinator, three shard nodes, two routers, one graph."""

    def __init__(self, shards=6, graph='g', partitioner='hash', more=(), replicas=2):
        self.base = cluster.Cluster(BUILD)
        self.replicas = replicas
        try:
            self.base.start()
            self.create(graph, shards, partitioner, *more)
        except BaseException:
            print(self.tail())
            self.close()
            raise

    @property
    def names(self):
        """Of all processes."""
        return sorted(self.base.arguments)

    @property
    def processes(self):
        """Running ones by name."""
        return self.base.processes

    @property
    def ports(self):
        """WebSocket ports of the two routers."""
        return [self.base.ports[name] for name in sorted(self.base.ports)]

    def start(self, name):
        """Starts one process."""
        self.base.start(name)

    def kill(self, name, number=signal.SIGKILL):
        """Sends a signal and waits for the end; gives the exit status."""
        return self.base.kill(name, number)

    def is_ready(self, port):
        """The router has a map and its session."""
        name = next(name for name, other in self.base.ports.items() if other == port)
        try:
            return self.base.get('/readyz', name)[0] == 200
        except OSError:
            return False

    def ctl(self, *words, check=True):
        """cardeactl with JSON output."""
        done = subprocess.run([BUILD / 'cardeactl', '--router', f'127.0.0.1:{self.ports[0]}', '--output', 'json', *map(str, words)],
                              capture_output=True, text=True, check=False, timeout=120)
        if check and done.returncode not in (0, 1):
            raise RuntimeError(f'cardeactl {words}: {done.stderr}')
        return done.returncode, json.loads(done.stdout) if done.stdout.strip() else {}, done.stderr

    def create(self, name, shards, partitioner, *more):
        """A graph; waits until nodes have registered and routers know of it."""
        def made():
            code, _, stderr = self.ctl('graph', 'create', name, '--shards', shards, '--replicas', self.replicas, '--partitioner', partitioner,
                                       *more, check=False)
            return code == 0 or 'exists' in stderr
        wait_for(made, 30, f'graph {name}')
        for port in self.ports:
            wait_for(lambda p=port: self.is_ready(p), 30, f'router at {port} ready')

    def check(self, graph='g'):
        """Differences that cardeactl check finds."""
        code, found, stderr = self.ctl('check', graph)
        if 'differences' not in found:
            raise RuntimeError(f'check: exit {code}: {stderr}')
        return found['differences'], found.get('list', [])

    def command(self, *words, **more):
        """The cardea command."""
        return subprocess.run([BUILD / 'cardea', *map(str, words)], capture_output=True, text=True, check=False, timeout=300, **more)

    def tail(self, lines=15):
        """Ends of all logs, for people."""
        return '\n'.join(f'--- {path.name}\n' + '\n'.join(path.read_text(errors='replace').splitlines()[-lines:])
                         for path in sorted(self.base.folder.glob('*.log')))

    def close(self):
        """Ends all, removes the folder."""
        self.base.__exit__()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()
