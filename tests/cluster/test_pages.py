#!/usr/bin/env python3
"""The pages of each daemon: health, readiness as things change, metrics as Prometheus wants them, dumps.

    tests/cluster/test_pages.py BUILD_DIR        TAP
"""
import json
import shutil
import signal
import subprocess
import sys
import threading
import traceback

import exposition
from cluster import Cluster, Error, fail, until

BUILD = sys.argv[1] if len(sys.argv) > 1 else 'build'
TESTS = []


def test(function):
    """Registers."""
    TESTS.append(function)
    return function


def names(cluster):
    """Of the processes that run."""
    return sorted(cluster.processes)


def ready(cluster, name):
    """Whether a process says that it is ready, and why."""
    status, text = cluster.page(name, '/readyz')
    assert text.startswith('ready\n' if status == 200 else 'not ready\n'), text
    return status == 200, text


def metrics(cluster, name):
    """Checked samples; by promtool, too, where there is one."""
    status, text = cluster.page(name, '/metrics')
    assert status == 200
    if shutil.which('promtool'):
        done = subprocess.run(['promtool', 'check', 'metrics'], input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr + done.stdout
    return exposition.check(text)


def total(samples, name):
    """The sum of all samples of a name."""
    return sum(value for (one, _), value in samples.items() if one == name)


@test
def every_daemon_has_its_pages():
    with Cluster(BUILD) as cluster:
        cluster.start()
        cluster.make_graph()
        for i in range(10):
            cluster.ask(f"g.addV('p').property(id, {i})")
        cluster.ask("g.addE('e').from(__.V(1)).to(__.V(2))")
        cluster.ask('g.V().out().count()')
        until(lambda: sum(total(metrics(cluster, f'shard-{i}'), 'cardea_shard_edges') for i in (1, 2, 3)) == 2
              or fail('not counted'), 'elements are counted once a second')
        sums = {}
        for name in names(cluster):
            assert cluster.page(name, '/healthz') == (200, 'ok\n'), name
            assert cluster.page(name, '/nowhere')[0] == 404
            until(lambda n=name: ready(cluster, n)[0] or fail(ready(cluster, n)[1]), f'{name} ready')
            samples = metrics(cluster, name)
            for (sample, _), value in samples.items():
                sums[sample] = sums.get(sample, 0) + value
            if name.startswith('coordinator'):
                assert total(samples, 'cardea_shards') == 4 and total(samples, 'cardea_shards_led') == 4
                assert total(samples, 'cardea_nodes_up') == 3
            if name.startswith('shard'):
                assert samples['cardea_registered', ''] == 1
            if name == 'router-1':
                assert samples['cardea_query_seconds_count', 'kind="write"'] == 11
                assert samples['cardea_query_seconds_count', 'kind="read"'] == 1
                assert samples['cardea_asked_seconds_count', 'verb="READ"'] > 0
            assert cluster.page(name, '/debug/')[0] == 200
            status, dump = cluster.page(name, '/debug/dump')
            kind = name.split('-')[0].replace('shard', 'node')
            assert status == 200 and dump.startswith(kind + ' '), dump
            assert 'msg="started"' in cluster.page(name, '/debug/log')[1]
        assert sums['cardea_shard_vertices'] == 20 and sums['cardea_shard_edges'] == 2, 'on two replicas each'
        assert sums['cardea_shard_serving'] == 4 and sums['cardea_shard_in_sync'] == 8
        assert sums['cardea_shard_fsyncs_total'] > 10
        assert sums['cardea_served_seconds_count'] > 20
        assert sums['cardea_shard_lag_entries'] == 0


@test
def a_query_is_found_and_ended():
    with Cluster(BUILD) as cluster:
        cluster.start()
        cluster.make_graph()
        answers = []
        slow = 'g.inject(1).repeat(__.union(__.identity(), __.identity())).times(60).count()'

        def ask():
            try:
                answers.append(cluster.ask(slow))
            except Error as error:
                answers.append(error)
        for stop in 'cardeactl', 'http':
            thread = threading.Thread(target=ask)
            thread.start()
            def listed():
                found = json.loads(cluster.get('/gremlin/status')[1])['queries']
                return found[0] if found and found[0]['queryString'] == slow else fail('not listed')
            found = until(listed, 'listed')
            if stop == 'http':
                assert cluster.get(f'/gremlin/status?cancelQuery&queryId={found["queryId"]}')[0] == 200
            else:
                code, text = cluster.ctl('--output', 'json', 'queries')
                assert code == 0 and json.loads(text)['queries'][0]['text'] == slow, text
                assert cluster.ctl('kill', '1-999')[0] == 1
                code, text = cluster.ctl('kill', json.loads(text)['queries'][0]['id'])
                assert code == 0, text
            thread.join(30)
            assert isinstance(answers[-1], Error) and 'cancelled by an operator' in answers[-1].body, answers
        assert cluster.ask('g.inject(1)') == [1]


@test
def a_slow_query_is_told_with_its_plan():
    with Cluster(BUILD) as cluster:
        cluster.start(extra=[])
        cluster.make_graph()
        cluster.ask("g.addV('p').property('n', 1)")
        assert 'slow query' not in cluster.log('router-1')
        cluster.kill('router-1', signal.SIGTERM)
        cluster.start('router-1', extra=['--slow-ms=1'])
        cluster.ready()
        text = "g.V().out().inject(1).repeat(__.union(__.identity(), __.identity())).times(16).count()"
        assert cluster.ask(text) == [65536]
        def told():
            lines = [line for line in cluster.log('router-1').split('\n') if 'warn query' in line]
            return lines if len(lines) >= 3 else fail('not told')
        lines = until(told, 'slow query')
        assert text in lines[0] and 'kind=read' in lines[0] and 'request=' in lines[0], lines
        assert 'plan="vertices' in lines[1] and 'operators="vertices' in lines[2] and ' requests (' in lines[2], lines
        assert '\nslow: query=1-' in cluster.page('router-1', '/debug/dump')[1]


@test
def readiness_is_the_truth():
    with Cluster(BUILD) as cluster:
        cluster.start('shard-1', 'router-1')
        assert 'no coordinator knows this process yet' in ready(cluster, 'shard-1')[1]
        assert not ready(cluster, 'shard-1')[0]
        assert 'no coordinator has given a map' in ready(cluster, 'router-1')[1]
        cluster.start(*[name for name in cluster.arguments if name not in cluster.processes])
        until(lambda: ready(cluster, 'shard-1')[0] or fail('not ready'), 'shard-1')
        assert not ready(cluster, 'router-1')[0], 'there is no graph yet'
        cluster.make_graph(6, 1)
        until(lambda: ready(cluster, 'router-1')[0] or fail('not ready'), 'router-1')
        cluster.kill('shard-2', signal.SIGTERM)
        body = '{"gremlin": "g.with(\'evaluationTimeout\', 1000).V().count()"}'
        def told():
            """A router looks for a newer map when a shard does not answer."""
            cluster.get('/gremlin', method='POST', body=body)
            return ', 0 of them without a primary' not in ready(cluster, 'router-1')[1] or fail('not told')
        until(told, 'told')
        assert ready(cluster, 'router-1')[0], 'the others are served'
        cluster.start('shard-2')
        until(lambda: ready(cluster, 'shard-2')[0] or fail(ready(cluster, 'shard-2')[1]), 'shard-2')
        cluster.ask_until('g.V().count()')
        until(lambda: ', 0 of them without a primary' in ready(cluster, 'router-1')[1] or fail('not told'), 'told')


@test
def the_checker_refuses():
    good = '# HELP a A.\n# TYPE a gauge\na{x="1"} 2\n'
    assert exposition.check(good) == {('a', 'x="1"'): 2.0}
    for bad in ['a 1\n', good[:-1], good + 'a{x="1"} 3\n', good + 'b 1\n', good + good, good.replace('gauge', 'counter'),
                good.replace('"1"', '"1'), '# HELP h H\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_sum 1\nh_count 1\n']:
        try:
            exposition.check(bad)
        except AssertionError:
            continue
        raise AssertionError(f'accepted: {bad}')


def main():
    """Runs all."""
    print(f'1..{len(TESTS)}')
    failed = 0
    for number, function in enumerate(TESTS, 1):
        try:
            function()
            print(f'ok {number} - {function.__name__}')
        except Exception:
            failed += 1
            print(f'not ok {number} - {function.__name__}')
            print('# ' + traceback.format_exc().replace('\n', '\n# '))
        sys.stdout.flush()
    return failed


if __name__ == '__main__':
    sys.exit(min(main(), 1))
