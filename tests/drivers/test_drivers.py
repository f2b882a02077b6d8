#!/usr/bin/env python3
"""Air-routes and scratch graphs in config/cluster-3, asked by the stock drivers, over HTTP and by the console.

    test_drivers.py [--partitioner hash|range]

Needs npm's gremlin in tests/drivers/js and, if CARDEA_PYTHON has it, gremlinpython; says what it skips.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'cluster'))
from harness import ROOT, SHARED, Cluster  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
ROUTES = SHARED / 'data/air-routes'


def run(name, command, **more):
    """One runner; its output is shown when it fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, timeout=300, **more)
    print(f'{"ok" if done.returncode == 0 else "not ok"} - {name}', flush=True)
    if done.returncode != 0:
        print('\n'.join('# ' + line for line in (done.stdout + done.stderr).splitlines()[-40:]))
    return done.returncode == 0


def ask_console(cluster, questions, graph):
    """All questions through one console, plain JSON out."""
    wanted = json.loads(pathlib.Path(questions).read_text(encoding='utf-8'))
    text = ''.join(f"inject('#{number}')\n".replace('inject', 'g.inject') + question['query'] + '\n' for number, question in enumerate(wanted))
    done = cluster.command('console', '--router', f'127.0.0.1:{cluster.ports[1]}', '--graph', graph, '--output', 'json', input=text)
    answers, number = {}, None
    for line in done.stdout.splitlines():
        line = line.removeprefix('gremlin> ').strip()
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, str) and value.startswith('#'):
            number = int(value[1:])
            answers[number] = []
        elif number is not None:
            answers[number].append(value)

    def key(value):
        return json.dumps(json.loads(json.dumps(value), parse_float=lambda digits: float(f'{float(digits):.12g}')), sort_keys=True)

    for number, question in enumerate(wanted):
        found, right = [key(item) for item in answers.get(number, [])], [key(item) for item in question['results']]
        if not question['ordered']:
            found.sort()
            right.sort()
        if found != right:
            print(f'not ok - console\n# {question["query"]}: {found[:5]}, not {right[:5]}\n# {done.stderr[-300:]}')
            return False
    print('ok - console')
    return True


def main():
    """Exit 77: nothing could be run."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('--partitioner', default='hash', choices=('hash', 'range'))
    options = parser.parse_args()
    if not ROUTES.is_dir():
        print(f'1..0 # SKIP no data at {ROUTES} (set CARDEA_SHARED)')
        return 0
    good, more = True, ('--split', '900,1800,2700') if options.partitioner == 'range' else ()
    with Cluster(shards=4, partitioner=options.partitioner, more=more) as cluster, tempfile.TemporaryDirectory() as folder:
        cluster.create('scratch', 4, 'hash')
        questions = pathlib.Path(folder) / 'questions.json'
        with open(questions, 'w', encoding='utf-8') as file:
            subprocess.run([sys.executable, HERE / 'routes.py', ROUTES], stdout=file, check=True)
        load = cluster.command('load', '--quiet', '--router', f'127.0.0.1:{cluster.ports[0]}', ROUTES / 'air-routes-latest-nodes.csv',
                               ROUTES / 'air-routes-latest-edges.csv', env=os.environ | {'XDG_STATE_HOME': folder})
        print(f'{"ok" if load.returncode == 0 else "not ok"} - load: {load.stderr.strip()}')
        good &= load.returncode == 0
        for number, port in enumerate(cluster.ports, 1):
            good &= run(f'HTTP at router {number}', [sys.executable, HERE / 'http_questions.py', port, questions])
        good &= ask_console(cluster, questions, 'g')
        env = os.environ | {'CARDEA_PORTS': ','.join(map(str, cluster.ports)), 'CARDEA_QUESTIONS': str(questions)}
        if (HERE / 'js/node_modules/gremlin').is_dir():
            good &= run('JavaScript driver', ['node', '--test', HERE / 'js/driver.test.mjs'], env=env)
        else:
            print('ok - JavaScript driver # SKIP npm has not installed it')
        python = os.environ.get('CARDEA_PYTHON', HERE / '.venv/bin/python')
        if pathlib.Path(python).exists() and subprocess.run([python, '-c', 'import gremlin_python'], capture_output=True, check=False).returncode == 0:
            good &= run('Python driver', [python, '-m', 'unittest', 'test_driver'], env=env, cwd=HERE / 'python')
        else:
            print('ok - Python driver # SKIP gremlinpython is not installed')
        try:
            differences, listed = cluster.check()
        except RuntimeError as problem:
            differences, listed = 1, [str(problem)]
        print(f'{"ok" if differences == 0 else "not ok"} - check: {differences} differences {listed[:3]}')
        good &= differences == 0
        if not good:
            print(cluster.tail())
    print('1..' + str(7))
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
