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
  const received = { 1: [], 2: [] };
  for (let i = 0; i < 30; i++) {
    const message = await after.next();
    received[message.qos].push(message.text);
  }

  // The order is that of the topic and the QoS.
  const numbers = Array.from({ length: 30 }, (_, i) => i);
  assert.deepEqual(received[1], numbers.filter((i) => i % 2 === 0).map(String));
  assert.deepEqual(received[2], numbers.filter((i) => i % 2 === 1).map(String));
});
