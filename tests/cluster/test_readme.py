#!/usr/bin/env python3
"""Types what the README's console blocks say and compares what comes back; times and rates may differ."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get('CARDEA_BUILD', ROOT / 'build')).resolve()


def blocks():
    """(command, expected lines) of each line that starts with a prompt."""
    commands, is_console = [], False
    for line in (ROOT / 'README.md').read_text(encoding='utf-8').splitlines():
        if line.startswith('```'):
            is_console = line == '```console'
        elif is_console and line.startswith('$ '):
            commands.append((line[2:], []))
        elif is_console:
            commands[-1][1].append(line)
    return commands


def plain(text):
    """Without what is different each time."""
    return re.sub(r'in [\d.]+ s \(\d+/s\)', 'in T s', text).rstrip()


def main():
    """Runs the commands in order against one cluster on a free port."""
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder) / 'data'
        with open(pathlib.Path(folder) / 'ready', 'w+', encoding='utf-8') as ready:
            server = subprocess.Popen([BUILD / 'cardea', 'dev', '--data', data, '--port', '0'], stdout=ready)
            try:
                end = time.monotonic() + 30
                while not (match := re.search(r'ws://([\d.:]+)/gremlin', pathlib.Path(ready.name).read_text(encoding='utf-8'))):
                    if time.monotonic() > end or server.poll() is not None:
                        print('not ok - the cluster did not start')
                        return 1
                    time.sleep(0.02)
                env = os.environ | {'CARDEA_ROUTER': match.group(1), 'XDG_STATE_HOME': folder, 'BUILD': str(BUILD)}
                for command, expected in blocks():
                    if ' dev ' in command:
                        continue
                    command = command.replace('build/', '"$BUILD"/').replace('127.0.0.1:8182', match.group(1))
                    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=ROOT, env=env, check=False, timeout=60)
                    found = plain(done.stdout + done.stderr)
                    if expected and found != plain('\n'.join(expected)):
                        bad += 1
                        print(f'not ok - {command}\n# found:\n{found}\n# README:\n{plain(chr(10).join(expected))}')
                    elif not expected and done.returncode != 0:
                        bad += 1
                        print(f'not ok - {command}: exit {done.returncode}\n{found}')
                    else:
                        print(f'ok - {command}')
            finally:
                server.terminate()
                server.wait(timeout=20)
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
