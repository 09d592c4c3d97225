import { assert, connect, listen, newName, run } from './client.mjs';

await run(async () => {
  const topic = `retained/${newName()}`;
  const publisher = await connect();
  await publisher.publishAsync(`${topic}/a`, 'first', { qos: 1, retain: true });
  await publisher.publishAsync(`${topic}/a`, 'second', { qos: 1, retain: true, properties: { contentType: 'text/plain' } });

  const subscriber = await listen();
  await subscriber.client.subscribeAsync(`${topic}/+`, { qos: 1, rh: 0 });
  let message = await subscriber.next();
  assert.deepEqual([message.topic, message.text, message.retain, message.qos, message.properties.contentType], [`${topic}/a`, 'second', true, 1, 'text/plain']);

  // A subscription that is there gets none of them at Retain Handling 1 and 2, and all at 0; what is published meanwhile has no flag.
  await subscriber.client.subscribeAsync(`${topic}/+`, { qos: 1, rh: 1 });
  await subscriber.client.subscribeAsync(`${topic}/+`, { qos: 1, rh: 2, rap: false });
  await publisher.publishAsync(`${topic}/b`, 'live', { qos: 1, retain: true });
  message = await subscriber.next();
  assert.deepEqual([message.text, message.retain], ['live', false]);
  await subscriber.client.subscribeAsync(`${topic}/+`, { qos: 1, rh: 2, rap: true });
  await publisher.publishAsync(`${topic}/b`, 'live again', { qos: 1, retain: true });
  message = await subscriber.next();
  assert.deepEqual([message.text, message.retain], ['live again', true]);

  await publisher.publishAsync(`${topic}/a`, '', { qos: 1, retain: true });
  message = await subscriber.next();
  assert.deepEqual([message.topic, message.text], [`${topic}/a`, '']);
  const late = await listen();
  await late.client.subscribeAsync(`${topic}/+`, { qos: 1 });
  message = await late.next();
  assert.deepEqual([message.topic, message.text, message.retain], [`${topic}/b`, 'live again', true]);
});
