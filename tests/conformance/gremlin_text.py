"""Gremlin text to GraphSON 3 bytecode, as a driver would have built it; apart from the product's own parser.

Only what the conformance features use: chains of calls, literals, tokens, P and nested traversals.
"""
import re

TOKEN = re.compile(r'''\s*(?:
    (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
  | (?P<number>[+-]?(?:0[xX][0-9a-fA-F]+|(?:\d[\d_]*)?\.\d+(?:[eE][+-]?\d+)?|\d[\d_]*(?:[eE][+-]?\d+)?)[bsilnfdmBSILNFDM]?(?![\w.]*\w\())
  | (?P<range>\.\.)
  | (?P<name>[A-Za-z_$][\w$]*)
  | (?P<mark>[+-](?=Infinity|NaN)|[\[\]{}().,:;])
)''', re.X)
ENUMS = {
    'Scope': ('local', 'global'), 'T': ('id', 'label', 'key', 'value'), 'Order': ('asc', 'desc', 'shuffle', 'incr', 'decr'),
    'Merge': ('onCreate', 'onMatch', 'outV', 'inV'), 'Direction': ('IN', 'OUT', 'BOTH', 'from', 'to'),
    'Cardinality': ('single', 'list', 'set'), 'Column': ('keys', 'values'), 'Pop': ('first', 'last', 'all', 'mixed'),
    'Operator': ('addAll', 'and', 'assign', 'div', 'max', 'min', 'minus', 'mult', 'or', 'sum', 'sumLong'),
    'Pick': ('any', 'none', 'unproductive'), 'DT': ('second', 'minute', 'hour', 'day'), 'Barrier': ('normSack',),
    'GType': ('BIGDECIMAL BIGINT BINARY BOOLEAN BYTE CHAR DATETIME DOUBLE DURATION EDGE FLOAT GRAPH INT LIST LONG MAP '
              'NULL NUMBER PATH PROPERTY SET SHORT STRING TREE UUID VERTEX VPROPERTY').split()}
BARE = {name: kind for kind in ('Merge', 'Pick', 'Cardinality', 'Operator', 'Barrier', 'DT', 'Pop', 'Column', 'T',
                                'Order', 'Scope', 'Direction') for name in ENUMS[kind]}
PREDICATES = set('eq neq lt lte gt gte inside outside between within without not typeOf'.split())
TEXT_PREDICATES = set('containing notContaining startingWith notStartingWith endingWith notEndingWith regex notRegex'.split())
CONSTANTS = {'tokens': '~tinkerpop.valueMap.tokens', 'indexer': '~tinkerpop.index.indexer'}
OPTIONS = {'none': 0, 'ids': 1, 'labels': 2, 'keys': 4, 'values': 8, 'all': 15, 'list': 0, 'map': 1}
STRATEGIES = 'org.apache.tinkerpop.gremlin.process.traversal.strategy.'


class NotDriverText(Exception):
    """What drivers cannot build, or this parser does not know: such scenarios run as text only."""


def typed(kind, value):
    """A GraphSON value."""
    return {'@type': kind, '@value': value}


class Parser:
    """Recursive descent over the tokens of one query."""

    def __init__(self, text, parameters):
        self.tokens, self.at, self.parameters = [], 0, parameters
        text = re.sub(r'(?m)(?<![:"\'])//.*$', '', text).strip()
        position = 0
        while position < len(text):
            match = TOKEN.match(text, position)
            if not match:
                raise NotDriverText(f'at {text[position:position + 20]!r}')
            self.tokens.append((match.lastgroup, match.group(match.lastgroup)))
            position = match.end()
        self.tokens.append(('end', ''))

    def peek(self, ahead=0):
        """The text of a coming token."""
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)][1]

    def take(self, text=None):
        """The next token; it must be the given one, if one is given."""
        kind, value = self.tokens[self.at]
        if text is not None and value != text:
            raise NotDriverText(f'{value!r} where {text!r} should be')
        self.at += 1
        return kind, value

    def query(self):
        """g. ... to bytecode, and the terminal method or None."""
        self.take('g')
        return self.chain(True)

    def chain(self, is_root):
        """.a(...).b(...) to bytecode."""
        sources, steps, terminal = [], [], None
        first = not is_root
        while first or self.peek() == '.':
            if not first:
                self.take('.')
            first = False
            _, name = self.take()
            arguments = self.arguments()
            if is_root and name in ('next', 'toList', 'iterate', 'hasNext', 'toSet', 'toBulkSet', 'tryNext', 'explain'):
                terminal = name
            elif is_root and not steps and name.startswith('with') and name != 'withComputer':
                sources.append(self.source(name, arguments))
            else:
                steps.append([name] + arguments)
        body = {}
        if sources:
            body['source'] = sources
        if steps:
            body['step'] = steps
        return typed('g:Bytecode', body), terminal

    @staticmethod
    def source(name, arguments):
        """with(key, value) is an OptionsStrategy in bytecode."""
        if name != 'with':
            return [name] + arguments
        value = arguments[1] if len(arguments) > 1 else True
        return ['withStrategies', typed('g:OptionsStrategy', {
            'fqcn': STRATEGIES + 'decoration.OptionsStrategy', 'conf': {arguments[0]: value}})]

    def arguments(self):
        """( a, b, ... )"""
        self.take('(')
        values = []
        while self.peek() != ')':
            values.append(self.value())
            if self.peek() == ',':
                self.take()
        self.take(')')
        return values

    def value(self):
        """One argument."""
        kind, text = self.tokens[self.at]
        if kind == 'string':
            self.take()
            return self.string(text)
        if kind == 'number':
            self.take()
            return self.number(text)
        if text in '+-' and kind == 'mark':
            self.take()
            self.take('Infinity') if self.peek() == 'Infinity' else self.take('NaN')
            return typed('g:Double', '-Infinity' if text == '-' else 'Infinity')
        if text == '[':
            return self.bracket()
        if text == '{':
            items = self.items('{', '}')
            return typed('g:Set', [item for at, item in enumerate(items) if item not in items[:at]])
        if kind == 'name':
            return self.word()
        raise NotDriverText(f'{text!r}')

    def items(self, begin, end):
        """Values between two marks."""
        self.take(begin)
        values = []
        while self.peek() != end:
            values.append(self.value())
            if self.peek() == ',':
                self.take()
        self.take(end)
        return values

    def bracket(self):
        """A list or a map."""
        if self.peek(1) == ':':
            self.take('[')
            self.take(':')
            self.take(']')
            return typed('g:Map', [])
        depth = ahead = 0
        is_map = False
        while True:
            text = self.peek(ahead)
            if text in ('[', '{', '('):
                depth += 1
            elif text in (']', '}', ')'):
                depth -= 1
                if depth == 0:
                    break
            elif text == ':' and depth == 1:
                is_map = True
            elif text == '..':
                raise NotDriverText('range')
            elif self.tokens[min(self.at + ahead, len(self.tokens) - 1)][0] == 'end':
                raise NotDriverText('unclosed')
            ahead += 1
        if not is_map:
            return typed('g:List', self.items('[', ']'))
        self.take('[')
        flat = []
        while self.peek() != ']':
            if self.peek() == '(':
                self.take()
                flat.append(self.value())
                self.take(')')
            elif self.tokens[self.at][0] == 'name' and self.peek(1) == ':':
                flat.append(self.take()[1])
            else:
                flat.append(self.value())
            self.take(':')
            flat.append(self.value())
            if self.peek() == ',':
                self.take()
        self.take(']')
        return typed('g:Map', flat)

    def word(self):
        """A token, a constant, a predicate, a parameter, a strategy or a nested traversal."""
        _, name = self.take()
        if name in ('true', 'false', 'null'):
            return {'true': True, 'false': False, 'null': None}[name]
        if name in ('NaN', 'Infinity'):
            return typed('g:Double', name)
        if name in self.parameters and self.peek() != '(':
            return self.parameters[name]
        if name == 'new':
            return self.word()
        if name in ('datetime', 'DateTime', 'UUID') and self.peek() == '(':
            arguments = self.arguments()
            if not arguments:
                raise NotDriverText(f'{name}()')
            return typed('g:UUID' if name == 'UUID' else 'gx:OffsetDateTime', self.moment(name, arguments[0]))
        if name in ('P', 'TextP'):
            self.take('.')
            return self.predicate(self.take()[1])
        if (name in PREDICATES or name in TEXT_PREDICATES) and self.peek() == '(' and not (
                name == 'not' and not self.looks_like_predicate()):
            return self.predicate(name)
        if name == '__':
            self.take('.')
            return self.chain(False)[0]
        if name in ENUMS and self.peek() == '.':
            self.take('.')
            return self.enum(name, self.take()[1])
        if name == 'WithOptions':
            self.take('.')
            _, option = self.take()
            return CONSTANTS[option] if option in CONSTANTS else typed('g:Int32', OPTIONS[option])
        if self.peek() == '(' and (name[0].islower() or name == 'V' or name == 'E'):
            if name in ('single', 'list', 'set'):
                arguments = self.arguments()
                return typed('g:Bytecode', {'source': [['CardinalityValueTraversal', self.enum('Cardinality', name)] + arguments]})
            self.at -= 1
            return self.chain(False)[0]
        if name.endswith('Strategy'):
            return self.strategy(name)
        if name.upper() in ENUMS['GType'] and name not in BARE:
            return typed('g:GType', name.upper())
        if name in BARE:
            return self.enum(BARE[name], name)
        raise NotDriverText(f'word {name}')

    @staticmethod
    def moment(name, text):
        """The forms of dates as a driver would have made them."""
        if name == 'UUID' or re.search(r'(Z|[+-]\d\d:\d\d)$', text):
            return text
        if re.fullmatch(r'\d{4}-\d\d', text):
            text += '-01'
        if 'T' not in text:
            text += 'T00:00:00'
        return text + 'Z' if not re.search(r'[+-]\d{4,6}$', text) else text

    @staticmethod
    def enum(kind, name):
        """An enumerator; Direction has names of its own on the wire."""
        if kind == 'Direction':
            name = {'from': 'OUT', 'to': 'IN'}.get(name, name)
        if kind == 'GType':
            name = name.upper()
        return typed('g:' + kind, name)

    def looks_like_predicate(self):
        """Whether not( holds a predicate, not a traversal."""
        first, second = self.peek(1), self.peek(2)
        return first in ('P', 'TextP') or (first in PREDICATES | TEXT_PREDICATES and second == '(')

    def predicate(self, name):
        """eq(x).or(gt(y)).negate() ..."""
        arguments = self.arguments()
        kind = 'g:TextP' if name in TEXT_PREDICATES else 'g:P'
        if name in ('within', 'without'):
            if len(arguments) == 1 and isinstance(arguments[0], dict) and arguments[0]['@type'] in ('g:List', 'g:Set'):
                value = typed('g:List', arguments[0]['@value'])
            else:
                value = typed('g:List', arguments)
        elif name in ('between', 'inside', 'outside'):
            value = typed('g:List', arguments)
        else:
            value = arguments[0]
        made = typed(kind, {'predicate': name, 'value': value})
        while self.peek() == '.' and self.peek(1) in ('and', 'or', 'negate'):
            self.take('.')
            _, word = self.take()
            others = self.arguments()
            if word == 'negate':
                made = typed('g:P', {'predicate': 'not', 'value': made})
            else:
                made = typed('g:P', {'predicate': word, 'value': typed('g:List', [made] + others)})
        return made

    def strategy(self, name):
        """Strategy(key: value, ...) or a bare class name."""
        conf = {}
        if self.peek() == '(':
            self.take()
            while self.peek() != ')':
                key = self.take()[1]
                self.take(':')
                conf[key] = self.value()
                if self.peek() == ',':
                    self.take()
            self.take(')')
        folder = {'ReadOnlyStrategy': 'verification.', 'ReservedKeysVerificationStrategy': 'verification.',
                  'EdgeLabelVerificationStrategy': 'verification.', 'ProductiveByStrategy': 'optimization.'}.get(name, 'decoration.')
        return typed('g:' + name, {'fqcn': STRATEGIES + folder + name, 'conf': conf})

    @staticmethod
    def string(text):
        """Java escapes."""
        escapes = {'n': '\n', 't': '\t', 'b': '\b', 'r': '\r', 'f': '\f', '\n': ''}
        return re.sub(r'\\(u[0-9a-fA-F]{4}|.)', lambda match: chr(int(match.group(1)[1:], 16)) if match.group(1)[0] == 'u'
                      and len(match.group(1)) == 5 else escapes.get(match.group(1), match.group(1)), text[1:-1], flags=re.S)

    @staticmethod
    def number(text):
        """A typed number by suffix or by size."""
        from values import Raw
        clean, suffix = text.replace('_', ''), ''
        if not clean.lower().startswith(('0x', '+0x', '-0x')) and clean[-1].lower() in 'bsilnfdm':
            clean, suffix = clean[:-1], clean[-1].lower()
        kinds = {'b': 'gx:Byte', 's': 'gx:Int16', 'i': 'g:Int32', 'l': 'g:Int64', 'n': 'gx:BigInteger',
                 'f': 'g:Float', 'd': 'g:Double', 'm': 'gx:BigDecimal'}
        if suffix in ('n', 'm'):
            return typed(kinds[suffix], Raw(clean.lstrip('+')))
        if suffix in ('f', 'd') or (not suffix and re.search(r'[.eE]', clean) and 'x' not in clean.lower()):
            return typed(kinds[suffix or 'd'], float(clean))
        value = int(clean, 16 if 'x' in clean.lower() else 8 if re.fullmatch(r'[+-]?0\d+', clean) else 10)
        if suffix:
            return typed(kinds[suffix], value)
        if -2**31 <= value < 2**31:
            return typed('g:Int32', value)
        return typed('g:Int64', value) if -2**63 <= value < 2**63 else typed('gx:BigInteger', Raw(str(value)))


def bytecode(text, parameters):
    """GraphSON bytecode of a query, and its terminal method or None."""
    parser = Parser(text, parameters)
    made, terminal = parser.query()
    if parser.tokens[parser.at][0] != 'end':
        raise NotDriverText(f'{parser.peek()!r} after the end')
    return made, terminal
