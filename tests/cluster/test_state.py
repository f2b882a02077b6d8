#!/usr/bin/env python3
"""State that was lost or replaced is noticed, said, and never served as if nothing were wrong.

    tests/cluster/test_state.py BUILD     TAP; real processes on loopback
"""
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from cluster import ROOT, Cluster, Error, fail, free_ports, until  # noqa: E402

VERTICES = 40


class Skip(Exception):
    """The test cannot be run here: why."""


def says(cluster, name, text):
    """Waits until a process has logged the text."""
    until(lambda: text in cluster.log(name) or fail(f'{name} does not say "{text}"'), text)


def shows(cluster, text):
    """Waits until cardeactl status shows the text."""
    def look():
        shown = cluster.ctl('status')[1]
        return text in shown or fail(f'status does not show "{text}":\n{shown}')
    until(look, text)


def refuses(cluster):
    """A count over all shards is refused, not answered with what is left."""
    try:
        found = cluster.ask("g.with('evaluationTimeout',1500).V().count()")
    except Error:
        return
    raise AssertionError(f'answered {found}')


def filled(build):
    """A cluster of one shard node with vertices on each of its two shards."""
    cluster = Cluster(build, shards=1, routers=1)
    cluster.start()
    cluster.make_graph(shards=2)
    for i in range(VERTICES):
        cluster.ask_until(f"g.mergeV([(T.id): {i}])")
    return cluster


def files(cluster):
    """The folder of the shard node, and the file of its first shard."""
    found = sorted(cluster.folder.rglob('shard-*.db'))
    return found[0].parent, found[0]


def file_is_gone(build):
    """The other shard is served on, and status names the one."""
    with filled(build) as cluster:
        cluster.kill('shard-1')
        for path in files(cluster)[1].parent.glob(files(cluster)[1].name + '*'):
            path.unlink()
        cluster.start('shard-1')
        says(cluster, 'shard-1', 'its file is gone')
        shows(cluster, 'its file is gone')
        refuses(cluster)


def file_is_damaged(build):
    """The node lives, names the file, and serves its other shard."""
    with filled(build) as cluster:
        cluster.kill('shard-1')
        file = files(cluster)[1]
        for suffix in ('-wal', '-shm'):
            file.with_name(file.name + suffix).unlink(missing_ok=True)
        file.write_bytes(b'not a database, whatever its name says ' * 1000)
        cluster.start('shard-1')
        says(cluster, 'shard-1', file.name)
        shows(cluster, 'its file is damaged')
        refuses(cluster)
        if cluster.processes['shard-1'].poll() is not None:
            raise AssertionError('the node ended')
        served = sum(bool(serves(cluster, i)) for i in range(VERTICES))
        if not 0 < served < VERTICES:
            raise AssertionError(f'{served} of {VERTICES} vertices served, want those of one shard')


def serves(cluster, vertex):
    """Whether a vertex is found; false if its shard is not served."""
    try:
        return cluster.ask(f"g.with('evaluationTimeout',500).V({vertex}).count()") == [1]
    except Error:
        return False


def old_copy_is_put_back(build):
    """The copy is refused with both numbers; the newest folder put back is served again."""
    with filled(build) as cluster:
        cluster.kill('shard-1')
        folder = files(cluster)[0]
        old, new = cluster.folder / 'old', cluster.folder / 'new'
        shutil.copytree(folder, old)
        cluster.start('shard-1')
        for i in range(VERTICES, 2 * VERTICES):
            cluster.ask_until(f"g.mergeV([(T.id): {i}])")
        time.sleep(2.5)  # The coordinator notes how far a shard is once per second.
        cluster.kill('shard-1')
        folder.rename(new)
        shutil.copytree(old, folder)
        cluster.start('shard-1')
        says(cluster, 'shard-1', 'an old copy: it ends at entry')
        shows(cluster, 'old copy: entry')
        refuses(cluster)
        cluster.kill('shard-1')
        shutil.rmtree(folder)
        new.rename(folder)
        cluster.start('shard-1')
        found = cluster.ask_until('g.V().count()')
        if found != [2 * VERTICES]:
            raise AssertionError(f'{found} vertices of {2 * VERTICES}')


def old_copy_is_accepted(build):
    """Who has nothing newer says so, and it is served, and from then on also without saying so."""
    with filled(build) as cluster:
        cluster.kill('shard-1')
        folder = files(cluster)[0]
        old = cluster.folder / 'old'
        shutil.copytree(folder, old)
        cluster.start('shard-1')
        for i in range(VERTICES, 2 * VERTICES):
            cluster.ask_until(f"g.mergeV([(T.id): {i}])")
        time.sleep(2.5)
        cluster.kill('shard-1')
        shutil.rmtree(folder)
        old.rename(folder)
        cluster.start('shard-1', extra=['--accept_old_files', 'true'])
        says(cluster, 'shard-1', 'an old copy is accepted: entries')
        if cluster.ask_until('g.V().count()') != [VERTICES]:
            raise AssertionError('not what the old copy holds')
        time.sleep(2.5)
        cluster.kill('shard-1')
        cluster.start('shard-1')
        if cluster.ask_until('g.V().count()') != [VERTICES]:
            raise AssertionError('not served at the next start')


def coordinator_is_replaced(build):
    """A coordinator that begins anew configures no node of the old cluster; put back, the old one is served."""
    with filled(build) as cluster:
        folder = next(cluster.folder.rglob('coordinator.db')).parent
        kept = cluster.folder / 'kept'
        here = sorted(path.name for path in files(cluster)[0].glob('shard-*.db'))
        for restarted in ('coordinator',), ('coordinator', 'shard-1', 'router-1'):
            for name in restarted:
                cluster.kill(name)
            if not kept.exists():
                folder.rename(kept)
            cluster.start(*restarted)
            says(cluster, 'shard-1', 'was coordinator.db lost')
            says(cluster, 'coordinator', 'node 1 is of incarnation')
        until(lambda: cluster.get('/healthz')[0] == 200 or fail('no router'), 'router')
        shown = cluster.ctl('--output', 'json', 'status')[1]
        if '"up":true' in shown:
            raise AssertionError(f'the node counts as up: {shown}')
        if sorted(path.name for path in files(cluster)[0].glob('shard-*.db')) != here:
            raise AssertionError('files were moved')
        for name in ('coordinator', 'shard-1', 'router-1'):
            cluster.kill(name)
        shutil.rmtree(folder)
        kept.rename(folder)
        cluster.start('coordinator', 'shard-1', 'router-1')
        found = cluster.ask_until('g.V().count()')
        if found != [VERTICES]:
            raise AssertionError(f'{found} vertices of {VERTICES}')


def older_coordinator_is_put_back(build):
    """It has given out the epochs already that it gives: files that have promised them are not served."""
    with filled(build) as cluster:
        cluster.kill('coordinator')
        folder = next(cluster.folder.rglob('coordinator.db')).parent
        kept, new = cluster.folder / 'kept', cluster.folder / 'new'
        shutil.copytree(folder, kept)
        for _ in range(2):
            cluster.start('coordinator')
            cluster.kill('shard-1')
            cluster.start('shard-1')
            cluster.ask_until('g.V().count()')
            cluster.kill('coordinator')
        folder.rename(new)
        kept.rename(folder)
        cluster.kill('shard-1')
        cluster.start('coordinator', 'shard-1')
        says(cluster, 'shard-1', 'was coordinator.db lost')
        shows(cluster, 'newer than the coordinators')
        cluster.kill('coordinator')
        cluster.kill('shard-1')
        shutil.rmtree(folder)
        new.rename(folder)
        cluster.start('coordinator', 'shard-1')
        found = cluster.ask_until('g.V().count()')
        if found != [VERTICES]:
            raise AssertionError(f'{found} vertices of {VERTICES}')


def second_process_with_one_number(build):
    """It is refused and says so; the first serves on under its epoch, and the second follows when it ends."""
    with filled(build) as cluster:
        before = cluster.log('coordinator').count('silent')
        program, config, *rest = cluster.arguments['shard-1']
        rest[rest.index('--bind') + 1] = f'tcp://127.0.0.1:{free_ports(1)[0]}'
        elsewhere = cluster.folder / 'elsewhere'
        elsewhere.mkdir()
        with open(cluster.folder / 'second.log', 'ab') as log:
            second = subprocess.Popen([cluster.build / program, ROOT / 'config/cluster-3' / config, *rest],
                                      cwd=elsewhere, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        cluster.processes['second'] = second
        says(cluster, 'second', 'node 1 runs already, at tcp://')
        for _ in range(10):
            if cluster.ask('g.V().count()') != [VERTICES]:
                raise AssertionError('the first does not serve on')
        if cluster.log('coordinator').count('silent') != before:
            raise AssertionError('the first was taken for silent')
        cluster.kill('shard-1')
        says(cluster, 'second', 'its file is gone')


def bytes_are_flipped(build):
    """Wherever a byte changes in a file, it is found when that is opened, read or checked: never a wrong answer."""
    query = "g.V().order().by(T.id).project('a','b','c').by(T.id).by('p').by(__.both().id().order().fold())"
    chance = random.Random(7)
    with Cluster(build, shards=1, routers=1) as cluster:
        cluster.start()
        cluster.make_graph(shards=2)
        for i in range(VERTICES):
            cluster.ask_until(f"g.mergeV([(T.id): {i}]).property('p', 'text {i} {'x' * 300}')")
        for i in range(VERTICES):
            cluster.ask_until(f"g.addE('e').from(V({i})).to(V({i * 7 % VERTICES})).property(T.id, {1000 + i})")
        wanted = cluster.ask(query)
        found = {'open': 0, 'read': 0, 'check': 0, 'nothing': 0}
        for number, suffix in ((signal.SIGTERM, ''), (signal.SIGKILL, '-wal')):
            cluster.kill('shard-1', number)
            folder = files(cluster)[0]
            kept = cluster.folder / f'kept{suffix}'
            folder.rename(kept)
            for _ in range(14):
                shutil.rmtree(folder, ignore_errors=True)
                shutil.copytree(kept, folder)
                path = folder / f'shard-1.db{suffix}'
                data = bytearray(path.read_bytes())
                at = chance.randrange(len(data))
                data[at] ^= 1 << chance.randrange(8)
                path.write_bytes(data)
                cluster.start('shard-1', extra=['--accept_old_files', 'true'])
                found[where_found(cluster, query, wanted, f'byte {at} of {path.name}')] += 1
                cluster.kill('shard-1')
            shutil.rmtree(folder)
            kept.rename(folder)
            cluster.start('shard-1', extra=['--accept_old_files', 'true'])
            if cluster.ask_until(query) != wanted or '0 differences' not in cluster.ctl('check', 'g')[1]:
                raise AssertionError('the good copy is not served')
        print('#', found, flush=True)
        if found['nothing'] > 14 or not found['open'] or not found['read'] + found['check']:
            raise AssertionError(f'{found}')


def where_found(cluster, query, wanted, what):
    """open: the shard is suspect from the start; read: a read is refused; check: it is listed; nothing."""
    def look():
        if '"suspect":"its file' in cluster.ctl('--output', 'json', 'status')[1]:
            return 'suspect'
        answer = cluster.ask(query)
        return 'answered' if answer == wanted else fail(f'{what}: a wrong answer: {answer}')
    log = len(cluster.log('shard-1'))
    try:
        state = until(look, what)
    except AssertionError as problem:
        raise AssertionError(f'{what}: {problem}') from problem
    if state == 'suspect':
        return 'read' if 'not served any more' in cluster.log('shard-1')[log:] else 'open'
    if cluster.processes['shard-1'].poll() is not None:
        raise AssertionError(f'{what}: the node ended')
    code, text = cluster.ctl('check', 'g')
    if code == 0:
        return 'nothing' if cluster.ask(query) == wanted else fail(f'{what}: a wrong answer')
    if 'checksum' not in text and 'not served' not in text:
        raise AssertionError(f'{what}: check says {text}')
    return 'check'


class Small:
    """A file system of a few megabytes under a folder, in use from now on; root only."""

    def __init__(self, folder, megabytes):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        if subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={megabytes}m', 'tmpfs', folder], check=False,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
            raise Skip('mounting a small tmpfs takes root')

    def fill(self):
        """Until nothing more goes in."""
        with open(self.folder / 'filler', 'ab', buffering=0) as filler:
            size = 65536
            while size > 0:
                try:
                    filler.write(bytes(size))
                except OSError:
                    size //= 2

    def empty(self):
        """There is room again."""
        (self.folder / 'filler').unlink()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(['umount', '-l', self.folder], check=False)


def disk_of_coordinator_is_full(build):
    """What needs it is refused with the reason, reads and writes of one shard go on; with room, all does."""
    with Cluster(build, shards=1, routers=1) as cluster, \
            Small(cluster.folder / 'data/coordinator-1', 4) as disk:
        cluster.start()
        cluster.make_graph(shards=2)
        for i in range(VERTICES):
            cluster.ask_until(f"g.mergeV([(T.id): {i}])")
        disk.fill()
        both = '; '.join(f'g.V({i}).property("p", 1).iterate()' for i in range(8))
        cluster.ask("g.V(1).property('q', 1).iterate()")  # The coordinator notes how far its shard is.
        says(cluster, 'coordinator', 'the disk is full')
        try:
            cluster.ask(both)
            raise AssertionError('a write of two shards is not refused')
        except Error as problem:
            if "the coordinator's disk is full" not in str(problem):
                raise
        code, text = cluster.ctl('graph', 'create', 'full')
        if code == 0 or 'is full: nothing is changed until there is room' not in text:
            raise AssertionError(f'graph create is not refused: {text}')
        if cluster.ask('g.V().count()') != [VERTICES]:
            raise AssertionError('reads do not go on')
        cluster.ask("g.V(1).property('q', 2).iterate()")
        if cluster.processes['coordinator'].poll() is not None:
            raise AssertionError('the coordinator ended')
        disk.empty()
        cluster.ask_until(both)
        says(cluster, 'coordinator', 'there is room on the disk again')
        code, text = cluster.ctl('graph', 'create', 'after', '--shards', '2')
        if code != 0:
            raise AssertionError(text)
        cluster.kill('coordinator')
        cluster.start('coordinator')
        cluster.ask_until(both.replace('"p", 1', '"p", 2'))


def disk_of_shard_node_is_full(build):
    """Writes are refused with the reason, reads go on; with room, writes do, and nothing is lost or half there."""
    with Cluster(build, shards=1, routers=1) as cluster, Small(cluster.folder / 'data/shard-1', 6) as disk:
        cluster.start()
        cluster.make_graph(shards=2)
        for i in range(VERTICES):
            cluster.ask_until(f"g.mergeV([(T.id): {i}])")
        disk.fill()
        made, reason = 0, ''
        while not reason and made < 10000:
            try:
                cluster.ask(f'g.addV().property(T.id, {1000 + made})')
                made += 1
            except Error as problem:
                reason = str(problem)
        if "the shard's disk is full" not in reason:
            raise AssertionError(f'refused otherwise after {made}: {reason}')
        if cluster.ask_until('g.V().count()') != [VERTICES + made]:
            raise AssertionError('reads do not go on, or writes were lost')
        disk.empty()
        cluster.ask_until('g.addV().property(T.id, 999)')
        cluster.kill('shard-1')
        cluster.start('shard-1')
        if cluster.ask_until('g.V().count()') != [VERTICES + made + 1]:
            raise AssertionError('not what was committed')
        if '0 differences' not in cluster.ctl('check', 'g')[1]:
            raise AssertionError(cluster.ctl('check', 'g')[1])


TESTS = [file_is_gone, file_is_damaged, old_copy_is_put_back, old_copy_is_accepted, coordinator_is_replaced,
         older_coordinator_is_put_back, second_process_with_one_number, disk_of_coordinator_is_full,
         disk_of_shard_node_is_full, bytes_are_flipped]


def main():
    """TAP."""
    print(f'1..{len(TESTS)}', flush=True)
    failed = 0
    for number, test in enumerate(TESTS, 1):
        try:
            test(sys.argv[1])
            print(f'ok {number} - {test.__name__}', flush=True)
        except Skip as reason:
            print(f'ok {number} - {test.__name__} # SKIP {reason}', flush=True)
        except (AssertionError, OSError, Error) as problem:
            failed = 1
            print(f'not ok {number} - {test.__name__}', flush=True)
            for line in str(problem).splitlines():
                print(f'# {line}', flush=True)
    return failed


if __name__ == '__main__':
    sys.exit(main())
