#!/usr/bin/env python3
"""Real processes from config/cluster-3: what they refuse, how they end, what survives kill -9.

    tests/cluster/test_cluster.py BUILD_DIR        TAP
"""
import os
import random
import re
import signal
import subprocess
import sys
import threading
import traceback

from cluster import Cluster, Error, ROOT, fail, until

BUILD = sys.argv[1] if len(sys.argv) > 1 else 'build'
TESTS = []


def test(function):
    """Registers."""
    TESTS.append(function)
    return function


def run(program, *arguments, cwd=None):
    """A start that is to fail: status and what it said."""
    done = subprocess.run([os.path.join(os.path.abspath(BUILD), program), *arguments], capture_output=True,
                          text=True, timeout=30, cwd=cwd, check=False)
    return done.returncode, done.stderr.strip()


@test
def refuses_bad_configuration():
    with Cluster(BUILD) as cluster:
        bad = cluster.folder / 'bad.cfg'
        for text, expected in [
                ('\nprot = 5;\n', ':2: unknown option "prot"; did you mean "port"?'),
                ('port = "x";\n', ':1: port is not a whole number: a whole number from 1 to 65535 is allowed'),
                ('port = 70000;\n',
                 ':1: port = 70000 is out of range: a whole number from 1 to 65535 is allowed')]:
            bad.write_text(text)
            assert run('cardea-router', str(bad)) == (2, f'cardea-router: {bad}{expected}')
        for program in 'cardea-router', 'cardea-shardd', 'cardea-coordinator':
            code, text = run(program, '/nowhere.cfg')
            assert code == 2 and text == f'{program}: /nowhere.cfg cannot be read', text
        code, text = run('cardea-coordinator', '--node=2', '--data_dir', str(cluster.folder / 'c'),
                         '--bind=tcp://127.0.0.1:*')
        assert code == 2 and 'coordinators lists 1' in text, text


@test
def refuses_what_is_taken():
    with Cluster(BUILD) as cluster:
        cluster.start('coordinator', 'shard-1', 'router-1')
        until(lambda: cluster.get('/healthz')[0] == 200 or fail("no"), 'start')
        until(lambda: 'msg="started"' in cluster.log('shard-1') or fail("no"), 'start of the shard')
        config = str(ROOT / 'config/cluster-3/shard-1.cfg')
        code, text = run('cardea-shardd', config, '--bind=tcp://127.0.0.1:*', cwd=cluster.folder)
        assert code == 1 and 'is in use by another process' in text, text
        bind = cluster.arguments['shard-1'][3]
        code, text = run('cardea-shardd', config, '--bind', bind, '--data_dir', str(cluster.folder / 'x'))
        assert code == 1 and f'{bind} is in use by another program' in text, text
        code, text = run('cardea-router', '--port', str(cluster.ports['router-1']), '--bind=tcp://127.0.0.1:*')
        assert code == 1 and 'cannot listen on 127.0.0.1' in text, text
        assert cluster.kill('shard-1', signal.SIGTERM) == 0
        code, text = run('cardea-shardd', config, '--bind', bind, '--cluster=other', cwd=cluster.folder)
        assert code == 2 and 'belongs to cluster "cluster-3"' in text, text


@test
def ends_cleanly_and_comes_back():
    with Cluster(BUILD) as cluster:
        cluster.start()
        cluster.make_graph()
        for i in range(20):
            cluster.ask(f"g.addV('p').property(id, {i}).property('n', {i})")
        for i in range(19):
            cluster.ask(f"g.addE('next').from(__.V({i})).to(__.V({i + 1}))", f'router-{1 + i % 2}')
        for name in list(cluster.processes):
            assert cluster.kill(name, signal.SIGTERM) == 0, name
        cluster.start()
        for router in cluster.ports:
            cluster.ready(router)
            assert cluster.ask('g.V().count()', router) == [20]
            assert cluster.ask("g.V(0).repeat(__.out('next')).times(19).values('n')", router) == [19]
        code, text = cluster.ctl('check', 'g')
        assert code == 0, text


class Dev:
    """cardea dev on a folder."""

    def __init__(self, folder):
        self.process = subprocess.Popen([os.path.join(os.path.abspath(BUILD), 'cardea'), 'dev', '--data', folder,
                                         '--port', '0', '--shards', '3'], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.port = int(re.search(r'ws://127\.0\.0\.1:(\d+)/gremlin', line).group(1))

    def end(self, number):
        """Exit status."""
        self.process.send_signal(number)
        self.process.stdout.close()
        return self.process.wait(30)


@test
def one_process_survives_kill():
    with Cluster(BUILD) as cluster:
        folder = str(cluster.folder / 'dev')
        for i in range(3):
            dev = Dev(folder)
            cluster.ports['router-1'] = dev.port
            assert cluster.ask('g.V().count()') == [20 * i]
            for k in range(20):
                cluster.ask(f"g.addV('p').property(id, {20 * i + k})")
            if i > 0:
                cluster.ask(f"g.V({20 * i}).as('a').V(0).addE('back').from('a')")
            assert cluster.ask("g.V(0).in('back').count()") == [i]
            if i == 2:
                code, text = run('cardea', 'dev', '--data', folder)
                assert code == 1 and 'is in use by another process' in text, text
                code, text = run('cardea', 'dev', '--data', folder + '2', '--port', str(dev.port))
                assert code == 1 and f'cannot listen on 127.0.0.1:{dev.port}' in text, text
                assert cluster.ctl('check', 'g')[0] == 0
            assert dev.end(signal.SIGKILL if i < 2 else signal.SIGTERM) == (-9 if i < 2 else 0)


class Writers:
    """Clients that add edges and remember what was acknowledged."""

    def __init__(self, cluster, count):
        self.cluster, self.stop = cluster, threading.Event()
        self.acknowledged, self.unknown, self.errors = set(), set(), []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.write, args=(i,)) for i in range(count)]
        for thread in self.threads:
            thread.start()

    def write(self, writer):
        """Pairs of vertices with an edge between them, mostly on two shards: all or nothing."""
        number = 0
        while not self.stop.is_set():
            number += 1
            name = f'w{writer}-{number}'
            text = (f"g.addV('a').property(id, '{name}-a').as('a').addV('b').property(id, '{name}-b').as('b')"
                    ".addE('pair').from('a').to('b').count()")
            try:
                self.cluster.ask(text, f'router-{1 + number % 2}')
                with self.lock:
                    self.acknowledged.add(name)
            except Error as problem:
                with self.lock:
                    self.errors.append(str(problem))
                    self.unknown.add(name)
            except OSError as problem:
                with self.lock:
                    self.errors.append(str(problem))
                    self.unknown.add(name)
            except Exception as problem:
                with self.lock:
                    self.errors.append(repr(problem))
                    self.unknown.add(name)

    def end(self):
        """Waits for all."""
        self.stop.set()
        for thread in self.threads:
            thread.join()


@test
def nothing_acknowledged_is_lost():
    prng = random.Random(1)
    with Cluster(BUILD) as cluster:
        cluster.start()
        cluster.make_graph()
        writers = Writers(cluster, 4)
        for name in ['shard-2', 'coordinator', 'router-1', 'shard-1', 'router-2', 'coordinator', 'shard-3']:
            before = len(writers.acknowledged)
            until(lambda least=before + 10: len(writers.acknowledged) >= least or fail("none"), 'progress')
            cluster.kill(name)
            writers.stop.wait(prng.uniform(0, 0.3))
            cluster.start(name)
            before = len(writers.acknowledged)
            until(lambda least=before + 10: len(writers.acknowledged) >= least or fail("none"), f'after {name}')
        judge(cluster, writers)


@test
def frozen_processes_come_back():
    with Cluster(BUILD) as cluster:
        cluster.start()
        cluster.make_graph()
        writers = Writers(cluster, 4)
        for name in ['shard-2', 'coordinator', 'router-1']:
            process = cluster.processes[name]
            process.send_signal(signal.SIGSTOP)
            writers.stop.wait(4)
            process.send_signal(signal.SIGCONT)
            before = len(writers.acknowledged)
            until(lambda least=before + 10: len(writers.acknowledged) >= least or fail('none'), f'after {name}')
        judge(cluster, writers)


def judge(cluster, writers):
    """Nothing acknowledged is lost, nothing is there by half."""
    writers.end()
    for router in cluster.ports:
        cluster.ready(router)
    ids = set(cluster.ask_until("g.V().id()"))
    for name in writers.acknowledged:
        assert f'{name}-a' in ids and f'{name}-b' in ids, f'{name} is lost'
    for name in writers.unknown:
        assert (f'{name}-a' in ids) == (f'{name}-b' in ids), f'{name} is half there'
    edges = cluster.ask("g.V().hasLabel('a').as('a').out('pair').as('b').select('a','b').by(id)")
    assert len(edges) * 2 == len(ids), f'{len(edges)} edges, {len(ids)} vertices'
    assert all(edge['a'][:-1] == edge['b'][:-1] for edge in edges)
    code, text = until(lambda: checked(cluster), 'check')
    assert code == 0, text
    print(f'# {len(writers.acknowledged)} acknowledged, {len(writers.errors)} failed')


def checked(cluster):
    """cardeactl check, while nothing else goes on."""
    code, text = cluster.ctl('check', 'g')
    assert code == 0, text
    return code, text


@test
def without_the_coordinator_single_shards_work():
    with Cluster(BUILD) as cluster:
        cluster.start()
        cluster.make_graph()
        for i in range(10):
            cluster.ask(f"g.addV('p').property(id, {i})")
        cluster.kill('coordinator')
        for router in cluster.ports:
            for i in range(10):
                assert cluster.ask(f"g.V({i}).property('seen', '{router}').count()", router) == [1]
                assert cluster.ask(f"g.V({i}).values('seen')", router) == [router]
        cluster.start('coordinator')
        until(lambda: cluster.ask("g.V(0).as('a').V(1).addE('e').to('a').count()") == [1] or fail("no"), 'edge')


def main():
    """TAP."""
    failed = 0
    print(f'1..{len(TESTS)}')
    for number, function in enumerate(TESTS, 1):
        try:
            function()
            print(f'ok {number} - {function.__name__}', flush=True)
        except Exception:
            failed += 1
            print(f'not ok {number} - {function.__name__}')
            for line in traceback.format_exc().splitlines():
                print(f'# {line}', flush=True)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
