"""What Prometheus would refuse of a page of metrics: the text format 0.0.4, and its rules for names and histograms."""
import re

NAME = r'[a-zA-Z_:][a-zA-Z0-9_:]*'
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*"'
SAMPLE = re.compile(rf'({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? ([0-9.eE+-]+|NaN|[+-]Inf)$')
KINDS = {'counter', 'gauge', 'histogram'}


def check_histogram(name, samples):
    """Each series has rising bounds up to +Inf, rising counts, and a sum and a count that agree."""
    series = {}
    for sample, labels, value in samples:
        bare = tuple(label for label in labels if not label.startswith('le='))
        one = series.setdefault(bare, {'buckets': []})
        if sample == name + '_bucket':
            bound = [label[4:-1] for label in labels if label.startswith('le=')]
            assert len(bound) == 1, f'{name}: a bucket without le'
            one['buckets'].append((float(bound[0].replace('+Inf', 'inf')), value))
        else:
            one[sample] = value
    for bare, one in series.items():
        bounds, counts = zip(*one['buckets'])
        assert list(bounds) == sorted(set(bounds)) and bounds[-1] == float('inf'), f'{name}{bare}: bounds'
        assert list(counts) == sorted(counts), f'{name}{bare}: counts fall'
        assert one[name + '_count'] == counts[-1] and name + '_sum' in one, f'{name}{bare}: sum or count'


def check(text):
    """Raises AssertionError; gives the samples as {(name, labels): value}."""
    assert text.endswith('\n'), 'the last line does not end'
    families, found, current, helped = {}, {}, None, None
    for number, line in enumerate(text.split('\n')[:-1], 1):
        where = f'line {number}: {line}'
        if line.startswith('# HELP '):
            helped = line.split(' ')[2]
            assert line.split(' ', 3)[3].strip(), f'{where}: no help'
            continue
        if line.startswith('# TYPE '):
            _, _, current, kind = line.split(' ')
            assert current == helped, f'{where}: TYPE without its HELP'
            assert current not in families, f'{where}: the family comes twice'
            assert kind in KINDS and re.fullmatch(NAME, current), where
            assert (kind == 'counter') == current.endswith('_total'), f'{where}: counters, and they alone, end with _total'
            families[current] = (kind, [])
            continue
        match = SAMPLE.match(line)
        assert match, f'{where}: not a sample'
        name, labels, value = match.group(1), match.group(2) or '', float(match.group(3))
        kind, samples = families[current] if current else (None, None)
        own = {current + end for end in ('_bucket', '_sum', '_count')} if kind == 'histogram' else {current}
        assert name in own, f'{where}: not of the family {current}'
        assert (name, labels) not in found, f'{where}: twice'
        parts = re.findall(LABEL, labels)
        assert len({part.split('=')[0] for part in parts}) == len(parts), f'{where}: a label twice'
        found[name, labels] = value
        samples.append((name, parts, value))
    for name, (kind, samples) in families.items():
        if kind == 'histogram':
            check_histogram(name, samples)
    return found
