#!/usr/bin/env python3
"""Runs TinkerPop's Gherkin features against a server, each scenario as text and as bytecode.

    tests/conformance/run.py --port P [--features DIR] [--gaps FILE] [--only SUBSTRING] [-v]

The server has the traversal sources g, ggraph, gmodern, gclassic, gcrew, ggrateful, gsink (serve.sh starts one).
Number types are part of a result. A scenario that fails must stand in the file of known gaps; one that stands
there and passes must be taken out: the list only shrinks. Lines of the file: "text|bytecode PATH:NAME".
"""
import argparse
import os
import pathlib
import sys

import gherkin
from client import Client, ServerError
from gremlin_text import NotDriverText, bytecode
from values import World, canonical, loose

SKIPPED_TAGS = {'@GraphComputerOnly', '@AllowNullPropertyValues'}


class Failure(Exception):
    """A scenario that did not give what it should."""


class Runner:
    """Scenarios over one connection; worlds of the graphs that do not change are read once."""

    def __init__(self, host, port):
        self.host, self.port = host, port
        self.client = Client(host, port)
        self.worlds = {}
        self.is_next = False  # How the scenario's results were taken.

    def reconnect(self):
        """After a timeout or a closed connection the next scenario starts afresh."""
        self.client.close()
        self.client = Client(self.host, self.port)

    def world(self, source):
        """What names stand for."""
        if source == 'ggraph' or source not in self.worlds:
            self.worlds[source] = World(self.client.text(source, 'g.V()'), self.client.text(source, 'g.E()'))
        return self.worlds[source]

    def iterate(self, form, source, query, parameters):
        """Results of a query in one of the two forms."""
        if form == 'text':
            used = {name: value for name, value in parameters.items() if name in query}
            return self.client.text(source, query, used)
        code, _ = bytecode(query, parameters)
        return self.client.bytecode(source, code)

    def run(self, scenario, form):
        """Raises Failure, or returns; NotDriverText if it has no bytecode form."""
        source, query, parameters, results, error = 'ggraph', None, {}, None, None
        defined, prelude = {}, []
        for step, doc, table in scenario.steps:
            if step.startswith('an unsupported test'):
                return
            if step.startswith('the ') and step.endswith(' graph'):
                source = 'g' + {'empty': 'graph'}.get(step.split()[1], step.split()[1])
                if source == 'ggraph':
                    self.client.text(source, 'g.V().drop()')
            elif step.startswith('the graph initializer of'):
                self.client.text(source, doc)
            elif step.startswith('using the parameter'):
                name, value = step[len('using the parameter '):].split(' defined as ', 1)
                defined[name] = value.strip()[1:-1].replace('\\"', '"')
            elif step.startswith('using the side effect'):
                name, value = step[len('using the side effect '):].split(' defined as ', 1)
                prelude.append((name, value.strip()[1:-1].replace('\\"', '"')))
            elif step.startswith('the traversal of'):
                query = ' '.join(doc.split('\n'))
                query = doc
            elif step.startswith('iterated'):
                world = self.world(source)
                parameters = {name: world.parameter(value) for name, value in defined.items()}
                if prelude:
                    raise NotDriverText('side effects are given with bytecode only') if form == 'text' else NotDriverText('side effect')
                try:
                    results = self.iterate(form, source, query, parameters)
                    self.is_next = step == 'iterated next'
                    if step == 'iterated next':
                        results = results[:1]
                        if results and isinstance(results[0], dict) and results[0]['@type'] in ('g:List', 'g:Set', 'g:BulkSet', 'g:Map', 'g:Path'):
                            results = unroll(results[0])
                except ServerError as problem:
                    error = problem
            else:
                self.check(step, doc, table, (source, form, parameters, results, error))

    def check(self, step, doc, table, state):
        """One Then or And."""
        source, form, parameters, results, error = state
        if step.startswith('the traversal will raise an error'):
            if error is None:
                raise Failure('no error was raised')
            if ' text of ' in step:
                words = step.split(' text of ', 1)[1].strip()[1:-1].replace('\\"', '"')
                kind = step.split(' message ', 1)[1].split()[0]
                fits = {'containing': words in error.message, 'starting': error.message.startswith(words),
                        'ending': error.message.endswith(words)}[kind]
                if not fits:
                    raise Failure(f'error {error.message!r} does not hold {words!r}')
            return
        if step.startswith('nothing should happen'):
            return
        if error is not None:
            raise Failure(f'error {error}')
        if step.startswith('the graph should return'):
            count, text = step[len('the graph should return '):].split(' for count of ', 1)
            text = text.strip()[1:-1].replace('\\"', '"')
            world = self.world(source)
            known = {name: value for name, value in parameters.items() if name in text}
            found = len(self.iterate('text', source, text, known))
            del world
            if found != int(count):
                raise Failure(f'{text}: {found}, not {count}')
        elif step.startswith('the result should have a count of'):
            count = len(results)
            if self.is_next and count == 1 and isinstance(results[0], dict) and results[0]['@type'] == 'g:Map':
                count = len(results[0]['@value']) // 2  # A map counts by its entries.
            if count != int(step.rsplit(' ', 1)[1]):
                raise Failure(f'{count} results, not {step.rsplit(" ", 1)[1]}')
        elif step == 'the result should be empty':
            if results:
                raise Failure(f'{len(results)} results, not none: {results[:3]}')
        elif step.startswith('the result should be a tree'):
            expected, found = tree_of_text(doc, self.worlds[source]), tree_of_value(results[0])
            if expected != found:
                raise Failure(f'found {found}\n    expected {expected}')
        elif step.startswith('the result should be a subgraph'):
            kind = table[0][0]
            expected = {repr(self.worlds[source].expected(row[0])) for row in table[1:]}
            items = results[0]['@value'][kind]
            if {repr(canonical(item)) for item in items} != expected or len(items) != len(expected):
                raise Failure(f'found {kind} {items}\n    expected {expected}')
            if any(kind == 'vertices' and 'name' not in item['@value']['properties'] for item in items):
                raise Failure('a vertex of the graph came without its properties')
        else:
            self.compare(step, table, results, self.worlds[source])

    @staticmethod
    def compare(step, table, results, world):
        """ordered, unordered, of."""
        expected = [world.expected(row[0]) for row in table[1:]]
        found = [canonical(result) for result in results]
        if step == 'the result should be of':
            for item in found:
                if item not in expected and loose(item) not in [loose(other) for other in expected]:
                    raise Failure(f'{item} is none of {expected}')
            return
        if step == 'the result should be unordered':
            expected, found = (sorted(map(loose, items), key=repr) for items in (expected, found))
        elif step != 'the result should be ordered':
            raise Failure(f'step not known: {step}')
        else:
            expected, found = list(map(loose_maps, expected)), list(map(loose_maps, found))
        if expected != found:
            raise Failure(f'found {found}\n    expected {expected}')


def tree_of_value(tree):
    """A g:Tree as a map of printed keys to trees."""
    if tree['@type'] != 'g:Tree':
        raise Failure(f'{tree} is no tree')
    return {repr(canonical(branch['key'])): tree_of_value(branch['value']) for branch in tree['@value']}


def tree_of_text(doc, world):
    """The suite's picture of a tree, a line a node, each level set in by three."""
    path = [{}]
    for line in doc.split('\n'):
        if '|--' in line:
            depth = line.index('|--') // 3
            del path[depth + 1:]
            path.append(path[depth].setdefault(repr(world.expected(line.split('|--', 1)[1])), {}))
    return path[0]


def loose_maps(value):
    """Lists inside maps have no order for the suite."""
    return loose(value) if value[0] == 'map' else value


def unroll(value):
    """iterated next: the rows of a collection."""
    items = value['@value']
    if value['@type'] == 'g:BulkSet':
        return [items[at] for at in range(0, len(items), 2) for _ in range(items[at + 1]['@value'])]
    if value['@type'] == 'g:Map':
        return [{'@type': 'g:Map', '@value': items}]
    if value['@type'] == 'g:Path':
        return items['objects']['@value']
    return items


def read_gaps(path):
    """Known gaps as a set of (form, key)."""
    if not path or not pathlib.Path(path).exists():
        return set()
    lines = pathlib.Path(path).read_text(encoding='utf-8').splitlines()
    return {tuple(line.split(' ', 1)) for line in lines if line and not line.startswith('#')}


def run_one(runner, scenario, form):
    """'passed', 'none' (no such form) or the text of the failure."""
    try:
        runner.run(scenario, form)
        return 'passed'
    except NotDriverText as reason:
        return f'none: {reason}'
    except (Failure, ServerError) as failure:
        return f'failed: {failure}'
    except (OSError, ConnectionError) as problem:
        runner.reconnect()
        return f'failed: {problem}'
    except (KeyError, ValueError, TypeError, IndexError) as problem:
        return f'failed: {type(problem).__name__} {problem}'


def main():
    """Runs all, prints a line for what is not as the list of gaps says, and a closing line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    shared = os.environ.get('CARDEA_SHARED', str(pathlib.Path(__file__).parents[2] / '../shared'))
    parser.add_argument('--host', default='127.0.0.1')
    parser.add_argument('--port', type=int, required=True)
    parser.add_argument('--features', default=f'{shared}/tck/features')
    parser.add_argument('--gaps', default=str(pathlib.Path(__file__).parent / 'known_gaps.txt'))
    parser.add_argument('--write-gaps', action='store_true', help='replace the list by what fails now')
    parser.add_argument('--only', default='', help='scenarios whose path or name holds this')
    parser.add_argument('-v', action='store_true', dest='verbose')
    options = parser.parse_args()
    if not pathlib.Path(options.features).is_dir():
        print(f'skipped: no features at {options.features} (set CARDEA_SHARED)')
        return 77
    scenarios = [scenario for scenario in gherkin.read_all(options.features)
                 if not scenario.tags & SKIPPED_TAGS and options.only in scenario.key()]
    gaps, runner, state = read_gaps(options.gaps), Runner(options.host, options.port), {}
    for scenario in scenarios:
        for form in ('text', 'bytecode'):
            state[form, scenario.key()] = run_one(runner, scenario, form)
    failed = {key for key, outcome in state.items() if outcome.startswith('failed')}
    if options.write_gaps:
        head = '# Scenarios that do not pass yet: "text|bytecode PATH:NAME". The list only shrinks.\n'
        pathlib.Path(options.gaps).write_text(head + ''.join(f'{form} {key}\n' for form, key in sorted(failed)), encoding='utf-8')
        gaps = failed
    return report(scenarios, state, failed, (gaps, options))


def report(scenarios, state, failed, context):
    """Prints what is new against the list of gaps, and the totals."""
    gaps, options = context
    for form, key in sorted(failed):
        if options.verbose or (form, key) not in gaps:
            print(f'{"gap" if (form, key) in gaps else "NOT OK"} {form} {key}\n    {state[form, key]}')
    mended = {gap for gap in gaps if state.get(gap) == 'passed'} if not options.only else set()
    for form, key in sorted(mended):
        print(f'NOT OK {form} {key}\n    passes now: take it out of {options.gaps}')
    both = 0
    for scenario in scenarios:
        text, code = state['text', scenario.key()], state['bytecode', scenario.key()]
        both += text == 'passed' and code == 'passed'
        if text == 'passed' and code.startswith('failed') and ('bytecode', scenario.key()) not in gaps:
            print(f'NOT OK {scenario.key()}: passes in text, not in bytecode')
    passed = {form: sum(outcome == 'passed' for (kind, _), outcome in state.items() if kind == form) for form in ('text', 'bytecode')}
    none = sum(outcome.startswith('none') for outcome in state.values())
    print(f'# {len(scenarios)} scenarios: {passed["text"]} pass in text, {passed["bytecode"]} in bytecode, {both} in both; '
          f'{none} have no such form')
    bad = len(failed - gaps) + len(mended)
    print(f'conformance: {sum(passed.values())} passed, {bad} failed, {none + len(failed & gaps)} skipped')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
