"""Starts config/cluster-3 as real processes on free ports and temporary folders; kills and restarts them."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get('CARDEA_BUILD', ROOT / 'build'))
SHARED = pathlib.Path(os.environ.get('CARDEA_SHARED', ROOT / '../shared'))
PROGRAMS = {'coordinator': 'cardea-coordinator', 'shard': 'cardea-shardd', 'router': 'cardea-router'}
sys.path.insert(0, str(ROOT / 'tests/conformance'))


def free_port():
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def wait_for(condition, seconds, what):
    """Polls until the condition holds; it must within a generous time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f'{what}: not within {seconds} s')
        time.sleep(0.02)


class Cluster:
    """One coordinator, three shard nodes, two routers."""

    def __init__(self, shards=6, graph='g', partitioner='hash', more=()):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='cardea-cluster-'))
        self.processes, self.logs = {}, {}
        self.configure()
        for name in self.names:
            self.start(name)
        try:
            self.wait_routers()
            self.create(graph, shards, partitioner, *more)
        except BaseException:
            self.close()
            raise

    def configure(self):
        """Copies the sample configuration with ports and folders of its own."""
        texts = {path.stem: path.read_text() for path in sorted((ROOT / 'config/cluster-3').glob('*.cfg'))}
        ports = {port: free_port() for port in sorted(set(re.findall(r'127\.0\.0\.1:(\d+)"|port = (\d+);', ''.join(texts.values()))))}
        flat = {old or other: new for (old, other), new in ports.items()}
        self.names, self.web = list(texts), {}
        self.names.sort(key=lambda name: ('coordinator', 'shard', 'router').index(name.split('-')[0]))
        for name, text in texts.items():
            for old, new in flat.items():
                text = text.replace(f'127.0.0.1:{old}"', f'127.0.0.1:{new}"').replace(f'port = {old};', f'port = {new};')
            text = text.replace('data_dir = "data/', f'data_dir = "{self.folder}/')
            (self.folder / f'{name}.cfg').write_text(text)
            if name.startswith('router'):
                self.web[name] = int(re.search(r'port = (\d+);', text).group(1))

    @property
    def ports(self):
        """WebSocket ports of the two routers."""
        return [self.web[name] for name in sorted(self.web)]

    def start(self, name):
        """Starts one process; its log is appended to a file."""
        log = open(self.folder / f'{name}.log', 'ab')
        program = BUILD / PROGRAMS[name.split('-')[0]]
        self.processes[name] = subprocess.Popen([program, self.folder / f'{name}.cfg'], stdout=log, stderr=log)
        log.close()

    def kill(self, name, number=signal.SIGKILL):
        """Ends one process, hard."""
        process = self.processes.pop(name)
        process.send_signal(number)
        return process.wait()

    def is_ready(self, port):
        """The router has a map and its session."""
        try:
            with urllib.request.urlopen(f'http://127.0.0.1:{port}/readyz', timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def wait_routers(self):
        """Both routers answer."""
        for port in self.ports:
            wait_for(lambda p=port: self.is_live(p), 30, f'router at {port}')

    def is_live(self, port):
        """The port is open (a router is not ready before there is a graph)."""
        try:
            with urllib.request.urlopen(f'http://127.0.0.1:{port}/healthz', timeout=2) as answer:
                return answer.status == 200
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
            code, _, stderr = self.ctl('graph', 'create', name, '--shards', shards, '--partitioner', partitioner, *more, check=False)
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
                         for path in sorted(self.folder.glob('*.log')))

    def close(self):
        """Ends all, removes the folder."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes = {}
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()
