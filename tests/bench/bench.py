"""The bench: starts clusters, loads a Kronecker graph, measures beside raw SQLite and raw ZeroMQ, prints JSON lines."""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tests/cluster'))
sys.path.insert(0, str(ROOT / 'tests/conformance'))
import harness  # noqa: E402
from client import Client  # noqa: E402

BUILD = harness.BUILD
LOAD, RAW = BUILD / 'tests/bench/bench_loadgen', BUILD / 'tests/bench/bench_raw'
HOPS = {1: 'g.V(%).out().dedup().count()', 2: 'g.V(%).out().out().dedup().count()',
        3: 'g.V(%).out().out().out().dedup().count()'}


def emit(name, value, unit, reference=None, counters=None, bigger_is_better=False):
    """One line; ratio > 1 means slower, or bigger, than the reference."""
    ratio = None
    if reference:
        ratio = reference / (value or 1) if bigger_is_better else value / reference
    print(json.dumps({'name': name, 'value': round(value, 2), 'unit': unit, 'reference': reference and round(reference, 2),
                      'ratio': ratio and round(ratio, 3), 'counters': counters or {}}), flush=True)


def command(*words, parse=True):
    """Runs a program; what it prints, as JSON."""
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False, timeout=600)
    if done.returncode != 0:
        raise RuntimeError(f'{words}: exit {done.returncode}: {done.stderr[-500:]}')
    return json.loads(done.stdout) if parse else done.stderr


def cpu_seconds(pids):
    """Processor time of processes so far."""
    ticks = 0
    for pid in pids:
        fields = pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf('SC_CLK_TCK')


def rss_mb(pids):
    """Resident memory of processes: all, and what is not shared with files."""
    total = 0
    for pid in pids:
        total += int(re.search(r'VmRSS:\s+(\d+)', pathlib.Path(f'/proc/{pid}/status').read_text()).group(1))
    return total / 1024


def plain(value):
    """GraphSON 3 as Python."""
    if isinstance(value, dict) and '@type' in value:
        kind, inner = value['@type'], value['@value']
        if kind == 'g:Map':
            return {plain(inner[i]): plain(inner[i + 1]) for i in range(0, len(inner), 2)}
        return [plain(item) for item in inner] if kind in ('g:List', 'g:Set') else inner
    return value


class Counters:
    """Counters of the shard nodes, and processor time, between two points."""

    def __init__(self, port, nodes, pids):
        self.port, self.nodes, self.pids = port, nodes, pids
        self.before = self.read()

    def read(self):
        """All counters now."""
        client, sums = Client('127.0.0.1', self.port), {}
        for node in self.nodes:
            reply = plain(client.request('admin', 'cardea', {'verb': 'stats', 'node': {'@type': 'g:Int32', '@value': node}})[0])
            for shard in reply['shards']:
                for key, number in shard.items():
                    if isinstance(number, (int, float)) and not isinstance(number, bool):
                        sums[key] = sums.get(key, 0) + number
        client.close()
        with urllib.request.urlopen(f'http://127.0.0.1:{self.port}/metrics', timeout=10) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith('cardea_message') and ' ' in line:
                    sums[re.split(r'[ {]', line)[0]] = float(line.rsplit(' ', 1)[1])
        return {**sums, 'cpu': cpu_seconds(self.pids)}

    def per(self, operations):
        """Differences an operation."""
        after = self.read()
        names = {'reads': 'requests_per_op', 'statements': 'statements_per_op', 'rows': 'rows_per_op', 'wal_frames': 'pages_per_op',
                 'pages_written': 'pages_written_per_op', 'syncs': 'syncs_per_op', 'journal_bytes': 'journal_bytes_per_op',
                 'conflicts': 'conflicts_per_op', 'cardea_messages_sent_total': 'router_messages_per_op',
                 'cardea_message_sent_bytes_total': 'router_bytes_sent_per_op', 'cardea_message_received_bytes_total': 'router_bytes_received_per_op'}
        found = {label: round((after[key] - self.before[key]) / operations, 4) for key, label in names.items() if key in after}
        found['cpu_us_per_op'] = round((after['cpu'] - self.before['cpu']) / operations * 1e6, 2)
        return found


class Dev:
    """cardea dev: a cluster in one process."""

    def __init__(self, folder, shards=4):
        self.folder = folder
        self.process = subprocess.Popen([BUILD / 'cardea', 'dev', '--data', folder, '--port', '0', '--shards', str(shards)],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        if 'ready' not in line:
            raise RuntimeError(f'cardea dev: {line}')
        self.port = int(re.search(r'ws://[^:]+:(\d+)/', line).group(1))
        self.pids, self.nodes = [self.process.pid], [1]

    def close(self):
        """Ends it cleanly."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)


class Bench:
    """What all measures share."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.rows = None
        os.environ['XDG_STATE_HOME'] = str(folder)
        self.graph = command(RAW, 'graph', options.scale, options.seed, folder)
        self.starts = ','.join(map(str, self.graph['starts']))

    def reference_rows(self):
        """The SQLite program over an edge a row, once a run."""
        if self.rows is None:
            self.rows = command(RAW, 'rows', self.options.scale, self.options.seed, self.folder, self.starts)
        return self.rows

    def count(self, number):
        """Requests of a measure; few in a smoke run."""
        return max(64, number // 100) if self.options.smoke else number

    def drive(self, target, query, clients, requests, *more):
        """The load generator against a cluster, with counters."""
        counters = Counters(target.port, target.nodes, target.pids)
        result = command(LOAD, '--port', target.port, '--clients', clients, '--requests', requests, '--warm', max(clients, requests // 10),
                         *more, query)
        found = counters.per(requests + max(clients, requests // 10))
        found['failed'] = result['failed']  # Of writes: conflicts that were reported. Of reads: none.
        return result, found

    # ---- measures ----

    def load(self, target, where):
        """cardea load of the graph with an index on a property."""
        subprocess.run([BUILD / 'cardeactl', '--router', f'127.0.0.1:{target.port}', 'index', 'create', 'g', 'code'], check=True,
                       capture_output=True, timeout=60)
        rows, edges = self.reference_rows(), self.graph['edges']
        counters, start = Counters(target.port, target.nodes, target.pids), time.monotonic()
        command(BUILD / 'cardea', 'load', '--quiet', '--restart', '--router', f'127.0.0.1:{target.port}', self.folder / 'vertices.csv',
                self.folder / 'edges.csv', parse=False)
        seconds, found = time.monotonic() - start, counters.per(edges)
        emit(f'load, {where}', edges / seconds, 'edges/s', rows['edges_per_s'], found, True)
        emit(f'load, {where}, by processor time', 1e6 / found['cpu_us_per_op'] if found['cpu_us_per_op'] else 0, 'edges/s of cpu',
             rows['edges_per_cpu_s'], {}, True)

    def sizes(self, files):
        """Bytes an edge, by table, of closed files."""
        tables, whole = {}, sum(path.stat().st_size for path in files)
        for names in command(RAW, 'bytes', *files).values():
            for name, size in names.items():
                tables[name] = tables.get(name, 0) + size
        edges = self.graph['edges']
        emit('bytes/edge: runs and places of both halves', sum(tables.get(name, 0) for name in ('adjacency', 'place')) / edges, 'bytes',
             None, {name: round(size / edges, 3) for name, size in sorted(tables.items()) if size / edges >= 0.001})
        emit('bytes/edge: whole files, vertices, indexes and journal included', whole / edges, 'bytes', None, {'files': len(files)})

    def hops(self, target, where):
        """Distinct counts 1, 2 and 3 hops away; the answers must agree with the C loop."""
        rows = self.reference_rows()
        for hop, query in HOPS.items():
            requests = 20 if hop == 3 else 100
            result = command(LOAD, '--port', target.port, '--requests', requests, '--list', self.starts, '--warm', 100, HOPS[1])
            counters = Counters(target.port, target.nodes, target.pids)
            result = command(LOAD, '--port', target.port, '--requests', requests, '--list', self.starts, query)
            if result['failed'] or result['sum'] != rows[f'hop{hop}_sum']:
                raise RuntimeError(f'{hop} hops: {result} is not {rows[f"hop{hop}_sum"]}')
            emit(f'{hop}-hop distinct count p50, {where}', result['p50_us'], 'us', rows[f'hop{hop}_p50_us'], counters.per(requests))

    def points(self, target):
        """Point reads at 1 and 64 clients, as text and as bytecode."""
        echo = command(RAW, 'echo', self.count(10000))
        ids = f'0:{self.graph["vertices"] - 1}'
        for clients in (1, 64):
            for name, query, more in (('text', "g.V(%).values('code')", []), ('bytecode', 'V %;values code', ['--bytecode'])):
                result, counters = self.drive(target, query, clients, self.count(20000 if clients == 64 else 10000), '--ids', ids, *more)
                counters['p99_us'] = result['p99_us']
                if clients == 1:
                    emit(f'point read p50, {name}, 1 client', result['p50_us'], 'us', echo['two_p50_us'], counters)
                else:
                    emit(f'point read, {name}, 64 clients', result['rate'], 'requests/s', echo['rate_64'] / 2, counters, True)

    def writes(self, target, where):
        """Durable writes in one shard, edges that may cross shards."""
        raw = command(RAW, 'commit', self.count(2000), self.folder)
        ids = f'0:{self.graph["vertices"] - 1}'
        for name, query in (('one-shard write', "g.addV('w').property('note',%).count()"),
                            ('edge between any two', "g.V(%).addE('w').to(__.V(%)).count()")):
            for clients in (1, 64):
                result, counters = self.drive(target, query, clients, self.count(2000 if clients == 1 else 10000), '--ids', ids)
                counters['p99_us'] = result['p99_us']
                if clients == 1:
                    emit(f'{name} p50, 1 client, {where}', result['p50_us'], 'us', raw['p50_us'], counters)
                else:
                    emit(f'{name}, 64 clients, {where}', result['rate'], 'requests/s', raw['rate'], counters, True)


class Three(harness.Cluster):
    """config/cluster-3 as a target."""

    nodes = (1, 2, 3)

    @property
    def port(self):
        """Of the first router."""
        return self.ports[0]

    @property
    def pids(self):
        """All processes but the second router."""
        return [process.pid for name, process in self.processes.items() if name != 'router-2']


def measure_start():
    """config/cluster-3 from nothing to both routers ready, with and without making a graph."""
    start = time.monotonic()
    with Three(shards=3) as cluster:
        made = time.monotonic() - start
        pids = [process.pid for process in cluster.processes.values()]
        emit('start: cluster-3, six processes, resident memory', rss_mb(pids), 'MB', None, {'processes': len(pids)})
        for name in list(cluster.processes):
            cluster.kill(name, signal.SIGTERM)
        start = time.monotonic()
        for name in cluster.names:
            cluster.start(name)
        while not all(cluster.is_ready(port) for port in cluster.ports):
            time.sleep(0.005)
        emit('start: cluster-3 with a graph, until both routers are ready', (time.monotonic() - start) * 1e3, 'ms', None,
             {'first_start_and_graph_ms': round(made * 1e3)})


def run(options, folder):
    """All measures asked for."""
    bench, only = Bench(options, folder), options.only.split(',')
    if 'start' in only:
        measure_start()
    if 'load' in only or 'hop' in only:
        dev = Dev(folder / 'dev')
        try:
            bench.load(dev, 'one process')
            if 'hop' in only:
                bench.hops(dev, 'one process')
            if 'write' in only:
                bench.writes(dev, 'one process')
        finally:
            dev.close()
        bench.sizes(sorted(folder.glob('dev/**/*.db')))
        shutil.rmtree(folder / 'dev')
    if {'point', 'write', 'hop'} & set(only):
        with Three(shards=3, replicas=1) as cluster:
            bench.load(cluster, 'cluster-3')
            if 'point' in only:
                bench.points(cluster)
            if 'hop' in only:
                bench.hops(cluster, 'cluster-3')
            if 'write' in only:
                bench.writes(cluster, 'cluster-3, R = 1')
    if 'write' in only:
        with Three(shards=3, replicas=2) as cluster:
            bench.load(cluster, 'cluster-3, R = 2')
            bench.writes(cluster, 'cluster-3, R = 2')


def main():
    """Options, a folder, all measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--smoke', action='store_true', help='a graph of 256 vertices and few requests')
    parser.add_argument('--scale', type=int, default=16, help='two to that many vertices (default: 16)')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--only', default='start,load,point,hop,write', help='measures, divided by commas')
    options = parser.parse_args()
    if options.smoke:
        options.scale = 8
    folder = pathlib.Path(tempfile.mkdtemp(prefix='cardea-bench-'))
    try:
        run(options, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == '__main__':
    main()
