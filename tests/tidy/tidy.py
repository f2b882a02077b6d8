#!/usr/bin/env python3
"""Checks of the code as text: what the compiler and clang-format do not see.

    tests/tidy/tidy.py [BUILD_DIR]     prints path:line: rule: message; exit 1 if any

With BUILD_DIR, also checks symbols: every exported name starts with its file's name, and pure modules use
no clock, file, socket, thread or randomness.
"""
import pathlib
import re
import subprocess
import sys

TOPS = {'common': {'common'}, 'router': {'common', 'router'}, 'shardd': {'common', 'shardd'},
        'coordinator': {'common', 'coordinator'},
        'tests': {'common', 'router', 'shardd', 'coordinator', 'tests'}}
# The command of the user links all three daemons: `cardea dev` is a whole cluster in one process.
WHOLE = ('router/cli/',)
RUNTIME = {'common/keys', 'common/zap', 'common/log', 'common/conf', 'common/loop', 'common/transport', 'common/daemon', 'common/stats',
           'common/host', 'common/memory', 'common/wire', 'common/link', 'common/caller', 'common/hostpage', 'common/httpd',
           'common/listener'}
IO_HEADERS = {'zmq.h', 'sqlite3.h', 'time.h', 'sys/time.h', 'unistd.h', 'pthread.h', 'poll.h', 'sys/socket.h',
              'fcntl.h', 'sys/stat.h', 'common/log.h', 'sys/epoll.h'}
PURE = {'common/' + name for name in (
    'error arena bytes reader vid value number codec predicate text map heap hash prng fsm trace datetime element '
    'message nodeset outbox shardmap change txn read read_write slice unicode codec_decode extended number_exact '
    'number_shortest number_text predicate_match value_print value_relation').split()} | {
    'common/httpparse', 'common/metrics', 'common/served', 'router/front/wsframe', 'router/front/outq',
    'shardd/replica/append', 'shardd/replica/epochs', 'shardd/replica/replication', 'shardd/replica/replication_primary',
    'shardd/replica/replication_backup', 'shardd/replica/participant', 'shardd/replica/item', 'coordinator/decision',
    'coordinator/failover', 'coordinator/member', 'coordinator/placement', 'coordinator/replicaset', 'coordinator/state',
    'coordinator/state_configure'}
PURE_FOLDERS = ('router/gremlin/', 'router/plan/', 'router/op/', 'router/remote/', 'router/wire/')
FORBIDDEN = re.compile(r'^(time|gettimeofday|clock_gettime|clock|rand|random|srand|getrandom|open|fopen|read|write|'
                       r'socket|send|recv|poll|select|pthread_\w+|sqlite3_\w+|zmq_\w+|sleep|usleep|nanosleep)$')
BANNED = {r'\bstrcpy\(': 'snprintf', r'\bsprintf\(': 'snprintf', r'\bstrcat\(': 'snprintf',
          r'\brand\(': 'prng_next', r'\batoi\(': 'text_parse_i64', r'\bgettimeofday\(': 'the host\'s time',
          r'\bFIXME\b': 'a fix before merge', r'\bXXX\b': 'a fix before merge', r'\bTODO\b': 'an issue',
          r'\bsetjmp\b': 'an int return', r'\balloca\(': 'the arena'}
ALLOCATE = re.compile(r'(?<![\w.>])(malloc|calloc|realloc|strdup|strndup)\(')
ALLOCATORS = {'common/mem', 'common/arena'}
FUNCTION_MAX, FILE_MAX, COLUMN_MAX, PARAMETER_MAX = 70, 800, 100, 6
bad = 0


def complain(path, line, rule, message):
    """One finding."""
    global bad
    bad += 1
    print(f'{path}:{line}: {rule}: {message}')


def is_pure(stem):
    """Whether a module, given without its ending, promises to do no I/O."""
    return stem in PURE or stem.startswith(PURE_FOLDERS)


def check_include(path, number, line):
    """Direction of includes, purity, tiers of common/."""
    include = re.match(r'#include [<"]([^>"]+)[>"]', line)
    if not include:
        return
    name, top, stem = include.group(1), path.parts[0], str(path.with_suffix(''))
    if '"' in line and not str(path).startswith(WHOLE):
        if name.split('/')[0] not in TOPS[top]:
            complain(path, number, 'direction', f'{top}/ may not include {name}')
    if is_pure(stem) and name in IO_HEADERS:
        complain(path, number, 'purity', f'{stem} is a pure module; no {name}')
    if top == 'common' and stem not in RUNTIME and name[:-2] in RUNTIME:
        complain(path, number, 'tier', f'{stem} is below the runtime; no {name}')
    if name == 'sqlite3.h' and not re.match(r'(shardd/|coordinator/consensus|tests/)', stem):
        complain(path, number, 'direction', 'only store files use SQLite')


def check_header(path, lines):
    """A header says what it is for, then its guard, closed on the last line."""
    if not lines[0].startswith('/*'):
        complain(path, 1, 'header-comment', 'a header starts by saying what it is for')
    guard = str(path.with_suffix('')).upper().replace('/', '_').replace('-', '_') + '_H'
    if f'#ifndef {guard}' not in lines:
        complain(path, 1, 'guard', f'the guard is {guard}')
    if [line for line in lines if line][-1] != '#endif':
        complain(path, len(lines), 'guard', 'the guard closes on the last line')


def check_functions(path, lines):
    """Length, and number of parameters, of functions whose brace stands in column one."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == '{':
            start = number
            head = ' '.join(lines[max(0, number - 8):number - 1])
            parameters = head[head.rfind('\n') + 1:]
            match = re.search(r'\(([^()]*(?:\([^()]*\)[^()]*)*)\)\s*$', parameters)
            # A library's callback has the parameters that the library says.
            if match and 'XMLCALL' not in head and len(re.sub(r'\([^()]*\)', '', match.group(1)).split(',')) > PARAMETER_MAX:
                complain(path, number, 'parameters', f'more than {PARAMETER_MAX}: use a struct')
        elif line == '}' and start:
            if number - start - 1 > FUNCTION_MAX:
                complain(path, start, 'function-length', f'{number - start - 1} lines, at most {FUNCTION_MAX}')
            start = None


def check_file(path):
    """All rules on one file."""
    stem = str(path.with_suffix(''))
    lines = path.read_text().split('\n')
    if path.suffix == '.h':
        check_header(path, lines)
    if len(lines) > FILE_MAX + 1:
        complain(path, FILE_MAX, 'file-length', f'{len(lines)} lines, at most {FILE_MAX}')
    check_functions(path, lines)
    for number, line in enumerate(lines, 1):
        check_include(path, number, line)
        if len(line) > COLUMN_MAX and 'golden' not in str(path) and path.suffix in ('.c', '.h'):
            complain(path, number, 'line-length', f'{len(line)} columns, at most {COLUMN_MAX}')
        for pattern, instead in BANNED.items():
            if re.search(pattern, line):
                complain(path, number, 'banned', f'use {instead}')
        if ALLOCATE.search(line) and stem not in ALLOCATORS and not stem.startswith('tests/'):
            complain(path, number, 'banned', 'memory comes from mem.h or an arena')


def prefixes(path):
    """store_read.c may export store_read* and store_*; plan/build.c plan_*."""
    stem = path.stem
    parts = stem.split('_')
    return (path.parent.name + '_',) + tuple('_'.join(parts[:count]) + '_' for count in range(1, len(parts) + 1)) + (stem,)


def check_symbols(build):
    """Names that objects export and, for pure modules, use."""
    for top in TOPS:
        if top == 'tests':
            continue
        for obj in sorted(pathlib.Path(build).glob(f'lib{top}.a.p/*.c.o')):
            source = obj.name[:-len('.c.o')]
            stem = source.rsplit('_', 1)[-1]
            candidates = [path for path in pathlib.Path(top).rglob('*.c')
                          if str(path)[:-2].replace('/', '_') == source]
            if not candidates:
                continue
            path = candidates[0]
            stem = path.stem
            text = subprocess.run(['nm', '-g', obj], capture_output=True, text=True, check=True).stdout
            for line in text.splitlines():
                kind, symbol = line.split()[-2:]
                if kind == 'U':
                    if is_pure(str(path)[:-2]) and FORBIDDEN.match(symbol):
                        complain(path, 0, 'purity', f'a pure module uses {symbol}')
                elif not symbol.startswith(prefixes(path)) and not symbol.startswith(('_', 'main')):
                    complain(path, 0, 'symbol', f'{symbol} does not start with {stem}_')


def check_tests():
    """Each module has a unit test that names it, or is named in the list of what others cover."""
    units = ' '.join(path.read_text() for path in pathlib.Path('tests').rglob('*.c'))
    for top in ('common', 'shardd', 'coordinator', 'router'):
        for path in sorted(pathlib.Path(top).rglob('*.h')):
            if path.stem.endswith(('_private', 'params')):
                continue
            if f'{path.parent}/{path.name}' not in units:
                complain(path, 0, 'test', 'no test includes this header')


def main():
    """Runs all checks."""
    for top in TOPS:
        for path in sorted(pathlib.Path(top).rglob('*.[ch]')):
            if not {'.venv', 'node_modules'} & set(path.parts):
                check_file(path)
    check_tests()
    if len(sys.argv) > 1:
        check_symbols(sys.argv[1])
    for folder in ('common', 'shardd', 'coordinator', 'router', 'config', 'tests', 'deploy'):
        if not pathlib.Path(folder, 'README.md').exists():
            complain(folder, 0, 'readme', 'each folder says what it is')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
