"""The stock Python driver against two routers in turn, in GraphBinary and GraphSON 3.

    CARDEA_PORTS=8182,8183 CARDEA_QUESTIONS=questions.json python -m unittest test_driver
"""
import json
import os
import unittest

from gremlin_python.driver.client import Client
from gremlin_python.driver.driver_remote_connection import DriverRemoteConnection
from gremlin_python.driver.protocol import GremlinServerError
from gremlin_python.driver.serializer import GraphBinarySerializersV1, GraphSONSerializersV3d0
from gremlin_python.process.anonymous_traversal import traversal
from gremlin_python.process.graph_traversal import __
from gremlin_python.process.traversal import P

PORTS = os.environ['CARDEA_PORTS'].split(',')
SOURCE = os.environ.get('CARDEA_GRAPH', 'g')
SCRATCH = os.environ.get('CARDEA_SCRATCH', 'scratch')
CASES = [(port, serializer) for port in PORTS for serializer in (GraphBinarySerializersV1, GraphSONSerializersV3d0)]


def plain(value):
    """Results as JSON would have them."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, set, tuple)):
        return [plain(item) for item in value]
    return float(f'{value:.12g}') if isinstance(value, float) else value


def key(value):
    """For sorting and comparing: 2 and 2.0 are the same here."""
    return json.dumps(plain(value), sort_keys=True).replace('.0,', ',').removesuffix('.0')


class DriverTest(unittest.TestCase):
    """Each test runs once a router and serializer."""

    def each(self):
        """Yields (url, serializer) in sub-tests."""
        for port, serializer in CASES:
            with self.subTest(port=PORTS.index(port) + 1, serializer=serializer.__name__):
                yield f'ws://127.0.0.1:{port}/gremlin', serializer()

    @unittest.skipUnless(os.environ.get('CARDEA_QUESTIONS'), 'no air-routes data')
    def test_questions(self):
        """Answers equal those computed from the CSV files."""
        with open(os.environ['CARDEA_QUESTIONS'], encoding='utf-8') as file:
            questions = json.load(file)
        for url, serializer in self.each():
            client = Client(url, SOURCE, message_serializer=serializer)
            try:
                for question in questions:
                    found = [key(item) for item in client.submit(question['query']).all().result()]
                    wanted = [key(item) for item in question['results']]
                    if not question['ordered']:
                        found.sort()
                        wanted.sort()
                    self.assertEqual(found, wanted, question['query'])
            finally:
                client.close()

    def test_bytecode_and_errors(self):
        """Traversals, bindings, elements, failures."""
        for url, serializer in self.each():
            remote = DriverRemoteConnection(url, SCRATCH, message_serializer=serializer)
            client = Client(url, SCRATCH, message_serializer=serializer)
            g = traversal().with_remote(remote)
            try:
                g.V().drop().iterate()
                ada = g.add_v('person').property('name', 'ada').property('age', 36).next()
                bob = g.add_v('person').property('name', 'bob').property('age', 40).next()
                g.add_e('knows').from_(ada).to(bob).property('since', 1840).iterate()
                self.assertEqual(g.V().count().next(), 2)
                self.assertEqual(g.V().has('person', 'age', P.gt(38)).values('name').to_list(), ['bob'])
                self.assertEqual(g.V(ada).out('knows').values('name').to_list(), ['bob'])
                self.assertEqual(g.E().next().outV.id, ada.id)
                self.assertEqual(g.V(ada).value_map('age').next(), {'age': [36]})
                self.assertEqual(client.submit('g.V().has("name", x).values("age")', {'x': 'bob'}).all().result(), [40])
                for text, code in (('g.V(', 597), ('g.V().map{it.get()}', 597), ('g.V().fail("no")', 595)):
                    with self.assertRaises(GremlinServerError) as caught:
                        client.submit(text).all().result()
                    self.assertEqual(caught.exception.status_code, code, text)
            finally:
                client.close()
                remote.close()

    def test_transactions(self):
        """Own writes are seen, others' are not; commit and rollback."""
        for url, serializer in self.each():
            remote = DriverRemoteConnection(url, SCRATCH, message_serializer=serializer)
            g = traversal().with_remote(remote)
            try:
                g.V().drop().iterate()
                tx = g.tx()
                gtx = tx.begin()
                gtx.add_v('thing').iterate()
                gtx.add_v('thing').iterate()
                self.assertEqual(gtx.V().count().next(), 2)
                self.assertEqual(g.V().count().next(), 0)
                tx.commit()
                self.assertEqual(g.V().count().next(), 2)
                undo = g.tx()
                gundo = undo.begin()
                gundo.V().drop().iterate()
                self.assertEqual(gundo.V().count().next(), 0)
                undo.rollback()
                self.assertEqual(g.V().count().next(), 2)
            finally:
                remote.close()

    def test_large_results(self):
        """More than one frame."""
        for url, serializer in self.each():
            remote = DriverRemoteConnection(url, SCRATCH, message_serializer=serializer)
            g = traversal().with_remote(remote)
            try:
                g.V().drop().iterate()
                g.inject([f'n{i}' for i in range(1000)]).unfold().as_('n').add_v('x').property('name', __.select('n')).iterate()
                self.assertEqual(len(set(g.V().values('name').to_list())), 1000)
                self.assertEqual(len(g.V().to_list()), 1000)
                g.V().drop().iterate()
            finally:
                remote.close()


if __name__ == '__main__':
    unittest.main()
