#!/usr/bin/env python3
"""A cluster with keys: it serves, nothing goes over the wire in plain text, and who has no key gets no answer.

    tests/cluster/test_keys.py BUILD     TAP; real processes on loopback
"""
import pathlib
import select
import socket
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from cluster import Cluster, fail, until  # noqa: E402

SECRET = 'nobody-reads-this-on-the-wire'


class Tap(threading.Thread):
    """A TCP relay to one process that keeps every byte it passes on."""

    def __init__(self, target):
        super().__init__(daemon=True)
        self.target = target
        self.seen = bytearray()
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]

    def run(self):
        """Accepts until the listener is closed."""
        while True:
            try:
                near, _ = self.listener.accept()
                far = socket.create_connection(('127.0.0.1', self.target))
            except OSError:
                return
            threading.Thread(target=self.relay, args=(near, far), daemon=True).start()

    def relay(self, near, far):
        """Both ways, until one side ends."""
        try:
            while True:
                for source in select.select([near, far], [], [])[0]:
                    data = source.recv(65536)
                    if not data:
                        return
                    self.seen += data
                    (far if source is near else near).sendall(data)
        except OSError:
            return
        finally:
            near.close()
            far.close()


def relayed(cluster):
    """All that is said to shard node 1 goes through a relay."""
    arguments = cluster.arguments['shard-1']
    port = int(arguments[arguments.index('--bind') + 1].rsplit(':', 1)[1])
    tap = Tap(port)
    tap.start()
    cluster.arguments['shard-1'] = arguments + ['--advertise', f'tcp://127.0.0.1:{tap.port}']
    return tap


def play(build, extra):
    """Writes and reads a secret; gives what went over the wire to the shard node, which has all shards."""
    with Cluster(build, shards=1) as cluster:
        tap = relayed(cluster)
        cluster.start(extra=extra)
        cluster.make_graph(shards=3)
        for i in range(30):
            cluster.ask_until(f"g.mergeV([(T.id): {i}, (T.label): 'note', text: '{SECRET}'])")
        found = cluster.ask(f"g.V().has('text', '{SECRET}').count()")
        tap.listener.close()
        return found, bytes(tap.seen)


def make_keys(build, folder):
    """cardeactl keys init, twice: the second time it refuses."""
    first = subprocess.run([build / 'cardeactl', 'keys', 'init', folder], capture_output=True, text=True, check=False)
    second = subprocess.run([build / 'cardeactl', 'keys', 'init', folder], capture_output=True, text=True, check=False)
    return first, second


def stranger(build, keys):
    """A router without keys finds no cluster; an address of all interfaces without keys is refused at the start."""
    with Cluster(build, shards=1, routers=2) as cluster:
        cluster.start('coordinator', 'shard-1', 'router-1', extra=['--keys-dir', str(keys)])
        cluster.start('router-2')
        until(lambda: cluster.ctl('graph', 'create', 'g', '--shards', '1')[0] == 0 or fail('not yet'), 'graph create')
        cluster.ready('router-1')
        status, _ = cluster.get('/readyz', 'router-2')
        said = cluster.log('router-2')
        bare = subprocess.run([cluster.build / 'cardea-shardd', '--bind', 'tcp://0.0.0.0:0', '--data-dir',
                               cluster.folder / 'bare'], capture_output=True, text=True, timeout=30, check=False)
        return status, said, bare


def main():
    """The checks, as TAP."""
    build = pathlib.Path(sys.argv[1]).resolve()
    checks = []
    with Cluster(build) as scratch:
        keys = scratch.folder / 'keys'
        first, second = make_keys(build, keys)
        checks.append((first.returncode == 0 and second.returncode == 1 and 'is there' in second.stderr,
                       'keys are made once', first.stderr + second.stderr))
        found, wire = play(build, [])
        checks.append((found == [30] and SECRET.encode() in wire, 'without keys the wire shows the text', found))
        found, wire = play(build, ['--keys-dir', str(keys)])
        checks.append((found == [30], 'a cluster with keys serves', found))
        checks.append((len(wire) > 1000 and SECRET.encode() not in wire and b'cardea' not in wire,
                       'with keys it shows neither text nor greeting', len(wire)))
        status, said, bare = stranger(build, keys)
        checks.append((status == 503, 'a router without a key is never ready', status))
        checks.append(('refused' not in said, 'it is told nothing', said))
        checks.append((bare.returncode == 2 and 'insecure = true' in bare.stderr,
                       'listening beyond the machine without keys is refused', bare.stderr))
    print(f'1..{len(checks)}')
    for number, (is_good, what, why) in enumerate(checks, 1):
        print(f'{"ok" if is_good else "not ok"} {number} - {what}')
        if not is_good:
            print(f'# {why}'[:2000])
    return 0 if all(check[0] for check in checks) else 1


if __name__ == '__main__':
    sys.exit(main())
