"""Values as the suite writes them (d[1].i, v[marko], m[{...}]) and as GraphSON 3 gives them, in one form.

A value is a tuple: a kind and what it holds. Number types are part of the kind: 1 of type int is not 1 of type
long. Elements are told by their ids.
"""
import json
import re
import struct
from datetime import datetime, timedelta, timezone

NUMBERS = {'b': 'gx:Byte', 's': 'gx:Int16', 'i': 'g:Int32', 'l': 'g:Int64', 'f': 'g:Float', 'd': 'g:Double',
           'm': 'gx:BigDecimal', 'n': 'gx:BigInteger'}
FLOATS = ('g:Float', 'g:Double')


def split_top(text):
    """Splits at commas outside of brackets."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        if char in '[{(':
            depth += 1
        elif char in ']})':
            depth -= 1
        elif char == ',' and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    return [part.strip() for part in parts] if text.strip() else []


def number(kind, text):
    """A number of a GraphSON type from its text."""
    if kind in FLOATS:
        special = {'NaN': 'NaN', 'Infinity': 'Infinity', '-Infinity': '-Infinity'}.get(str(text))
        return (kind, special or (single(text) if kind == 'g:Float' else float(text)))
    if kind == 'gx:BigDecimal':
        return (kind, decimal(str(text)))
    return (kind, int(text))


def single(text):
    """The 32-bit float nearest to a text: 4.2949673E9 is 4294967296."""
    return struct.unpack('f', struct.pack('f', float(text)))[0]


def decimal(text):
    """Equal decimals of different scale are equal for the suite."""
    from decimal import Decimal
    return str(Decimal(text).normalize())


def instant(text):
    """Milliseconds since 1970 of an ISO date-time with or without offset."""
    text = text.replace('Z', '+00:00')
    value = datetime.fromisoformat(re.sub(r'(\.\d{1,6})\d*', r'\1', text))
    if value.tzinfo is None:
        value = value.replace(tzinfo=timezone.utc)
    return int((value - datetime(1970, 1, 1, tzinfo=timezone.utc)) / timedelta(milliseconds=1))


class World:
    """What names stand for in one graph: v[marko], e[marko-knows->vadas], vp[marko-name->marko]."""

    def __init__(self, vertices, edges):
        self.vertices, self.edges, self.properties = {}, {}, {}
        names = {}
        for vertex in vertices:
            value = vertex['@value']
            for key, items in (value.get('properties') or {}).items():
                for item in items:
                    inner = item['@value']
                    if key == 'name':
                        names.setdefault(json.dumps(value['id']), inner['value'])
                        self.vertices.setdefault(inner['value'], vertex)
            name = names.get(json.dumps(value['id']))
            for key, items in (value.get('properties') or {}).items():
                for item in items:
                    shown = item['@value']['value']
                    shown = shown['@value'] if isinstance(shown, dict) else shown
                    self.properties[f'{name}-{key}->{shown}'] = item
        for edge in edges:
            value = edge['@value']
            ends = [names.get(json.dumps(value[end])) for end in ('outV', 'inV')]
            self.edges[f'{ends[0]}-{value["label"]}->{ends[1]}'] = edge

    def raw(self, text):
        """GraphSON of an element or its id, or None if the text is not of that form."""
        match = re.fullmatch(r'(v|e|vp)\[(.*)\](\.id|\.sid)?', text, re.S)
        if not match:
            return None
        kind, name, part = match.groups()
        table = {'v': self.vertices, 'e': self.edges, 'vp': self.properties}[kind]
        if name not in table:
            # An element that the graph does not have: the suite asks for ids that are nowhere.
            ghost = {'@type': 'g:Int32', '@value': 2147483000}
            element = {'@type': 'g:Vertex', '@value': {'id': ghost, 'label': 'vertex'}}
        else:
            element = table[name]
        identity = element['@value']['id']
        if part == '.id':
            return identity
        if part == '.sid':
            return str(identity['@value'] if isinstance(identity, dict) else identity)
        return element

    # ---- the suite's notation to GraphSON, for parameters ----

    def parameter(self, text):
        """GraphSON 3 of a value in the suite's notation."""
        element = self.raw(text)
        if element is not None:
            if isinstance(element, dict) and element['@type'] == 'g:Edge':
                return element
            return element
        match = re.fullmatch(r'd\[(.*)\](?:\.([bsilfdmn]))?', text)
        if match:
            kind = NUMBERS[match.group(2) or 'd']
            shown = match.group(1)
            if kind in ('gx:BigDecimal', 'gx:BigInteger'):
                return {'@type': kind, '@value': Raw(shown)}
            return {'@type': kind, '@value': shown if shown in ('NaN', 'Infinity', '-Infinity')
                    else float(shown) if kind in FLOATS else int(shown)}
        match = re.fullmatch(r'(dt|uuid|str|p|l|s|m|t|D|M)\[(.*)\]', text, re.S)
        if not match:
            return {'null': None, 'true': True, 'false': False}.get(text, text)
        kind, inner = match.groups()
        if kind == 'dt':
            return {'@type': 'gx:OffsetDateTime', '@value': inner}
        if kind == 'uuid':
            return {'@type': 'g:UUID', '@value': inner}
        if kind == 'str':
            return inner
        if kind in 'ls':
            return {'@type': 'g:List' if kind == 'l' else 'g:Set',
                    '@value': [self.parameter(part) for part in split_top(inner)]}
        if kind == 'm':
            return self.json_parameter(json.loads(inner))
        if kind == 'p':
            parts = [self.parameter(part) for part in split_top(inner)]
            return {'@type': 'g:Path', '@value': {
                'labels': {'@type': 'g:List', '@value': [{'@type': 'g:Set', '@value': []} for _ in parts]},
                'objects': {'@type': 'g:List', '@value': parts}}}
        if kind == 'D':
            inner = {'from': 'OUT', 'to': 'IN'}.get(inner, inner)
        return {'@type': {'t': 'g:T', 'D': 'g:Direction', 'M': 'g:Merge'}[kind], '@value': inner}

    def json_parameter(self, value):
        """GraphSON of what stands inside m[...]."""
        if isinstance(value, dict):
            flat = []
            for key, item in value.items():
                flat += [self.parameter(key), self.json_parameter(item)]
            return {'@type': 'g:Map', '@value': flat}
        if isinstance(value, list):
            return {'@type': 'g:List', '@value': [self.json_parameter(item) for item in value]}
        if isinstance(value, str):
            return self.parameter(value)
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, int):
            return {'@type': 'g:Int32', '@value': value}
        return {'@type': 'g:Double', '@value': value}

    def expected(self, text):
        """The suite's notation in the form that results have."""
        return canonical(self.parameter(text))


class Raw(str):
    """Digits that JSON must carry as they are."""


def dumps(value):
    """JSON text; big numbers keep all their digits."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return '{' + ','.join(f'{json.dumps(key)}:{dumps(item)}' for key, item in value.items()) + '}'
    if isinstance(value, list):
        return '[' + ','.join(dumps(item) for item in value) + ']'
    return json.dumps(value)


def canonical_typed(kind, value):
    """A typed GraphSON value in the form that is compared."""
    if kind in ('g:Int32', 'g:Int64', 'gx:Byte', 'gx:Int16', 'gx:BigInteger', 'gx:BigDecimal') or kind in FLOATS:
        return number(kind, value)
    if kind == 'g:List':
        return ('list', tuple(canonical(item) for item in value))
    if kind == 'g:Set':
        return ('set', tuple(sorted((canonical(item) for item in value), key=repr)))
    if kind == 'g:BulkSet':
        flat = [canonical(value[at]) for at in range(0, len(value), 2) for _ in range(int(canonical(value[at + 1])[1]))]
        return ('list', tuple(flat))
    if kind == 'g:Map':
        pairs = [(canonical(value[at]), canonical(value[at + 1])) for at in range(0, len(value), 2)]
        return ('map', tuple(sorted(pairs, key=repr)))
    if kind in ('g:Vertex', 'g:Edge', 'g:VertexProperty'):
        return (kind, canonical(value['id']))
    if kind == 'g:Property':
        return (kind, value['key'], canonical(value['value']))
    if kind == 'g:Path':
        return ('path', canonical(value['objects'])[1])
    if kind in ('gx:OffsetDateTime', 'gx:ZonedDateTime'):
        return ('date', instant(value))
    if kind in ('g:Date', 'g:Timestamp'):
        return ('date', value)
    if kind == 'g:Traverser':
        raise ValueError('a traverser inside a value')
    return (kind, json.dumps(value))


def canonical(value):
    """GraphSON 3 in the form that is compared."""
    if isinstance(value, dict):
        return canonical_typed(value['@type'], value['@value'])
    if isinstance(value, bool):
        return ('bool', value)
    if value is None:
        return ('null',)
    if isinstance(value, str):
        return ('string', value)
    return ('untyped number', value)


def loose(value):
    """As canonical, lists without order: for rows of maps whose lists have no order in the suite."""
    if value[0] in ('list', 'set', 'path') and len(value) == 2:
        return (value[0] if value[0] != 'list' else 'list', tuple(sorted((loose(item) for item in value[1]), key=repr)))
    if value[0] == 'map':
        return ('map', tuple(sorted(((loose(key), loose(item)) for key, item in value[1]), key=repr)))
    return value
