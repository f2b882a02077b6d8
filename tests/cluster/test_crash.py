#!/usr/bin/env python3
"""kill -9 of any process under a mixed write load, and its restart: nothing acknowledged is lost, no half edge.

    test_crash.py [--seconds 20] [--seed N]

The schedule of kills comes from the seed, which is printed first.
"""
import argparse
import os
import pathlib
import random
import subprocess
import sys
import time

from harness import ROOT, Cluster, wait_for
from client import Client, ServerError  # noqa: E402  (harness sets the path)


def driver_python():
    """The interpreter that tests/run.sh gave gremlinpython, else this one."""
    made = ROOT / 'tests/drivers/.venv/bin/python'
    return str(made) if made.exists() else sys.executable


def start_writers(ports, seconds):
    """Stock drivers where they are installed, plain sockets besides."""
    python = os.environ.get('CARDEA_PYTHON', driver_python())
    here = pathlib.Path(__file__).parent
    ports = [str(port) for port in ports]
    commands = [[python, str(here / 'writer.py'), ','.join(ports), 'p1', str(seconds)],
                [python, str(here / 'writer.py'), ','.join(reversed(ports)), 'p2', str(seconds)]]
    if (ROOT / 'tests/drivers/js/node_modules/gremlin').is_dir():
        script = str(ROOT / 'tests/drivers/js/writer.mjs')
        commands += [['node', script, ','.join(ports), 'j1', str(seconds)],
                     ['node', script, ','.join(reversed(ports)), 'j2', str(seconds)]]
    return {command[3]: subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands}


def one_shard_goes_on(cluster):
    """With the coordinator down, reads and one-shard writes on running nodes go on."""
    client = Client('127.0.0.1', cluster.ports[0], timeout=20)
    client.text('g', "g.addV('alone').property(T.id,'alone')")
    wait_for(lambda: client.text('g', "g.V('alone').count()"), 10, 'the vertex')
    cluster.kill('coordinator')
    try:
        assert client.text('g', "g.V('alone').property('x',1).count()"), 'one-shard write with the coordinator down'
        assert client.text('g', "g.V('alone').values('x')") == [{'@type': 'g:Int32', '@value': 1}]
        try:
            client.text('g', "g.with('evaluationTimeout',1500).addV('a').as('a').addV('b').as('b').addV('c').addE('x').from('a').to('b')")
        except ServerError as problem:
            print(f'# cross-shard write with the coordinator down: {problem}')
    finally:
        cluster.start('coordinator')
    wait_for(lambda: can_write(client), 30, 'cross-shard writes again')
    client.close()


def can_write(client):
    """A write over shards works."""
    try:
        client.text('g', "g.addV('p').as('a').addV('p').as('b').addV('p').addE('x').from('a').to('b')")
        return True
    except ServerError:
        return False


def verify(cluster, outcomes):
    """Each acknowledged chain link is there once."""
    client = Client('127.0.0.1', cluster.ports[1], timeout=60)
    lost, acknowledged = [], 0
    for prefix, lines in outcomes.items():
        acks = [tuple(map(int, line.split()[1:3])) for line in lines if line.startswith('ack')]
        acknowledged += len(acks)
        there = set(client.text('g', f"g.V().hasLabel('w').id().is(startingWith('{prefix}-'))"))
        edges = client.text('g', f"g.V().hasLabel('w').has(T.id,startingWith('{prefix}-')).outE('next').as('e').inV().id().as('b')"
                                 f".select('e').outV().id().as('a').select('a','b')")
        pairs = {(row['@value'][1], row['@value'][3]) for row in edges}
        for number, last in acks:
            if f'{prefix}-{number}' not in there:
                lost.append(f'vertex {prefix}-{number}')
            if last >= 0 and (f'{prefix}-{last}', f'{prefix}-{number}') not in pairs:
                lost.append(f'edge {prefix}-{last} -> {prefix}-{number}')
        if len(pairs) != len(edges):
            lost.append(f'{prefix}: an edge is there twice')
    client.close()
    return acknowledged, lost


def main():
    """Exit 1 if anything was lost or differs."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('--seconds', type=float, default=20)
    parser.add_argument('--seed', type=int, default=random.randrange(1 << 30))
    options = parser.parse_args()
    print(f'# seed {options.seed}')
    choose = random.Random(options.seed)
    with Cluster() as cluster:
        try:
            one_shard_goes_on(cluster)
            writers = start_writers(cluster.ports, options.seconds)
            end = time.monotonic() + options.seconds - 3
            kills = 0
            while time.monotonic() < end:
                time.sleep(choose.uniform(0.3, 1.2))
                name = choose.choice(cluster.names)
                cluster.kill(name)
                kills += 1
                time.sleep(choose.uniform(0.05, 0.6))
                cluster.start(name)
            outcomes = {prefix: writer.communicate(timeout=120)[0].splitlines() for prefix, writer in writers.items()}
            for port in cluster.ports:
                wait_for(lambda p=port: cluster.is_ready(p), 30, f'router at {port}')
            client = Client('127.0.0.1', cluster.ports[1], timeout=60)
            wait_for(lambda: can_write(client), 30, 'writes after the last restart')
            client.close()
            acknowledged, lost = verify(cluster, outcomes)
            maybe = sum(line.startswith('maybe') for lines in outcomes.values() for line in lines)
            differences, listed = cluster.check()
            print(f'# {kills} kills, {acknowledged} writes acknowledged, {maybe} not; {len(lost)} lost, {differences} differences')
            for line in (lost + listed)[:20]:
                print(f'#   {line}')
            if lost or differences or acknowledged < 50:
                print(cluster.tail())
                return 1
        except BaseException:
            print(cluster.tail())
            raise
    return 0


if __name__ == '__main__':
    sys.exit(main())
