// A writer of the crash test through the stock JavaScript driver; see tests/cluster/writer.py.
import gremlin from 'gremlin';

const [ports, prefix, seconds] = [process.argv[2].split(','), process.argv[3], Number(process.argv[4])];
const end = Date.now() + seconds * 1000;
process.on('unhandledRejection', () => {});
process.on('uncaughtException', () => {});
let client = null;
let turn = 0;
let last = null;

const late = (promise) => Promise.race([promise, new Promise((_, no) => { setTimeout(() => no(new Error('no answer')), 20000).unref(); })]);

for (let n = 0; Date.now() < end; n += 1) {
  try {
    client ??= new gremlin.driver.Client(`ws://127.0.0.1:${ports[turn % ports.length]}/gremlin`, { traversalSource: 'g' });
    let text = `g.addV('w').property(T.id,'${prefix}-${n}').property('n',${n})`;
    if (last !== null) text += `.as('c').V('${prefix}-${last}').addE('next').to('c')`;
    await late(client.submit(text));
    console.log(`ack ${n} ${last ?? -1}`);
    last = n;
  } catch (error) {
    console.log(`maybe ${n} ${String(error).slice(0, 100)}`);
    turn += 1;
    if (!error.statusCode) { client?.close().catch(() => {}); client = null; }
    await new Promise((go) => { setTimeout(go, 50); });
  }
}
process.exit(0);
