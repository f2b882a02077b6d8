#!/usr/bin/env python3
"""Man pages and shell completion from what the programs say of themselves, so that they cannot disagree with --help.

    deploy/pages.py BUILD_DIR OUT_DIR VERSION
"""
import pathlib
import re
import subprocess
import sys

TOOLS = {'cardea': 'a graph database: cluster in one process, queries, loading, export',
         'cardeactl': 'administer a Cardea cluster'}
DAEMONS = {'cardea-coordinator': 'agrees with its peers on the map of a Cardea cluster and on transactions',
           'cardea-shardd': 'stores shards of a Cardea cluster',
           'cardea-router': 'answers Gremlin queries on a Cardea cluster'}
OPTION = re.compile(r'^ {2,6}(?:(-\w), )?(--[a-z-]+)(?:=(\S+))?(?:\s{2,}(.*))?$')


def ask(build, *words):
    """What a program prints."""
    done = subprocess.run([str(build / words[0]), *words[1:]], capture_output=True, text=True, check=True, env={'PATH': '/nowhere'})
    return done.stdout


def commands(build, tool):
    """[(name, what it does)] of the usage text."""
    return re.findall(r'^  ([a-z]+) +(.+)$', ask(build, tool, '--help'), re.M)


def options(build, tool, command):
    """[(short, long, argument, help)] of a command."""
    found = []
    for line in ask(build, tool, command, '--help').split('\n'):
        match = OPTION.match(line)
        if match:
            found.append([part or '' for part in match.groups()])
        elif found and re.match(r'^ {20,}\S', line):
            found[-1][3] = (found[-1][3] + ' ' + line.strip()).strip()
        elif found and not line.strip():
            break
    return [tuple(one) for one in found]


def words_of(build, tool, command):
    """The sub-commands that the usage lines of a command name: create, list, drop ..."""
    usage = ask(build, tool, command, '--help').split('\n\n')[0]
    return sorted(set(re.findall(r'\[OPTION\.\.\.\]\s+([a-z][a-z-]*)', usage)))


# ---- man ----

def roff(text):
    """Text as it is, for a line of roff."""
    text = text.replace('\\', '\\e').replace('-', '\\-')
    return '\\&' + text if text.startswith(('.', "'")) else text


def verbatim(text):
    """A block that is not filled."""
    return '.nf\n' + '\n'.join(roff(line) for line in text.rstrip('\n').split('\n')) + '\n.fi\n'


def page(name, section, version, what, parts):
    """A man page: parts are (heading, roff)."""
    out = f'.TH {name.upper()} {section} "" "Cardea {version}"\n.SH NAME\n{roff(name)} \\- {roff(what)}\n'
    return out + ''.join(f'.SH {heading}\n{body}' for heading, body in parts)


def tool_page(build, tool, version):
    """All commands of a tool, each with its own --help."""
    parts = [('SYNOPSIS', verbatim(ask(build, tool, '--help').split('\n')[0].replace('Usage: ', '')))]
    parts.append(('DESCRIPTION', verbatim(ask(build, tool, '--help').split('\n\n', 1)[1])))
    for command, _ in commands(build, tool):
        parts.append((f'"{tool} {command}"', verbatim(ask(build, tool, command, '--help'))))
    parts.append(('"SEE ALSO"', 'cardea(1), cardeactl(1), cardea.cfg(5)\n'))
    return page(tool, 1, version, TOOLS[tool], parts)


def daemon_page(build, daemon, version):
    """A daemon: its options are in cardea.cfg(5)."""
    text = ask(build, daemon, '--help')
    usage, rest = text.split('\n\n', 1)
    return page(daemon, 8, version, DAEMONS[daemon], [
        ('SYNOPSIS', verbatim(usage.replace('usage: ', ''))), ('OPTIONS', verbatim(rest)),
        ('SIGNALS', 'SIGTERM and SIGINT end it after the turn under way; what was acknowledged is kept.\n'),
        ('"EXIT STATUS"', '0 ended by a signal, 1 it could not start or go on, 2 its configuration is at fault.\n'),
        ('"SEE ALSO"', 'cardea.cfg(5), cardeactl(1)\n')])


def config_page(build, version):
    """The three samples."""
    parts = [('DESCRIPTION', 'Each daemon reads one file, named as its argument. Later beats earlier: default, file, environment '
              '(CARDEA_NAME), flag (\\-\\-name=value). An unknown option stops the start.\n')]
    for daemon in DAEMONS:
        parts.append((f'"{daemon}"', verbatim(ask(build, daemon, '--sample'))))
    return page('cardea.cfg', 5, version, 'options of the daemons of Cardea', parts)


# ---- completion ----

def bash(build, tool):
    """For bash-completion."""
    cases = ''
    for command, _ in commands(build, tool):
        words = ' '.join(words_of(build, tool, command) + [long for _, long, _, _ in options(build, tool, command)])
        cases += f'    {command}) words="{words}" ;;\n'
    names = ' '.join(name for name, _ in commands(build, tool))
    function = f'_{tool}_words'
    return f'''# bash completion of {tool}, made from its --help
{function}()
{{
  local word="${{COMP_WORDS[COMP_CWORD]}}" command="" words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "${{COMP_WORDS[i]}}" in
    --router | -r | --output | -o) ((i++)) ;;
    -*) ;;
    *) command="${{COMP_WORDS[i]}}"; break ;;
    esac
  done
  case "$command" in
    "") words="{names} --help --version" ;;
{cases}  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  [ ${{#COMPREPLY[@]}} -gt 0 ] || COMPREPLY=($(compgen -f -- "$word"))
}}
complete -o filenames -F {function} {tool}
'''


def quoted(text):
    """For single quotes of a shell."""
    return text.replace("'", "'\\''")


def zsh(build, tool):
    """For zsh's compsys."""
    names = ' '.join(f"'{name}:{quoted(what)}'" for name, what in commands(build, tool))
    cases = ''
    for command, _ in commands(build, tool):
        lines = []
        for short, long, argument, text in options(build, tool, command):
            text = quoted(re.sub(r'[][:]', ' ', text))
            for flag in filter(None, (short, long + ('=' if argument and not argument.startswith('[') else ''))):
                value = f':{quoted(argument.replace(":", " "))}:_files' if argument else ''
                lines.append(f"'{flag}[{text}]{value}'")
        words = words_of(build, tool, command)
        lines.append(f"'*:word:({' '.join(words)})'" if words else "'*:file:_files'")
        cases += f'    {command}) _arguments {" ".join(lines)} ;;\n'
    return f'''#compdef {tool}
# made from {tool} --help
local -a commands=({names})
if (( CURRENT == 2 )); then
  _describe command commands
else
  local command=${{words[2]}}
  shift words
  (( CURRENT-- ))
  case $command in
{cases}  esac
fi
'''


def fish(build, tool):
    """For fish."""
    out = f'# made from {tool} --help\n'
    for command, what in commands(build, tool):
        out += f"complete -c {tool} -n __fish_use_subcommand -a {command} -d '{quoted(what)}'\n"
        test = f"-n '__fish_seen_subcommand_from {command}'"
        for word in words_of(build, tool, command):
            out += f'complete -c {tool} {test} -a {word}\n'
        for short, long, argument, text in options(build, tool, command):
            flags = (f'-s {short[1:]} ' if short and short != '-?' else '') + f'-l {long[2:]}' + (' -r' if argument else '')
            out += f"complete -c {tool} {test} {flags} -d '{quoted(text)}'\n"
    return out


def main():
    """Writes all files."""
    build, out, version = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    files = {f'{tool}.1': tool_page(build, tool, version) for tool in TOOLS}
    files |= {f'{daemon}.8': daemon_page(build, daemon, version) for daemon in DAEMONS}
    files['cardea.cfg.5'] = config_page(build, version)
    for tool in TOOLS:
        files |= {f'{tool}.bash': bash(build, tool), f'_{tool}': zsh(build, tool), f'{tool}.fish': fish(build, tool)}
    out.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (out / name).write_text(text)


if __name__ == '__main__':
    main()
