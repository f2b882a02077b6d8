// The stock JavaScript driver against two routers in turn, in GraphBinary and GraphSON 3.
//   CARDEA_PORTS=8182,8183  CARDEA_QUESTIONS=questions.json  node --test
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import gremlin from 'gremlin';

const { traversal, P, t, statics: __ } = gremlin.process;
const { Client, DriverRemoteConnection } = gremlin.driver;
const ports = process.env.CARDEA_PORTS.split(',');
const mimes = ['application/vnd.graphbinary-v1.0', 'application/vnd.gremlin-v3.0+json'];
const source = process.env.CARDEA_GRAPH ?? 'g';
const scratch = process.env.CARDEA_SCRATCH ?? 'scratch';

function plain(value) {
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, item]) => [String(key), plain(item)]));
  }
  if (Array.isArray(value) || value instanceof Set) return [...value].map(plain);
  return typeof value === 'bigint' ? Number(value) : value;
}

const key = (value) => JSON.stringify(value, (_, item) => (item && typeof item === 'object' && !Array.isArray(item)
  ? Object.fromEntries(Object.entries(item).sort()) : typeof item === 'number' ? Number(item.toPrecision(12)) : item));
const url = (port) => `ws://127.0.0.1:${port}/gremlin`;

for (const port of ports) {
  for (const mimeType of mimes) {
    const name = `${mimeType} at router ${ports.indexOf(port) + 1}`;
    const connection = (graph = scratch) => new DriverRemoteConnection(url(port), { mimeType, traversalSource: graph });

    test(`air-routes questions, ${name}`, { skip: !process.env.CARDEA_QUESTIONS }, async () => {
      const client = new Client(url(port), { mimeType, traversalSource: source });
      try {
        for (const { query, results, ordered } of JSON.parse(readFileSync(process.env.CARDEA_QUESTIONS))) {
          const found = (await client.submit(query)).toArray().map(plain).map(key);
          const wanted = results.map(key);
          if (!ordered) { found.sort(); wanted.sort(); }
          assert.deepEqual(found, wanted, query);
        }
      } finally { await client.close(); }
    });

    test(`bytecode, bindings, errors, ${name}`, async () => {
      const remote = connection();
      const client = new Client(url(port), { mimeType, traversalSource: scratch });
      const g = traversal().withRemote(remote);
      try {
        await g.V().drop().iterate();
        const a = await g.addV('person').property('name', 'ada').property('age', 36).next();
        const b = await g.addV('person').property('name', 'bob').property('age', 40).next();
        await g.addE('knows').from_(a.value).to(b.value).property('since', 1840).iterate();
        assert.equal((await g.V().count().next()).value, 2);
        assert.deepEqual(await g.V().has('person', 'age', P.gt(38)).values('name').toList(), ['bob']);
        assert.deepEqual(await g.V(a.value).out('knows').values('name').toList(), ['bob']);
        const edge = (await g.E().next()).value;
        assert.equal(edge.label, 'knows');
        assert.equal(edge.outV.id, a.value.id);
        const map = (await g.V(a.value).elementMap().next()).value;
        assert.equal(map.get('name'), 'ada');
        assert.equal(map.get(t.label) ?? [...map].find(([k]) => String(k) === 'label')?.[1], 'person');
        assert.deepEqual((await client.submit('g.V().has("name", x).values("age")', { x: 'bob' })).toArray(), [40]);
        assert.equal(await g.V().has('name', 'nobody').hasNext(), false);
        await assert.rejects(client.submit('g.V('), (error) => error.statusCode === 597);
        await assert.rejects(client.submit('g.V().map{it.get()}'), /lambda|Groovy/i);
        await assert.rejects(client.submit('g.V().fail("no way")'), /no way/);
        await assert.rejects(g.V().noSuchStep?.() ?? client.submit('g.V().noSuchStep()'), /noSuchStep/);
      } finally { await client.close(); await remote.close(); }
    });

    test(`transactions, ${name}`, async () => {
      const remote = connection();
      const g = traversal().withRemote(remote);
      try {
        await g.V().drop().iterate();
        const tx = g.tx();
        const gtx = tx.begin();
        await gtx.addV('thing').property('n', 1).iterate();
        await gtx.addV('thing').property('n', 2).iterate();
        assert.equal((await gtx.V().count().next()).value, 2, 'reads its own writes');
        assert.equal((await g.V().count().next()).value, 0, 'nobody else does');
        await tx.commit();
        assert.equal((await g.V().count().next()).value, 2);
        const undo = g.tx();
        const gundo = undo.begin();
        await gundo.V().drop().iterate();
        assert.equal((await gundo.V().count().next()).value, 0);
        await undo.rollback();
        assert.equal((await g.V().count().next()).value, 2);
      } finally { await remote.close(); }
    });

    test(`large results and many requests at once, ${name}`, async () => {
      const remote = connection();
      const g = traversal().withRemote(remote);
      try {
        await g.V().drop().iterate();
        const names = Array.from({ length: 3000 }, (_, i) => `n${i}`);
        for (let at = 0; at < names.length; at += 500) {
          await g.inject(names.slice(at, at + 500)).unfold().as('n').addV('x').property('name', __.select('n')).iterate();
        }
        const list = await g.V().values('name').toList();
        assert.equal(new Set(list).size, 3000);
        const counts = await Promise.all(Array.from({ length: 50 }, () => g.V().count().next()));
        assert.ok(counts.every(({ value }) => value === 3000));
        await g.V().drop().iterate();
      } finally { await remote.close(); }
    });
  }
}
