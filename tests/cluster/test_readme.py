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


class Server:
    """The cluster in one process that the README has started last."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.process = None
        self.env = {}
        self.address = ''

    def stop(self):
        """Ends it."""
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=20)

    def start(self, command):
        """cardea dev with the README's options, on a folder and port of our own."""
        self.stop()
        data = self.folder / re.search(r'--data ./(\S+)', command).group(1)
        more = re.sub(r'.*? dev |--data \S+|&', '', command).split()
        ready = self.folder / f'ready-{data.name}'
        with open(ready, 'w', encoding='utf-8') as out:
            self.process = subprocess.Popen([BUILD / 'cardea', 'dev', '--data', data, '--port', '0', *more], stdout=out)
        end = time.monotonic() + 30
        while not (match := re.search(r'ws://([\d.:]+)/gremlin', ready.read_text(encoding='utf-8'))):
            if time.monotonic() > end or self.process.poll() is not None:
                raise RuntimeError('the cluster did not start')
            time.sleep(0.02)
        self.address = match.group(1)
        self.env = os.environ | {'CARDEA_ROUTER': self.address, 'XDG_STATE_HOME': str(self.folder / data.name), 'BUILD': str(BUILD)}

    def type(self, command):
        """One command; what it said."""
        command = command.replace('build/', '"$BUILD"/').replace('127.0.0.1:8182', self.address)
        done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=ROOT, env=self.env, check=False, timeout=60)
        return done.returncode, plain(done.stdout + done.stderr)


def main():
    """Runs the commands in order, each against the cluster that was started last."""
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder)
        try:
            for command, expected in blocks():
                if ' dev ' in command:
                    server.start(command)
                    continue
                code, found = server.type(command)
                if expected and found != plain('\n'.join(expected)):
                    bad += 1
                    print(f'not ok - {command}\n# found:\n{found}\n# README:\n{plain(chr(10).join(expected))}')
                elif not expected and code != 0:
                    bad += 1
                    print(f'not ok - {command}: exit {code}\n{found}')
                else:
                    print(f'ok - {command}')
        except RuntimeError as problem:
            bad += 1
            print(f'not ok - {problem}')
        finally:
            server.stop()
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
