import { assert, connect, listen, newName, run } from './client.mjs';

await run(async () => {
  const topic = `session/${newName()}`;
  const options = { clientId: newName(), clean: false, properties: { sessionExpiryInterval: 600 } };
  const before = await listen(options);
  assert.equal(before.connack.sessionPresent, false);
  await before.client.subscribeAsync(`${topic}/#`, { qos: 2 });
  await before.client.endAsync();

  const publisher = await connect();
  for (let i = 0; i < 30; i++) {
    await publisher.publishAsync(`${topic}/a`, `${i}`, { qos: 1 + (i % 2) });
  }

  const after = await listen(options);
  assert.equal(after.connack.sessionPresent, true);
  for (let i = 0; i < 30; i++) {
    const message = await after.next();
    assert.deepEqual([message.text, message.qos], [`${i}`, 1 + (i % 2)]);
  }
});
