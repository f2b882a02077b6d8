#!/usr/bin/env python3
"""Shards with replicas: a node that dies, is emptied, or is stopped by an operator loses nothing acknowledged.

    tests/cluster/test_replicas.py BUILD     TAP; real processes on loopback
"""
import pathlib
import random
import shutil
import signal
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from cluster import Cluster, Error, fail, until  # noqa: E402

WRITERS = 4
NODES = ['shard-1', 'shard-2', 'shard-3']


class Load:
    """Writes vertices and edges until it is stopped; knows what was acknowledged."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.acked = []
        self.errors = []
        self.is_over = False
        self.gaps = []
        self.threads = [threading.Thread(target=self.write, args=(k,)) for k in range(1, WRITERS + 1)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        for thread in self.threads:
            thread.join()

    def write(self, writer):
        """One client, a chain of vertices: each is linked to the one before, most often on another shard."""
        router = f'router-{writer % 2 + 1}'
        number, last = writer * 1000000, 0
        before = time.monotonic()
        while not self.is_over:
            number += 1
            link = f'.as("n").V({last}).addE("next").to("n")' if last else ''
            try:
                self.cluster.ask(f'g.addV("p").property(T.id,{number}){link}', router)
            except (Error, OSError) as problem:
                self.errors.append(str(problem))
                continue
            self.acked.append(number)
            last = number
            now = time.monotonic()
            self.gaps.append(now - before)
            before = now

    def goes_on(self, count=100):
        """Waits until so many more are acknowledged."""
        goal = len(self.acked) + count
        until(lambda: len(self.acked) >= goal or fail(f'{goal - len(self.acked)} writes are missing: {self.errors[-3:]}'),
              'writes go on')


def opened(build, replicas=2):
    """A cluster of three nodes with a graph."""
    cluster = Cluster(build)
    cluster.start()
    cluster.make_graph(shards=6, replicas=replicas)
    return cluster


def in_sync(cluster, replicas=2):
    """Waits until each shard has all its replicas in sync and is served."""
    def look():
        for number, row in cluster.shards().items():
            if not row['serving'] or len(row['insync'].split()) != replicas:
                fail(f'shard {number}: {row}')
    until(look, f'{replicas} in sync')


def primary(cluster):
    """A node that leads some shard."""
    return f"shard-{cluster.shards()[1]['node']}"


def nothing_is_lost(cluster, load):
    """All that was acknowledged is there, and no half of an edge."""
    there = set(cluster.ask_until('g.V().id()'))
    lost = [number for number in load.acked if number not in there]
    if lost:
        fail(f'{len(lost)} of {len(load.acked)} are lost: {lost[:5]}')
    code, text = cluster.ctl('check', 'g')
    if code != 0 or '0 differences' not in text:
        fail(text)


def a_killed_node_is_replaced(build):
    """kill -9 of each node in turn: others lead its shards, and it comes back in sync."""
    with opened(build) as cluster:
        with Load(cluster) as load:
            for name in NODES:
                load.goes_on()
                cluster.kill(name)
                load.goes_on()
                cluster.start(name)
                in_sync(cluster)
            load.goes_on()
        nothing_is_lost(cluster, load)
        print(f'# {len(load.acked)} acknowledged, {len(load.errors)} errors, writes stood still for {max(load.gaps):.2f} s at most')


def a_wiped_folder_is_rebuilt(build):
    """Each node in turn loses its disk: it is in sync again without a command."""
    with opened(build) as cluster:
        with Load(cluster) as load:
            for name in NODES:
                load.goes_on()
                cluster.kill(name)
                shutil.rmtree(cluster.folder / 'data' / name)
                load.goes_on()
                cluster.start(name)
                in_sync(cluster)
            load.goes_on()
        nothing_is_lost(cluster, load)


def a_frozen_node_is_replaced(build):
    """A primary that sleeps is replaced; when it wakes up it serves nothing old."""
    with opened(build) as cluster:
        with Load(cluster) as load:
            load.goes_on()
            name = primary(cluster)
            cluster.processes[name].send_signal(signal.SIGSTOP)
            until(lambda: primary(cluster) != name or fail(f'{name} still leads'), 'another leads')
            load.goes_on()
            cluster.processes[name].send_signal(signal.SIGCONT)
            in_sync(cluster)
            load.goes_on()
        nothing_is_lost(cluster, load)


def a_rolling_restart_is_not_noticed(build):
    """SIGTERM of each node in turn: it gives its shards away first, and no client sees an error."""
    with opened(build) as cluster:
        with Load(cluster) as load:
            for name in NODES:
                load.goes_on()
                if cluster.kill(name, signal.SIGTERM) != 0:
                    fail(f'{name} has not ended well')
                load.goes_on()
                cluster.start(name)
                in_sync(cluster)
            load.goes_on()
        nothing_is_lost(cluster, load)
        if load.errors:
            fail(f'{len(load.errors)} errors at clients: {load.errors[:3]}')
        print(f'# {len(load.acked)} acknowledged, writes stood still for {max(load.gaps):.3f} s at most')


def an_operator_hands_a_shard_over(build):
    """cardeactl shard failover: another leads, nobody sees an error; to a node that is not in sync it is refused."""
    with opened(build) as cluster:
        in_sync(cluster)
        with Load(cluster) as load:
            for number in cluster.shards():
                before = cluster.shards()[number]['node']
                code, text = cluster.ctl('shard', 'failover', f'g/{number}')
                if code != 0 or cluster.shards()[number]['node'] == before:
                    fail(f'shard {number} is led by node {before} still: {text}')
            load.goes_on()
        if load.errors:
            fail(f'{len(load.errors)} errors at clients: {load.errors[:3]}')
        row = cluster.shards()[1]
        stranger = ({1, 2, 3} - {int(node) for node in row['insync'].split()}).pop()
        code, text = cluster.ctl('shard', 'failover', 'g/1', '--to', str(stranger))
        if code != 1 or 'not in sync' not in text:
            fail(text)
        nothing_is_lost(cluster, load)


def the_number_of_replicas_is_changed(build):
    """graph set --replicas, up and down, under load."""
    with opened(build, replicas=1) as cluster:
        with Load(cluster) as load:
            for replicas in (3, 1, 2):
                load.goes_on()
                code, text = cluster.ctl('graph', 'set', 'g', '--replicas', str(replicas))
                if code != 0:
                    fail(text)
                in_sync(cluster, replicas)
        if load.errors:
            fail(f'{len(load.errors)} errors at clients: {load.errors[:3]}')
        nothing_is_lost(cluster, load)


def a_damaged_file_is_rebuilt(build):
    """Bytes of a node's files are flipped while it is down: it is rebuilt from the other replica."""
    with opened(build) as cluster:
        with Load(cluster) as load:
            load.goes_on(500)
            name = primary(cluster)
            cluster.kill(name, signal.SIGTERM)
            chance = random.Random(7)
            for path in (cluster.folder / 'data' / name).glob('shard-*.db'):
                data = bytearray(path.read_bytes())
                for _ in range(3):
                    data[chance.randrange(4096, len(data))] ^= 1 << chance.randrange(8)
                path.write_bytes(data)
            load.goes_on()
            cluster.start(name)
            in_sync(cluster)
            load.goes_on()
        for number in cluster.shards():
            cluster.ctl('shard', 'failover', f'g/{number}')
        nothing_is_lost(cluster, load)


def a_shard_without_a_primary_is_named(build):
    """One replica, and its node is dead: queries fail in seconds and name node and shard, status and the check of health do."""
    with opened(build, replicas=1) as cluster:
        in_sync(cluster, 1)
        victim = cluster.shards()[1]['node']
        cluster.kill(f'shard-{victim}')
        until(lambda: cluster.shards()[1]['health'] == f'NOT SERVED: node {victim} is down' or fail('not noticed'), 'noticed')
        for query in ('g.V().count()', 'g.addV("p").property(T.id,1).addV("p").property(T.id,2).addV("p").property(T.id,3)'
                      '.addV("p").property(T.id,4).addV("p").property(T.id,5).addV("p").property(T.id,6).count()'):
            try:
                fail(f'answered {cluster.ask(query)}')
            except Error as problem:
                if f'node {victim} at ' not in problem.body:
                    fail(problem.body)
        code, text = cluster.ctl('status')
        for word in ('see problems', f'node {victim} at tcp://127.0.0.1', f'shard g/1: NOT SERVED: node {victim} is down'):
            if code != 0 or word not in text:
                fail(f'"{word}" is not in:\n{text}')
        cluster.start(f'shard-{victim}')
        in_sync(cluster, 1)
        if 'health: ok' not in cluster.ctl('status')[1]:
            fail(cluster.ctl('status')[1])
        cluster.kill('coordinator')
        code, text = cluster.ctl('status')
        if code not in (1, 3) or 'tcp://127.0.0.1' not in text:
            fail(text)


TESTS = [a_shard_without_a_primary_is_named, a_killed_node_is_replaced, a_wiped_folder_is_rebuilt, a_frozen_node_is_replaced, a_rolling_restart_is_not_noticed,
         an_operator_hands_a_shard_over, the_number_of_replicas_is_changed, a_damaged_file_is_rebuilt]


def main():
    """TAP."""
    only = sys.argv[2:]
    tests = [test for test in TESTS if not only or test.__name__ in only]
    print(f'1..{len(tests)}', flush=True)
    failed = 0
    for number, test in enumerate(tests, 1):
        try:
            test(sys.argv[1])
            print(f'ok {number} - {test.__name__}', flush=True)
        except (AssertionError, OSError, Error) as problem:
            failed = 1
            print(f'not ok {number} - {test.__name__}', flush=True)
            for line in str(problem).splitlines():
                print(f'# {line}', flush=True)
    return failed


if __name__ == '__main__':
    sys.exit(main())
