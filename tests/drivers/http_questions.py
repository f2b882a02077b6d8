#!/usr/bin/env python3
"""Asks the air-routes questions over HTTP POST: typed GraphSON 3 in, compared with routes.py's answers.

    http_questions.py PORT QUESTIONS [GRAPH]
"""
import json
import sys
import urllib.request


def plain(value):
    """GraphSON 3 without its types; maps keyed by text."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind, inner = value['@type'], value['@value']
    if kind == 'g:Map':
        return {str(plain(inner[at])): plain(inner[at + 1]) for at in range(0, len(inner), 2)}
    return plain(inner)


def key(value):
    """For sorting and comparing."""
    return json.dumps(json.loads(json.dumps(value), parse_float=lambda text: float(f'{float(text):.12g}')), sort_keys=True)


def main():
    """Exit 1 at the first answer that is not right."""
    port, path = sys.argv[1:3]
    graph = sys.argv[3] if len(sys.argv) > 3 else 'g'
    with open(path, encoding='utf-8') as file:
        questions = json.load(file)
    for question in questions:
        body = json.dumps({'gremlin': question['query'], 'aliases': {'g': graph}}).encode()
        request = urllib.request.Request(f'http://127.0.0.1:{port}/gremlin', body, {'Content-Type': 'application/json'})
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)
        found, wanted = ([key(item) for item in items] for items in (plain(answer['result']['data']), question['results']))
        if not question['ordered']:
            found.sort()
            wanted.sort()
        if found != wanted:
            print(f'{question["query"]}: {found}\n  expected {wanted}')
            return 1
    print(f'{len(questions)} questions answered right over HTTP')
    return 0


if __name__ == '__main__':
    sys.exit(main())
