#!/usr/bin/env python3
"""`meson install` into a folder: what is there, that the units hold, that their commands start and tell when they are ready.

    tests/cluster/test_install.py BUILD_DIR        TAP
"""
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import traceback

from cluster import PATIENCE, free_ports

BUILD = sys.argv[1] if len(sys.argv) > 1 else 'build'
DAEMONS = ['coordinator', 'shardd', 'router']
TESTS = []


def test(function):
    """Registers."""
    TESTS.append(function)
    return function


def run(*words, **more):
    """Output of a command that must succeed."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, timeout=120, **more)
    assert done.returncode == 0, f'{words}: {done.stdout}{done.stderr}'
    return done.stdout


def found(root, name):
    """The one file of that name."""
    files = [path for path in root.rglob(name) if path.is_file()]
    assert len(files) == 1, f'{name}: {files}'
    return files[0]


@test
def all_is_there(root):
    for name in ['cardea', 'cardeactl'] + ['cardea-' + daemon for daemon in DAEMONS]:
        program = next(path for path in root.rglob(name) if path.parent.name == 'bin')
        assert 'Usage' in run(program, '--help').capitalize()
    for daemon in DAEMONS:
        assert run(found(root, 'cardea-' + daemon), '--sample') == found(root, daemon + '.cfg').read_text()
    found(root, 'cardea.conf')


@test
def man_pages_say_what_help_says(root):
    for daemon in DAEMONS:
        text = run('man', '-l', found(root, f'cardea-{daemon}.8'), env={'MANWIDTH': '200', 'PATH': '/usr/bin:/bin', 'LC_ALL': 'C'}) \
            if shutil.which('man') else found(root, f'cardea-{daemon}.8').read_text().replace('\\-', '-')
        for line in run(found(root, 'cardea-' + daemon), '--help').split('\n'):
            if line.startswith('  --'):
                assert line.split()[0] in text, line
    page = found(root, 'cardeactl.1').read_text()
    assert '.SH "cardeactl kill"' in page and '.TH CARDEACTL 1' in page
    assert 'slow_ms' in found(root, 'cardea.cfg.5').read_text()


@test
def completion_knows_commands_and_options(root):
    script = found(root, 'cardeactl.bash')

    def complete(*words):
        line = ' '.join(f"'{word}'" for word in words)
        return run('bash', '-c', f'source {script}; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _cardeactl_words; '
                   'printf "%s\\n" "${COMPREPLY[@]}"').split()
    assert complete('cardeactl', 'ki') == ['kill']
    assert complete('cardeactl', '--router', 'h:1', 'graph', '--rep') == ['--replicas'], 'an option before the command'
    assert complete('cardeactl', 'graph', 'cr') == ['create']
    assert complete('cardeactl', 'graph', '--rep') == ['--replicas']
    for shell, name in [('bash', 'cardea.bash'), ('zsh', '_cardea'), ('zsh', '_cardeactl'), ('fish', 'cardea.fish'), ('fish', 'cardeactl.fish')]:
        file = found(root, name)
        if shutil.which(shell):
            run(shell, '-n', file)
    assert "-a kill -d" in found(root, 'cardeactl.fish').read_text()


@test
def units_hold(root):
    if not shutil.which('systemd-analyze'):
        print('# systemd-analyze is not there')
        return
    with tempfile.TemporaryDirectory() as folder:
        for daemon in DAEMONS:
            unit = found(root, f'cardea-{daemon}.service')
            text = unit.read_text()
            assert '@' not in text.replace('@system-service', '').replace('@privileged', ''), text
            program = found(root, f'cardea-{daemon}')
            line = next(line for line in text.split('\n') if line.startswith('ExecStart='))
            copy = pathlib.Path(folder, unit.name)
            copy.write_text(text.replace(line, f'ExecStart={program}').replace('User=cardea', 'User=daemon').replace('Group=cardea', 'Group=daemon'))
            done = subprocess.run(['systemd-analyze', 'verify', '--man=no', copy], capture_output=True, text=True, check=False)
            own = [one for one in done.stderr.split('\n') if unit.name in one]
            assert not own, own
            exposure = subprocess.run(['systemd-analyze', 'security', '--offline=true', '--threshold=30', copy],
                                      capture_output=True, text=True, check=False)
            assert exposure.returncode == 0, exposure.stdout[-300:] + exposure.stderr


@test
def the_command_of_a_unit_tells_that_it_is_ready(root):
    with tempfile.TemporaryDirectory() as folder:
        for daemon in DAEMONS:
            line = next(line for line in found(root, f'cardea-{daemon}.service').read_text().split('\n') if line.startswith('ExecStart='))
            program, config = line[len('ExecStart='):].split()
            assert pathlib.Path(program).name == f'cardea-{daemon}' and pathlib.Path(config).name == f'{daemon}.cfg'
            told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            told.bind(f'{folder}/notify-{daemon}')
            told.settimeout(PATIENCE)
            ports = free_ports(2)
            more = [f'--bind=tcp://127.0.0.1:{ports[0]}', '--http_listen=127.0.0.1:0']
            more += [f'--port={ports[1]}'] if daemon == 'router' else [f'--data_dir={folder}/{daemon}']
            process = subprocess.Popen([found(root, f'cardea-{daemon}'), found(root, f'{daemon}.cfg'), *more],
                                       env={'NOTIFY_SOCKET': f'{folder}/notify-{daemon}'}, stderr=subprocess.DEVNULL)
            try:
                said = ''
                while 'READY=1' not in said:
                    said = told.recv(4096).decode()
            finally:
                process.terminate()
                assert process.wait(PATIENCE) == 0
                told.close()


def main():
    """Runs all."""
    print(f'1..{len(TESTS)}')
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        run('meson', 'install', '-C', BUILD, '--no-rebuild', '--quiet', '--destdir', folder)
        for number, function in enumerate(TESTS, 1):
            try:
                function(pathlib.Path(folder))
                print(f'ok {number} - {function.__name__}')
            except Exception:
                failed += 1
                print(f'not ok {number} - {function.__name__}')
                print('# ' + traceback.format_exc().replace('\n', '\n# '))
            sys.stdout.flush()
    return failed


if __name__ == '__main__':
    sys.exit(min(main(), 1))
