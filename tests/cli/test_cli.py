#!/usr/bin/env python3
"""The commands as a user meets them: `cardea dev` on a folder of its own, then query, console, load, export, cardeactl.

Prints TAP. Argument: the build folder.
"""
import csv
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / 'build').resolve()
CARDEA, CARDEACTL = BUILD / 'cardea', BUILD / 'cardeactl'
SAMPLE = [ROOT / 'deploy/sample/solar-nodes.csv', ROOT / 'deploy/sample/solar-edges.csv']
VERTICES, EDGES = 167, 297
PATIENCE = 60


class Dev:
    """A cluster in one process."""

    def __init__(self, data, *flags):
        self.process = subprocess.Popen([CARDEA, 'dev', '--data', data, '--port', '0', *flags], stdout=subprocess.PIPE, text=True)
        self.router = re.search(r'ws://([^/]+)/', self.process.stdout.readline()).group(1)

    def stop(self):
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0, self.process.returncode
        self.process.stdout.close()


class Bench:
    """The folder, the cluster that most tests share, and how to call programs."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='cardea-cli-'))
        self.env = {**os.environ, 'XDG_STATE_HOME': str(self.folder / 'state'), 'TERM': 'xterm'}
        self.dev = Dev(self.folder / 'shared')
        self.env['CARDEA_ROUTER'] = self.dev.router

    def close(self):
        self.dev.stop()
        shutil.rmtree(self.folder)

    def call(self, program, *args, text=None, env=None, code=0):
        """Runs to the end: (stdout, stderr). The exit code must be `code`."""
        done = subprocess.run([program, *map(str, args)], input=text if text is not None else '', env={**self.env, **(env or {})},
                              capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == code, f'{args}: exit code {done.returncode}, not {code}\n{done.stdout}{done.stderr}'
        assert '\x1b' not in done.stdout + done.stderr, f'{args}: escape codes in a pipe'
        return done.stdout, done.stderr

    def cardea(self, *args, **more):
        return self.call(CARDEA, *args, **more)

    def ctl(self, *args, **more):
        return self.call(CARDEACTL, *args, **more)

    def query(self, text, graph='g', **more):
        """The results of a query, from JSON."""
        return [json.loads(line) for line in self.cardea('query', '-g', graph, '-o', 'json', text, **more)[0].splitlines()]

    def graph(self, name):
        self.ctl('graph', 'create', name)
        return name

    def state_files(self):
        return list((self.folder / 'state/cardea').glob('load-*.state'))


def equal(got, want):
    assert got == want, f'{got!r}, not {want!r}'


def has(text, *parts):
    for part in parts:
        assert part in text, f'{part!r} is not in {text!r}'


# ---- query ----

def test_help_is_short_and_has_examples(bench):
    for program, names in ((CARDEA, ('dev', 'query', 'console', 'load', 'export')), (CARDEACTL, ('status', 'graph', 'node', 'shard', 'index', 'check'))):
        for name in names:
            out, err = bench.call(program, name, '--help')
            assert len(out.splitlines()) <= 40 and err == '', f'{name}: {len(out.splitlines())} lines'
            has(out, 'Example', 'Exit codes')
        has(bench.call(program, '--help')[0], 'Usage', *names)
        has(bench.call(program, '--version')[0], program.name)


def test_wrong_usage_is_2(bench):
    for args in ((), ('nonsense',), ('query', '--nonsense'), ('query', '-o', 'xml', 'g.V()'), ('query', 'a', 'b'), ('query', '-t', 'x', 'g'),
                 ('query', '-r', 'nowhere', 'g.V()'), ('load',), ('load', '-e', 'x', 'a.csv'), ('export',), ('export', '-f', 'x', 'a'),
                 ('dev',), ('dev', '--data', 'x', '--port', '70000'), ('console', 'g.V()')):
        out, err = bench.cardea(*args, code=2)
        assert out == '' and err != '', args
    _, err = bench.cardea('nonsense', code=2)
    equal(err.splitlines(), ["cardea: error: there is no command 'nonsense'", "hint: 'cardea --help' lists the commands"])
    has(bench.cardea('query', code=2)[1], 'hint: ', 'empty')
    for args in ((), ('nonsense',), ('graph', 'create'), ('check',), ('--output', 'x', 'status')):
        bench.ctl(*args, code=2)


def test_no_server_is_3(bench):
    nobody = {'CARDEA_ROUTER': '127.0.0.1:1'}
    for args in (('query', 'g.V()'), ('console',), ('load', SAMPLE[0]), ('export', bench.folder / 'none')):
        has(bench.cardea(*args, env=nobody, code=3)[1], 'cardea: error: ', 'hint: ')
    has(bench.ctl('status', env=nobody, code=3)[1], 'cardeactl: error: ', 'hint: ')


def test_a_query_that_fails_is_1_with_a_caret(bench):
    out, err = bench.cardea('query', 'g.V().\n  nonsense()', code=1)
    equal(out, '')
    lines = err.splitlines()
    has(lines[0], 'cardea: error: 2:3: ', 'nonsense')
    equal(lines[1:], ['    nonsense()', '    ^'])
    has(bench.cardea('query', '-g', 'nonesuch', 'g.V()', code=1)[1], 'nonesuch')


def test_output_forms(bench):
    text = "g.inject(1).project('a','b').by().by(__.constant('x'))"
    equal(bench.cardea('query', text)[0], '==>{a=1, b=x}\n')
    equal(bench.cardea('query', '-o', 'table', text)[0], 'a  b\n-  -\n1  x\n')
    equal(bench.cardea('query', '-o', 'json', text)[0], '{"a":1,"b":"x"}\n')
    graphson = json.loads(bench.cardea('query', '--output=graphson', text)[0])
    equal(graphson, {'@type': 'g:Map', '@value': ['a', {'@type': 'g:Int32', '@value': 1}, 'b', 'x']})
    equal(bench.cardea('query', '-o', 'json', 'g.inject(\'a"b\\n\',1.5d,null)')[0], '"a\\"b\\n"\n1.5\nnull\n')


def test_stdin_is_a_query(bench):
    equal(bench.cardea('query', text='g.inject(1,\n2).\nsum()\n')[0], '==>3\n')


# ---- load and export ----

def counts(bench, graph):
    return bench.query('g.V().count()', graph)[0], bench.query('g.E().count()', graph)[0]


def picture(bench, graph):
    """All that the sample holds, in an order of its own."""
    vertices = bench.query('g.V()', graph)
    edges = bench.query('g.E()', graph)
    return sorted(map(json.dumps, vertices)), sorted(map(json.dumps, edges))


def test_load_and_all_formats_back(bench):
    bench.cardea('load', *SAMPLE)
    equal(counts(bench, 'g'), (VERTICES, EDGES))
    equal(bench.query("g.V('earth').out('orbits').id()"), ['sun'])
    want = picture(bench, 'g')
    for form, target in (('csv', 'folder'), ('graphml', 'solar.graphml'), ('graphson', 'solar.json')):
        path = bench.folder / target
        has(bench.cardea('export', path)[1], f'{VERTICES} vertices', f'{EDGES} edges')
        bench.graph(form)
        files = [path / 'nodes.csv', path / 'edges.csv'] if form == 'csv' else [path]
        has(bench.cardea('load', '-g', form, *files)[1], f'loaded {VERTICES} vertices and {EDGES} edges')
        equal(picture(bench, form), want)
        has(bench.ctl('check', form)[0], ' 0 differences')
    equal(bench.state_files(), [])


def write_csv(path, *rows):
    with open(path, 'w', newline='') as file:
        csv.writer(file).writerows(rows)
    return path


def test_values_of_all_types_go_round(bench):
    graph = bench.graph('types')
    nodes = write_csv(bench.folder / 'types.csv',
                      ['~id', '~label', 's', 'b:bool', 'i:int', 'l:long', 'd:double', 'f:float', 't:date', 'u:uuid', 'many:string[]', 'big:bigint'],
                      [1, 'x', 'a,"b"\nc', 'true', -5, 2 ** 40, 0.1, 1.5, '2020-01-02T03:04:05Z', '0' * 8 + '-0000-0000-0000-' + '1' * 12,
                       'p;q\\;r', 10 ** 30],
                      ['ü', 'x'] + [''] * 10)
    bench.cardea('load', '-g', graph, nodes)
    want = bench.query('g.V()', graph)
    equal(sorted(bench.query("g.V(1).values('many')", graph)), ['p', 'q;r'])
    equal(bench.query("g.V(1).values('s')", graph), ['a,"b"\nc'])
    equal(bench.query("g.V('ü').valueMap()", graph), [{}])
    for target in ('again', 'again.json'):
        path = bench.folder / target
        bench.cardea('export', '-g', graph, path)
        copy = bench.graph('types_' + target.replace('.', '_'))
        files = [path / 'nodes.csv', path / 'edges.csv'] if path.is_dir() else [path]
        bench.cardea('load', '-g', copy, *files)
        equal(sorted(map(json.dumps, bench.query('g.V()', copy))), sorted(map(json.dumps, want)))


def test_export_tells_what_it_cannot_keep_and_overwrites_nothing(bench):
    graph = bench.graph('loss')
    bench.query("g.addV('x').property(T.id, '7').property(list, 'k', 1, 'm', 2).property(list, 'k', 3)", graph)
    bench.query("g.addV('x').property(T.id, 7)", graph)
    for form, lost in (('csv', '1 meta-properties, 0 further values of a key, 1 ids'),
                       ('graphml', '1 meta-properties, 1 further values of a key, 1 ids')):
        has(bench.cardea('export', '-f', form, '-g', graph, bench.folder / f'loss.{form}', code=1)[1], 'wrote 2 vertices', lost)
    path = bench.folder / 'loss.json'
    has(bench.cardea('export', '-g', graph, path)[1], 'wrote 2 vertices')
    before = path.read_text()
    has(bench.cardea('export', '-g', graph, path, code=1)[1], 'cannot write', '--force')
    equal(path.read_text(), before)
    bench.cardea('export', '--force', '-g', graph, path)
    copy = bench.graph('loss_copy')
    bench.cardea('load', '-g', copy, path)
    equal(sorted(map(repr, bench.query('g.V().id()', copy))), ["'7'", '7'])
    equal(bench.query("g.V('7').properties('k').values('m')", copy), [2])


def test_bad_rows_stop_or_are_skipped(bench):
    graph = bench.graph('bad')
    path = write_csv(bench.folder / 'bad.csv', ['~id', '~label', 'n:int'], [1, 'x', 1], [2, 'x', 'two'], [3, 'x'], ['', 'x', 4], [5, 'x', 5])
    _, err = bench.cardea('load', '-g', graph, path, code=1)
    has(err, f"{path}:3: n: 'two' is no int", 'hint: --on-error skip')
    equal(counts(bench, graph), (0, 0))
    _, err = bench.cardea('load', '-g', graph, '--on-error', 'skip', path)
    has(err, f'{path}:3: ', f'{path}:4: 2 fields, the header has 3', f'{path}:5: ~id is empty', 'loaded 2 vertices', '3 bad rows skipped')
    equal(sorted(bench.query('g.V().id()', graph)), [1, 5])
    for name, text, say in (('head.csv', 'id,name\n1,x\n', ':1: the header has neither ~id'), ('type.csv', '~id,a:colour\n', 'colour'),
                            ('empty.csv', '', 'is empty'), ('bad.xml', '<graphml><node id="a"></graphml>', ':1: '),
                            ('bad.json', '{"id":\n', ':1: '), ('file.txt', 'x', 'the ending tells')):
        path = bench.folder / name
        path.write_text(text)
        has(bench.cardea('load', '-g', graph, path, code=1)[1], name, say)
    has(bench.cardea('load', '-g', graph, 'nonesuch.csv', code=1)[1], 'nonesuch.csv')
    lost = write_csv(bench.folder / 'lost.csv', ['~from', '~to', '~label'], [1, 99, 'e'])
    has(bench.cardea('load', '-g', graph, lost, code=1)[1], '99')
    equal(counts(bench, graph), (2, 0))
    bench.cardea('load', '--restart', '--on-error=skip', '-g', graph, write_csv(lost, ['~from', '~to', '~label'], [1, 5, 'e']))
    for path in bench.state_files():
        path.unlink()


def test_rows_that_exist_are_refused_every_time(bench):
    """The second run took the rows that were there for its own and said that it had loaded them."""
    graph = bench.graph('twice')
    path = write_csv(bench.folder / 'twice.csv', ['~id', '~label'], [1, 'x'], [2, 'x'], [3, 'x'])
    has(bench.cardea('load', '-g', graph, path)[1], 'loaded 3 vertices')
    for _ in range(3):
        has(bench.cardea('load', '-g', graph, path, code=1)[1], 'exists')
        equal(bench.state_files(), [])
    equal(counts(bench, graph), (3, 0))


def test_load_into_a_folder(bench):
    data = bench.folder / 'loaded'
    has(bench.cardea('load', '--data', data, *SAMPLE)[1], f'loaded {VERTICES} vertices')
    dev = Dev(data)
    equal(bench.query('g.V().count()', env={'CARDEA_ROUTER': dev.router}), [VERTICES])
    dev.stop()


def test_a_killed_load_goes_on(bench):
    """Edges without ids too: nothing is lost, nothing comes twice, wherever the kill falls."""
    count, each = 100000, 2
    nodes, edges = bench.folder / 'many-nodes.csv', bench.folder / 'many-edges.csv'
    nodes.write_text('~id,~label\n' + ''.join(f'{i},n\n' for i in range(count)))
    edges.write_text('~from,~to,~label\n' + ''.join(f'{i},{(i * 7 + k) % count},e\n' for k in range(each) for i in range(count)))
    graph = bench.graph('killed')
    command = [CARDEA, 'load', '-q', '-g', graph, nodes, edges]
    equal(bench.state_files(), [])
    for least in (1, count // 2 + 1, count + 1, count + count // 2 + 1):
        process = subprocess.Popen(command, env=bench.env, stderr=subprocess.DEVNULL)
        done = 0
        while done < least and process.poll() is None:
            time.sleep(0.002)
            for path in bench.state_files():
                try:
                    done = int(path.read_text().split()[1])
                except (FileNotFoundError, IndexError):
                    pass
        process.kill()
        process.wait()
    _, err = bench.cardea('load', '-g', graph, nodes, edges)
    has(err, 'resuming: ')
    equal(bench.state_files(), [])
    equal(counts(bench, graph), (count, each * count))
    has(bench.ctl('check', graph)[0], ' 0 differences')


# ---- cardeactl ----

def test_status_and_graphs(bench):
    status = json.loads(bench.ctl('--output', 'json', 'status')[0])
    assert 'g' in [graph['name'] for graph in status['graphs']], status
    bench.graph('spare')
    _, err = bench.ctl('graph', 'create', 'spare', code=1)
    has(err, 'cardeactl: error: ', 'spare')
    bench.ctl('index', 'create', 'spare', 'name')
    has(bench.ctl('index', 'list', 'spare')[0], 'name')
    bench.ctl('graph', 'drop', '--yes', 'spare')
    assert 'spare' not in bench.ctl('graph', 'list')[0]
    has(bench.ctl('check', 'spare', code=1)[1], 'hint: ')


def sum_pages(path):
    """Checksums for pages that were written without them: shardd/store/pagesum.h."""
    table = []
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ (0x82f63b78 if i & 1 else 0)
        table.append(i)
    data = bytearray(path.read_bytes())
    for at in range(0, len(data), 4096):
        crc = 0xffffffff
        for byte in (at // 4096 + 1).to_bytes(4, 'big') + data[at:at + 4092]:
            crc = table[(crc ^ byte) & 255] ^ crc >> 8
        data[at + 4092:at + 4096] = (crc ^ 0xffffffff).to_bytes(4, 'big')
    path.write_bytes(data)


def test_check_finds_what_was_changed_in_a_file(bench):
    sound = bench.folder / 'sound'
    bench.cardea('load', '--data', sound, *SAMPLE)
    for statement, say in (("UPDATE counter SET n = n + 1 WHERE is_edge = 0 AND label = (SELECT min(label) FROM counter WHERE is_edge = 0)", 'count'),
                           ("DELETE FROM adjacency WHERE (dir, vertex, label) IN (SELECT dir, vertex, label FROM adjacency WHERE dir = 0 LIMIT 1)",
                            'half'),
                           ("DELETE FROM place", 'its id is not claimed'),
                           ("DELETE FROM adjacency", 'its id is claimed, but there is no such edge')):
        data = bench.folder / f'damaged-{len(list(bench.folder.iterdir()))}'  # The whole folder: one file alone put back is an old copy.
        shutil.copytree(sound, data)
        with sqlite3.connect(data / 'shards/shard-1.db') as db:
            assert db.execute(statement).rowcount > 0, statement
        db.close()
        sum_pages(data / 'shards/shard-1.db')
        dev = Dev(data)
        try:
            out, _ = bench.ctl('check', 'g', env={'CARDEA_ROUTER': dev.router}, code=1)
        finally:
            dev.stop()
        *told, total = out.splitlines()
        more = re.fullmatch(r'\.\.\. and (\d+) more', told[-1])
        count = len(told) if more is None else len(told) - 1 + int(more[1])
        assert re.fullmatch(f'graph g: 4 shards checked, {count} differences', total), out
        has(out, say)


# ---- console ----

class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, bench, *command):
        self.seen = ''
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(command[0], [str(word) for word in command], bench.env)

    def wait_for(self, text):
        """Reads until the text has come; what was read before it is forgotten."""
        end = time.monotonic() + PATIENCE
        while text not in self.seen:
            assert time.monotonic() < end and self.read(), f'{text!r} is not in {self.seen!r}'
        before, self.seen = self.seen.split(text, 1)
        return before

    def interrupt(self, line, text):
        """Types a line and Ctrl-C until the text comes: on a busy machine the first may be too early."""
        for seconds in range(1, 6):
            self.type(line)
            time.sleep(seconds)
            self.type('\x03')
            end = time.monotonic() + 3
            while text not in self.seen and time.monotonic() < end:
                self.read(1)
            if text in self.seen:
                break
        self.wait_for(text)

    def read(self, seconds=PATIENCE):
        try:
            if select.select([self.fd], [], [], seconds)[0]:
                got = os.read(self.fd, 65536)
                self.seen += got.decode(errors='replace')
                return bool(got)
        except OSError:
            pass
        return False

    def type(self, text):
        os.write(self.fd, text.encode())

    def end(self):
        while self.read():
            pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_console(bench):
    try:
        os.close(os.open('/dev/ptmx', os.O_RDWR))
    except OSError as problem:
        print(f'# no pseudo-terminals here, the console is not typed at: {problem}')
        return
    terminal = Terminal(bench, CARDEA, 'console')
    terminal.wait_for('connected to')
    terminal.wait_for('gremlin> ')
    terminal.type("g.inject(40).\n")
    terminal.wait_for('.......> ')
    terminal.type('union(__.identity(\n')
    terminal.wait_for('.......> ')
    terminal.type('))\n')
    terminal.wait_for('==>40')
    terminal.wait_for('gremlin> ')
    terminal.type('g.inject(7).iden\t')
    terminal.wait_for('tity(')
    terminal.type(')\n')
    terminal.wait_for('==>7')
    terminal.wait_for('gremlin> ')
    terminal.type('g.V().nonsense()\n')
    terminal.wait_for('nonsense')
    terminal.wait_for('cardea: error: ')
    terminal.wait_for('gremlin> ')
    terminal.interrupt('g.inject(1).repeat(__.union(__.identity(),__.identity()).barrier()).times(1000000000).count()\n', 'interrupted')
    terminal.wait_for('gremlin> ')
    terminal.type('g.inject(1\n')
    terminal.wait_for('.......> ')
    terminal.type('\x03')
    terminal.wait_for('gremlin> ')
    terminal.type(':output table\n')
    terminal.wait_for('gremlin> ')
    terminal.type('g.inject(5)\n')
    terminal.wait_for('result')
    terminal.wait_for('gremlin> ')
    terminal.type(':nonsense\n')
    terminal.wait_for('hint: :help')
    terminal.wait_for('gremlin> ')
    terminal.type('\x04')
    equal(terminal.end(), 0)
    history = bench.folder / 'state/cardea/history'
    equal(stat.S_IMODE(history.stat().st_mode), 0o600)
    has(history.read_text(), 'identity()'.replace('(', '').replace(')', ''))


def test_console_from_a_pipe(bench):
    out, err = bench.cardea('console', text='g.inject(1)\n:timing\ng.inject(2)\n:quit\n')
    has(out, '==>1\n', '==>2\n')
    has(err, ' ms')


def test_transactions_in_the_console(bench):
    graph = bench.graph('session')
    bench.cardea('console', '-g', graph, text=":begin\ng.addV('a')\n:rollback\n")
    equal(counts(bench, graph), (0, 0))
    bench.cardea('console', '-g', graph, text=":begin\ng.addV('a')\ng.addV('a')\n:commit\n")
    equal(counts(bench, graph), (2, 0))


def main():
    tests = [(name, test) for name, test in globals().items() if name.startswith('test_') and (len(sys.argv) < 3 or sys.argv[2] in name)]
    print(f'1..{len(tests)}', flush=True)
    bench, failed = Bench(), 0
    for number, (name, test) in enumerate(tests, 1):
        started = time.monotonic()
        try:
            test(bench)
            print(f'ok {number} - {name} # {time.monotonic() - started:.1f} s', flush=True)
        except Exception:
            failed += 1
            print(f'not ok {number} - {name}\n' + re.sub('^', '# ', traceback.format_exc(), flags=re.M), flush=True)
    bench.close()
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
