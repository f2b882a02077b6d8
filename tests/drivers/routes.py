#!/usr/bin/env python3
"""Questions about the air-routes graph with their answers, computed here from the CSV files alone.

    routes.py FOLDER > questions.json     [{"query": ..., "results": [...], "ordered": bool}, ...]

What asks them (JavaScript, Python, HTTP, the console) compares with these answers.
"""
import collections
import csv
import json
import pathlib
import sys


class Graph:
    """The two CSV files in memory."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.nodes, self.edges = {}, []
        with open(folder / 'air-routes-latest-nodes.csv', encoding='utf-8', newline='') as file:
            for row in csv.DictReader(file):
                node = {}
                for head, cell in row.items():
                    name, _, kind = head.partition(':')
                    if cell != '' and not head.startswith('~'):
                        node[name] = {'int': int, 'double': float}.get(kind, str)(cell)
                self.nodes[int(row['~id'])] = (row['~label'], node)
        with open(folder / 'air-routes-latest-edges.csv', encoding='utf-8', newline='') as file:
            for row in csv.DictReader(file):
                dist = int(row['dist:int']) if row['dist:int'] else None
                self.edges.append((int(row['~id']), int(row['~from']), int(row['~to']), row['~label'], dist))
        self.out, self.into = collections.defaultdict(list), collections.defaultdict(list)
        for edge in self.edges:
            self.out[edge[1]].append(edge)
            self.into[edge[2]].append(edge)
        self.code = {node['code']: key for key, (label, node) in self.nodes.items() if label == 'airport'}

    def airports(self, **wanted):
        """Properties of the airports that have these."""
        return [node for label, node in self.nodes.values() if label == 'airport'
                and all(node.get(key) == value for key, value in wanted.items())]

    def routes(self, key):
        """Ids that routes lead to, once a route."""
        return [edge[2] for edge in self.out[key] if edge[3] == 'route']

    def prop(self, key, name):
        """A property of a vertex."""
        return self.nodes[key][1].get(name)


def counts(values):
    """groupCount()"""
    return dict(collections.Counter(values))


def simple(graph, ask):
    """Counts, look-ups, filters, aggregates."""
    airports = graph.airports()
    edges = graph.edges
    ask('g.V().count()', [len(graph.nodes)])
    ask('g.E().count()', [len(edges)])
    ask("g.V().has('airport','code','DFW').out('route').count()", [len(graph.routes(graph.code['DFW']))])
    ask("g.V().groupCount().by(label)", [counts(label for label, _ in graph.nodes.values())])
    ask("g.E().groupCount().by(label)", [counts(edge[3] for edge in edges)])
    ask("g.V().hasLabel('airport').count()", [len(airports)])
    ask("g.V().hasLabel('country','continent').count()", [sum(label in ('country', 'continent') for label, _ in graph.nodes.values())])
    ask("g.V().has('code','AUS').values('city')", [graph.prop(graph.code['AUS'], 'city')])
    ask("g.V(3).values('code')", [graph.prop(3, 'code')])
    ask("g.V(1,2,3,4000000).count()", [3])
    ask("g.V().has('airport','runways',gte(6)).values('code')", [a['code'] for a in airports if a['runways'] >= 6])
    ask("g.V().has('airport','longest',gt(16000)).order().by('longest',desc).values('code')",
        [a['code'] for a in sorted((a for a in airports if a['longest'] > 16000), key=lambda a: -a['longest'])])
    ask("g.V().has('airport','elev',between(10000,11000)).count()", [sum(10000 <= a['elev'] < 11000 for a in airports)])
    ask("g.V().has('airport','city',startingWith('San ')).count()", [sum(a.get('city', '').startswith('San ') for a in airports)])
    ask("g.V().has('airport','desc',containing('International')).count()", [sum('International' in a.get('desc', '') for a in airports)])
    ask("g.V().has('airport','code',within('LHR','JFK','CDG')).values('city')", [graph.prop(graph.code[c], 'city') for c in ('LHR', 'JFK', 'CDG')])
    ask("g.V().hasLabel('airport').has('country','DE').values('runways').sum()", [sum(a['runways'] for a in graph.airports(country='DE'))])
    ask("g.V().hasLabel('airport').values('elev').max()", [max(a['elev'] for a in airports)])
    ask("g.V().hasLabel('airport').values('elev').min()", [min(a['elev'] for a in airports)])
    ask("g.V().hasLabel('airport').values('lat').max()", [max(a['lat'] for a in airports)])
    ask("g.V().hasLabel('airport').has('region','US-TX').values('code').order()", sorted(a['code'] for a in graph.airports(region='US-TX')), True)
    ask("g.V().has('airport','country','NZ').order().by('code').limit(5).values('code')", sorted(a['code'] for a in graph.airports(country='NZ'))[:5], True)
    ask("g.V().has('airport','country','NZ').order().by('code').range(3,6).values('code')", sorted(a['code'] for a in graph.airports(country='NZ'))[3:6], True)
    ask("g.V().has('airport','country','NZ').order().by('code').tail(2).values('code')", sorted(a['code'] for a in graph.airports(country='NZ'))[-2:], True)
    ask("g.V().hasLabel('airport').values('country').dedup().count()", [len({a['country'] for a in airports})])
    ask("g.V().hasLabel('airport').groupCount().by('runways')", [{str(k): v for k, v in counts(a['runways'] for a in airports).items()}])
    ask("g.V().hasLabel('continent').values('desc').fold().unfold().order()", sorted(n['desc'] for l, n in graph.nodes.values() if l == 'continent'), True)
    ask("g.V().has('airport','code','LHR').valueMap('code','runways')", [{'code': ['LHR'], 'runways': [graph.prop(graph.code['LHR'], 'runways')]}])
    ask("g.V().hasLabel('airport').hasNot('city').count()", [sum('city' not in a for a in airports)])
    ask("g.E().hasLabel('route').has('dist',gt(8500)).count()", [sum(e[3] == 'route' and e[4] > 8500 for e in edges)])
    ask("g.E().hasLabel('route').values('dist').max()", [max(e[4] for e in edges if e[3] == 'route')])
    ask("g.E(3749).values('dist')", [next(e[4] for e in edges if e[0] == 3749)])
    ask("g.E(3749).outV().values('code')", [graph.prop(next(e[1] for e in edges if e[0] == 3749), 'code')])


def hops(graph, ask):
    """Neighbours, paths, loops, branches, projections."""
    dfw, aus, wlg = graph.code['DFW'], graph.code['AUS'], graph.code['WLG']
    country_of = {edge[2]: edge[1] for edge in graph.edges if edge[3] == 'contains' and graph.nodes[edge[1]][0] == 'country'}
    ask("g.V().has('code','AUS').out('route').values('code').order().limit(10)", sorted(graph.prop(k, 'code') for k in graph.routes(aus))[:10], True)
    ask("g.V().has('code','AUS').out('route').out('route').count()", [sum(len(graph.routes(k)) for k in graph.routes(aus))])
    two = {far for k in graph.routes(aus) for far in graph.routes(k)}
    ask("g.V().has('code','AUS').out('route').out('route').dedup().count()", [len(two)])
    seen, frontier = set(), {aus}
    for _ in range(3):  # One dedup() sees all rounds.
        frontier = {far for k in frontier for far in graph.routes(k)} - seen
        seen |= frontier
    ask("g.V().has('code','AUS').repeat(out('route').dedup()).times(3).dedup().count()", [len(frontier)])
    three = {far for k in two for far in graph.routes(k)}
    ask("g.V().has('code','AUS').repeat(out('route')).times(3).dedup().count()", [len(three)])
    ask("g.V().has('code','DFW').in('route').count()", [sum(e[3] == 'route' for e in graph.into[dfw])])
    ask("g.V().has('code','DFW').both('route').dedup().count()", [len(set(graph.routes(dfw)) | {e[1] for e in graph.into[dfw] if e[3] == 'route'})])
    ask("g.V().has('code','DFW').bothE().count()", [len(graph.out[dfw]) + len(graph.into[dfw])])
    ask("g.V().has('code','DFW').outE('route').values('dist').sum()", [sum(e[4] for e in graph.out[dfw] if e[3] == 'route')])
    ask("g.V().has('code','DFW').outE('route').has('dist',lt(200)).inV().values('code')", [graph.prop(e[2], 'code') for e in graph.out[dfw] if e[3] == 'route' and e[4] < 200])
    ask("g.V().has('code','DFW').outE('route').order().by('dist',desc).limit(3).values('dist')", sorted((e[4] for e in graph.out[dfw] if e[3] == 'route'), reverse=True)[:3], True)
    ask("g.V().has('code','WLG').out('route').has('country','AU').values('code')", [graph.prop(k, 'code') for k in graph.routes(wlg) if graph.prop(k, 'country') == 'AU'])
    ask("g.V().hasLabel('airport').where(out('route').count().is(gt(250))).values('code')", [graph.prop(k, 'code') for k in graph.code.values() if len(graph.routes(k)) > 250])
    ask("g.V().hasLabel('airport').not(out('route')).count()", [sum(not graph.routes(k) for k in graph.code.values())])
    ask("g.V().has('airport','country','IE').project('code','routes').by('code').by(out('route').count())",
        [{'code': graph.prop(k, 'code'), 'routes': len(graph.routes(k))} for k in graph.code.values() if graph.prop(k, 'country') == 'IE'])
    ask("g.V().has('airport','country','IE').group().by('region').by(count())", [counts(a['region'] for a in graph.airports(country='IE'))])
    ask("g.V().hasLabel('continent').project('c','n').by('code').by(out('contains').count())",
        [{'c': n['code'], 'n': sum(e[3] == 'contains' for e in graph.out[k])} for k, (l, n) in graph.nodes.items() if l == 'continent'])
    ask("g.V().has('country','code','FR').out('contains').count()", [sum(country == next(k for k, (l, n) in graph.nodes.items() if l == 'country' and n['code'] == 'FR') for country in country_of.values())])
    ask("g.V().has('code','AUS').as('a').out('route').as('b').where(out('route').has('code','SYD')).select('b').values('code')",
        [graph.prop(k, 'code') for k in graph.routes(aus) if graph.code['SYD'] in graph.routes(k)])
    paths = [[a, b, c] for a in [wlg] for b in graph.routes(a) for c in graph.routes(b) if c != a]
    ask("g.V().has('code','WLG').out('route').out('route').simplePath().count()", [len(paths)])
    ask("g.V().has('code','WLG').repeat(out('route').simplePath()).times(2).path().by('code').count()", [len(paths)])
    ask("g.V().has('code','AUS').union(out('route').count(),in('route').count())", [len(graph.routes(aus)), sum(e[3] == 'route' for e in graph.into[aus])])
    ask("g.V().has('code','AUS').coalesce(out('nothing'),out('route')).count()", [len(graph.routes(aus))])
    ask("g.V().has('airport','country','IE').choose(has('runways',gt(1)),constant('many'),constant('one')).groupCount()",
        [counts('many' if a['runways'] > 1 else 'one' for a in graph.airports(country='IE'))])
    ask("g.V().has('code','AUS').optional(out('nothing')).values('code')", ['AUS'])
    ask("g.V().has('code','AUS').out('route').aggregate('x').cap('x').unfold().count()", [len(graph.routes(aus))])
    ask("g.V().has('code','WLG').out('route').local(out('route').limit(2)).count()", [sum(min(2, len(graph.routes(k))) for k in graph.routes(wlg))])
    ask("g.V().has('airport','country','IE').and(has('runways',1),out('route').count().is(gt(5))).values('code')",
        [graph.prop(k, 'code') for k in graph.code.values() if graph.prop(k, 'country') == 'IE' and graph.prop(k, 'runways') == 1 and len(graph.routes(k)) > 5])
    ask("g.V().has('airport','country','IE').values('elev').mean()", [sum(a['elev'] for a in graph.airports(country='IE')) / len(graph.airports(country='IE'))])


def main():
    """Prints the questions."""
    graph, questions = Graph(sys.argv[1]), []

    def ask(query, results, ordered=False):
        questions.append({'query': query, 'results': results, 'ordered': ordered})

    simple(graph, ask)
    hops(graph, ask)
    json.dump(questions, sys.stdout, indent=1)


if __name__ == '__main__':
    main()
