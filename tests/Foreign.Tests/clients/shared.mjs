import { assert, connect, listen, newName, run } from './client.mjs';

await run(async () => {
  const topic = `shared/${newName()}`;
  const members = await Promise.all([listen(), listen(), listen()]);
  const own = await listen();
  for (const member of members) {
    await member.client.subscribeAsync(`$share/workers/${topic}/#`, { qos: 1 });
  }

  await own.client.subscribeAsync(`${topic}/#`, { qos: 1 });
  const counts = members.map(() => 0);
  const seen = new Set();
  let complete;
  const all = new Promise((resolve) => { complete = resolve; });
  members.forEach((member, index) => member.client.on('message', (_, payload) => {
    counts[index]++;
    assert.ok(!seen.has(payload.toString()), `${payload} came twice`);
    seen.add(payload.toString());
    if (seen.size === 300) {
      complete();
    }
  }));
  const publisher = await connect();
  for (let i = 0; i < 300; i++) {
    await publisher.publishAsync(`${topic}/${i % 7}`, `${i}`, { qos: 1 });
  }

  for (let i = 0; i < 300; i++) {
    await own.next();
  }

  await all;
  assert.equal(counts.reduce((sum, count) => sum + count), 300);
  assert.ok(counts.every((count) => count > 0), `every member gets a part: ${counts}`);
});
