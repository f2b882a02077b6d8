#!/usr/bin/env python3
"""Several hosts on one machine: each process in a network namespace of its own, cut off, killed, frozen, with full, flipped and empty disks.

    test_nemesis.py BUILD [--seed N] [--partitions N] [--kills N]     TAP; needs root, skipped elsewhere

Under transfers between accounts, registrations and edges. In every read the sum of the accounts is what it was; after each fault nothing
acknowledged is lost and cardeactl check finds nothing. How long writes to a shard stood still is printed. The schedule comes from the seed.
"""
import argparse
import collections
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from cluster import ROOT, Cluster, Error, fail, until, untyped  # noqa: E402

HOSTS = {'coordinator': 1, 'shard-1': 11, 'shard-2': 12, 'shard-3': 13, 'router-1': 21, 'router-2': 22}
NODES = ['shard-1', 'shard-2', 'shard-3']
ROUTERS = ['router-1', 'router-2']
NET, HUB = '10.213.7', 100
ACCOUNTS, BALANCE = 12, 100
PROBES, PROBE_ID = 6, 9001
WRITERS = 4
DISK_MB = 96
PATIENCE = 10.0


def run(*words, check=True):
    """A command; its exit status."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise OSError(f'{" ".join(words)}: {done.stderr.strip()}')
    return done.returncode


# ---- namespaces ----

def make_net(prefix):
    """A hub with a bridge, and a namespace for each process at the end of a cable."""
    run('ip', 'netns', 'add', f'{prefix}hub')
    run('ip', '-n', f'{prefix}hub', 'link', 'set', 'lo', 'up')
    run('ip', '-n', f'{prefix}hub', 'link', 'add', 'name', 'hub', 'type', 'bridge')
    run('ip', '-n', f'{prefix}hub', 'addr', 'add', f'{NET}.{HUB}/24', 'dev', 'hub')
    run('ip', '-n', f'{prefix}hub', 'link', 'set', 'hub', 'up')
    for name, number in HOSTS.items():
        space = prefix + name
        run('ip', 'netns', 'add', space)
        run('ip', '-n', f'{prefix}hub', 'link', 'add', 'name', f'v{number}', 'type', 'veth', 'peer', 'name', 'eth', 'netns', space)
        run('ip', '-n', f'{prefix}hub', 'link', 'set', f'v{number}', 'master', 'hub', 'up')
        run('ip', '-n', space, 'link', 'set', 'lo', 'up')
        run('ip', '-n', space, 'addr', 'add', f'{NET}.{number}/24', 'dev', 'eth')
        run('ip', '-n', space, 'link', 'set', 'eth', 'up')


def drop_net(prefix):
    """Interfaces go with their namespaces."""
    for name in ['hub', *HOSTS]:
        run('ip', 'netns', 'del', prefix + name, check=False)


class Hosts(Cluster):
    """The cluster on hosts of its own; the test is in the hub."""

    def __init__(self, build, prefix):
        super().__init__(build)
        self.prefix = prefix
        at = {name: f'{NET}.{number}' for name, number in HOSTS.items()}
        coordinator = f'tcp://{at["coordinator"]}:7101'
        for name in HOSTS:
            kind = name.split('-', maxsplit=1)[0]
            program = {'coordinator': 'cardea-coordinator', 'shard': 'cardea-shardd', 'router': 'cardea-router'}[kind]
            bind = {'coordinator': 7101, 'shard': 7201, 'router': 7301}[kind]
            more = ['--address', at[name], '--port', '8182'] if kind == 'router' else []
            self.arguments[name] = [program, f'{name}.cfg', '--bind', f'tcp://{at[name]}:{bind}', '--coordinators', coordinator,
                                    '--insecure', 'true', *more]
        self.at = at
        self.ports = {name: 8182 for name in ROUTERS}
        for name in NODES:  # Small disks of their own; the mounts end with this process's mount namespace.
            path = self.folder / 'data' / name
            path.mkdir(parents=True)
            run('mount', '-t', 'tmpfs', '-o', f'size={DISK_MB}m', 'cardea-nemesis', str(path))

    def __exit__(self, *_):
        for name in list(self.processes):
            if self.processes[name].poll() is None:
                self.processes[name].send_signal(signal.SIGCONT)
            self.kill(name)
        for name in NODES:
            run('umount', str(self.folder / 'data' / name), check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, *names, extra=()):
        for name in names or self.arguments:
            program, config, *rest = self.arguments[name]
            with open(self.folder / f'{name}.log', 'ab') as log:
                self.processes[name] = subprocess.Popen(
                    ['ip', 'netns', 'exec', self.prefix + name, self.build / program, ROOT / 'config/cluster-3' / config, *rest,
                     *extra], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def get(self, path, router='router-1', method='GET', body=None):
        connection = http.client.HTTPConnection(self.at[router], 8182, timeout=PATIENCE)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def ctl(self, *arguments):
        """At whichever router answers."""
        for router in ROUTERS:
            done = subprocess.run([self.build / 'cardeactl', '--router', f'{self.at[router]}:8182', *arguments],
                                  capture_output=True, text=True, timeout=120, check=False)
            if done.returncode == 0:
                break
        return done.returncode, done.stdout + done.stderr

    def shards(self):
        code, text = self.ctl('--output', 'json', 'status')
        if code != 0:
            raise AssertionError(text)
        return {row['shard']: row for row in json.loads(text)['graphs'][0]['shards']}

    # ---- cables ----

    def cable(self, name, is_up):
        """Both ways."""
        run('ip', '-n', f'{self.prefix}hub', 'link', 'set', f'v{HOSTS[name]}', 'up' if is_up else 'down')

    def mute(self, name, others, is_mute):
        """What `name` says to the others is lost; what they say arrives."""
        for other in others:
            run('ip', '-n', self.prefix + name, 'route', 'add' if is_mute else 'del', 'blackhole', f'{NET}.{HOSTS[other]}/32')


# ---- load ----

class Load:
    """Transfers, registrations with edges, one probe of each shard through each router, and a reader of the sum."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.acked, self.errors, self.wrong = [], collections.Counter(), []
        self.transfers = self.sums = 0
        self.probes = {probe: [] for probe in range(PROBES)}
        self.is_over, self.is_paused, self.busy = False, False, 0
        self.lock = threading.Lock()
        kinds = [(self.register, k) for k in range(1, WRITERS + 1)] + [(self.transfer, k) for k in range(2)] + [(self.read, 0)]
        kinds += [(self.probe, probe * 2 + side) for probe in range(PROBES) for side in range(2)]
        self.threads = [threading.Thread(target=self.work, args=kind, daemon=True) for kind in kinds]

    def __enter__(self):
        ask = self.cluster.ask_until
        for number in range(ACCOUNTS):
            ask(f'g.addV("acct").property(T.id,{number + 1}).property("b",{BALANCE})')
        for probe in range(PROBES):
            ask(f'g.addV("probe").property(T.id,{PROBE_ID + probe})')
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        for thread in self.threads:
            thread.join(60)

    def work(self, step, worker):
        """One client: at the other router after each error."""
        turn, state, chance = worker, {}, random.Random(worker)
        while not self.is_over:
            with self.lock:
                is_held = self.is_paused
                self.busy += not is_held
            if is_held:
                time.sleep(0.02)
                continue
            try:
                step(worker, ROUTERS[turn % 2], state, chance)
            except (Error, OSError, http.client.HTTPException) as problem:
                self.errors[str(problem)[:90]] += 1
                turn += step != self.probe  # A probe stays: the other side has its own.
                time.sleep(0.01)
            finally:
                with self.lock:
                    self.busy -= 1

    def register(self, worker, router, state, _chance):
        """A vertex with an id of its own, linked to the one before."""
        number = state['number'] = state.get('number', worker * 1000000) + 1
        link = f'.as("n").V({state["last"]}).addE("next").to("n")' if 'last' in state else ''
        self.cluster.ask(f'g.addV("p").property(T.id,{number}){link}', router)
        self.acked.append(number)
        state['last'] = number

    def transfer(self, _worker, router, _state, chance):
        """From an account to another one, mostly on two shards: one statement, all or nothing."""
        a, b = chance.sample(range(1, ACCOUNTS + 1), 2)
        amount = chance.randint(1, 9)
        add = '.property(single,"b",__.union(__.values("b"),__.constant({})).sum())'
        self.cluster.ask(f'g.V({a}){add.format(-amount)}.V({b}){add.format(amount)}.iterate()', router)
        self.transfers += 1

    def read(self, _worker, router, _state, _chance):
        """The sum never changes."""
        found = self.cluster.ask('g.V().hasLabel("acct").values("b").sum()', router)
        if found != [ACCOUNTS * BALANCE]:
            self.wrong.append(found)
        self.sums += 1
        time.sleep(0.02)

    def probe(self, worker, router, _state, _chance):
        """A write to one shard; the two sides together tell how long it stood still."""
        self.cluster.ask(f'g.V({PROBE_ID + worker // 2}).property(single,"t",{time.monotonic_ns() // 1000})', ROUTERS[worker % 2])
        self.probes[worker // 2].append(time.monotonic())
        time.sleep(0.02)

    def goes_on(self, count=40):
        """Waits until so many more are acknowledged."""
        goal = len(self.acked) + count
        until(lambda: len(self.acked) >= goal or fail(f'{goal - len(self.acked)} writes are missing: {self.errors.most_common(3)}'),
              'writes go on')

    def pause(self, seconds, since):
        """The longest time without a write to some shard in a window."""
        longest = 0.0
        for times in self.probes.values():
            inside = [since] + [t for t in list(times) if since <= t <= seconds] + [seconds]
            longest = max([longest] + [b - a for a, b in zip(inside, inside[1:])])
        return longest

    def check(self):
        """With the load held: nothing acknowledged is lost, no half of an edge, the sum is what it was."""
        self.is_paused = True
        try:
            until(lambda: self.busy == 0 or fail(f'{self.busy} requests under way'), 'the load is held')
            there = set(self.cluster.ask_until('g.V().hasLabel("p").id()'))
            lost = [number for number in self.acked if number not in there]
            if lost:
                fail(f'{len(lost)} of {len(self.acked)} are lost: {lost[:5]}')
            until(lambda: self.cluster.ask('g.V().hasLabel("acct").values("b").sum()') == [ACCOUNTS * BALANCE]
                  or fail('the sum has changed'), 'sum')
            if self.wrong:
                fail(f'reads of the sum: {self.wrong[:5]}')
            until(self.no_differences, 'check')
        finally:
            self.is_paused = False

    def no_differences(self):
        """cardeactl check; what is in doubt ends within seconds."""
        code, text = self.cluster.ctl('check', 'g')
        if code != 0 or '0 differences' not in text:
            fail(text)


def in_sync(cluster):
    """Waits until each shard has all its replicas in sync and is served."""
    def look():
        for number, row in cluster.shards().items():
            if not row['serving'] or len(row['insync'].split()) != 2:
                fail(f'shard {number}: {row}')
    until(look, 'in sync')


# ---- faults ----

class Nemesis:
    """One fault after the other."""

    def __init__(self, cluster, load, seed):
        self.cluster, self.load, self.chance = cluster, load, random.Random(seed)
        self.pauses = collections.defaultdict(list)

    def primary(self):
        """A node that leads some shard."""
        return f"shard-{self.chance.choice(list(self.cluster.shards().values()))['node']}"

    def strike(self, kind, fault, *arguments):
        """Carries out a fault and its end, waits until all is well, checks."""
        in_sync(self.cluster)
        print(f'# {kind} {" ".join(map(str, arguments))}', flush=True)
        since = time.monotonic()
        fault(*arguments)
        in_sync(self.cluster)
        self.load.goes_on()
        self.pauses[kind].append(self.load.pause(time.monotonic(), since))
        self.load.check()

    def cut(self, name, seconds):
        """A host is cut off."""
        self.cluster.cable(name, False)
        time.sleep(seconds)
        self.cluster.cable(name, True)

    def cut_one_way(self, name, others, seconds):
        """What a host says is lost."""
        self.cluster.mute(name, others, True)
        time.sleep(seconds)
        self.cluster.mute(name, others, False)

    def kill(self, name, seconds):
        """kill -9, and a start."""
        self.cluster.kill(name)
        time.sleep(seconds)
        self.cluster.start(name)

    def freeze(self, name, seconds):
        """SIGSTOP, SIGCONT."""
        self.cluster.processes[name].send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.cluster.processes[name].send_signal(signal.SIGCONT)

    def fill(self, name, seconds):
        """No room on a node's disk; its shards are led by others meanwhile."""
        path = self.cluster.folder / 'data' / name / 'ballast'
        with open(path, 'wb', buffering=0) as ballast:
            try:
                while True:
                    if ballast.write(bytes(1 << 16)) == 0:
                        break
            except OSError:
                pass
        time.sleep(seconds)
        path.unlink()

    def flip(self, name):
        """A bit in each of a stopped node's files."""
        self.cluster.kill(name, signal.SIGTERM)
        for path in (self.cluster.folder / 'data' / name).glob('shard-*.db'):
            with open(path, 'r+b') as data:
                place = self.chance.randrange(4096, path.stat().st_size)
                data.seek(place)
                old = data.read(1)[0]
                data.seek(place)
                data.write(bytes([old ^ 1 << self.chance.randrange(8)]))
        self.cluster.start(name)
        # What nobody reads is not found: all that this node holds is read as a primary, before another disk may fail.
        for _ in range(2):
            in_sync(self.cluster)
            for number in self.cluster.shards():
                self.cluster.ctl('shard', 'failover', f'g/{number}')
            self.cluster.ctl('check', 'g')

    def wipe(self, name):
        """The folder of a killed node is emptied."""
        self.cluster.kill(name)
        time.sleep(1.5)
        for path in (self.cluster.folder / 'data' / name).iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        self.cluster.start(name)

    def roll(self):
        """Each process in turn is ended in order and started again."""
        for name in HOSTS:
            if self.cluster.kill(name, signal.SIGTERM) != 0:
                fail(f'{name} has not ended well')
            self.cluster.start(name)
            in_sync(self.cluster)
            self.load.goes_on(10)

    def partition(self):
        """One of all kinds of partitions."""
        kind = self.chance.choice(['primary', 'primary', 'coordinator', 'router', 'one way', 'to the coordinator'])
        seconds = self.chance.choice([0.3, 1.0, 2.0, 4.0])
        if kind == 'one way':
            name = self.primary()
            self.strike('partition, one way', self.cut_one_way, name, [other for other in HOSTS if other != name], seconds)
        elif kind == 'to the coordinator':
            self.strike('partition, one way to the coordinator', self.cut_one_way, self.primary(), ['coordinator'], seconds)
        else:
            name = self.primary() if kind == 'primary' else self.chance.choice(ROUTERS) if kind == 'router' else kind
            self.strike(f'partition of a {kind}', self.cut, name, seconds)

    def all_once(self):
        """The short test."""
        self.strike('partition of a primary', self.cut, self.primary(), 2.0)
        name = self.primary()
        self.strike('partition, one way', self.cut_one_way, name, [other for other in HOSTS if other != name], 2.0)
        self.strike('partition of a coordinator', self.cut, 'coordinator', 1.0)
        self.strike('partition of a router', self.cut, 'router-1', 0.5)
        self.strike('kill of a node', self.kill, self.primary(), 0.5)
        self.strike('kill of the coordinator', self.kill, 'coordinator', 0.2)
        self.strike('SIGSTOP', self.freeze, self.primary(), 2.0)
        self.strike('disk full', self.fill, self.primary(), 2.0)
        self.strike('flipped bits', self.flip, self.primary())
        self.strike('wiped folder', self.wipe, self.primary())
        self.strike('rolling restart', self.roll)

    def at_length(self, partitions, kills):
        """The long one."""
        for _ in range(partitions):
            self.partition()
        for _ in range(kills):
            for name in HOSTS:
                kind = name.split('-', maxsplit=1)[0]
                self.strike(f'kill of a {kind}', self.kill, name, self.chance.choice([0.0, 0.3, 2.0]))
        for seconds in (0.1, 0.5, 1.0, 2.0, 5.0, 10.0):
            for name in (self.primary(), 'coordinator', 'router-2'):
                self.strike('SIGSTOP', self.freeze, name, seconds)
        for name in NODES:
            self.strike('disk full', self.fill, name, 3.0)
            self.strike('flipped bits', self.flip, name)
            self.strike('wiped folder', self.wipe, name)
        self.strike('rolling restart', self.roll)

    def figures(self):
        """p50 and worst of each kind."""
        for kind, values in self.pauses.items():
            values = sorted(values)
            print(f'# writes to a shard stood still, {kind}: p50 {values[len(values) // 2]:.2f} s, worst {values[-1]:.2f} s'
                  f' of {len(values)}')


def inside(options):
    """In the hub's namespace."""
    print(f'# seed {options.seed}', flush=True)
    with Hosts(options.build, options.inside) as cluster:
        cluster.start()
        cluster.make_graph(shards=PROBES, replicas=2)
        in_sync(cluster)
        with Load(cluster) as load:
            nemesis = Nemesis(cluster, load, options.seed)
            try:
                load.goes_on()
                if options.partitions or options.kills:
                    nemesis.at_length(options.partitions, options.kills)
                else:
                    nemesis.all_once()
            finally:
                nemesis.figures()
                print(f'# {len(load.acked)} registrations, {load.transfers} transfers, {load.sums} reads of the sum,'
                      f' {sum(load.errors.values())} errors {load.errors.most_common(3)}', flush=True)
                if sys.exc_info()[0] is not None:
                    for name in NODES:
                        folder = cluster.folder / 'data' / name
                        files = sorted((path.stat().st_size, str(path.relative_to(folder))) for path in folder.rglob('*') if path.is_file())
                        print(f'# {name}: {shutil.disk_usage(folder).free} bytes free, largest files {files[-6:]}')
                    for path in sorted(cluster.folder.glob('*.log')):
                        for line in path.read_text(errors='replace').splitlines()[-12:]:
                            print(f'# {path.stem}: {line}')


def main():
    """TAP."""
    parser = argparse.ArgumentParser()
    parser.add_argument('build')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--partitions', type=int, default=0)
    parser.add_argument('--kills', type=int, default=0)
    parser.add_argument('--inside', default='', help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        try:
            inside(options)
        except (AssertionError, OSError, Error, http.client.HTTPException) as problem:
            for line in str(problem).splitlines():
                print(f'# {line}', flush=True)
            return 1
        return 0
    prefix = f'cardea{os.getpid()}-'
    print('1..1', flush=True)
    if shutil.which('ip') is None or os.geteuid() != 0 or run('ip', 'netns', 'add', f'{prefix}hub', check=False) != 0:
        print('ok 1 - nemesis # SKIP needs root and network namespaces (ip netns add)')
        return 0
    run('ip', 'netns', 'del', f'{prefix}hub')
    try:
        make_net(prefix)
        code = subprocess.run(['ip', 'netns', 'exec', f'{prefix}hub', sys.executable, __file__, *sys.argv[1:], '--inside', prefix],
                              check=False).returncode
    finally:
        drop_net(prefix)
    print(f'{"ok" if code == 0 else "not ok"} 1 - nemesis', flush=True)
    return code


if __name__ == '__main__':
    sys.exit(main())
