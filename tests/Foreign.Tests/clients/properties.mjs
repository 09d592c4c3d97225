import { assert, connect, listen, newName, run } from './client.mjs';

await run(async () => {
  const topic = `properties/${newName()}`;
  const subscriber = await listen();
  await subscriber.client.subscribeAsync(topic, { qos: 2, properties: { subscriptionIdentifier: 268435455 } });
  const publisher = await connect();
  await publisher.publishAsync(topic, 'ü', {
    qos: 2,
    properties: { payloadFormatIndicator: true, contentType: 'text/plain', messageExpiryInterval: 600, userProperties: { unit: ['C', 'F'], hall: '2' } },
  });
  const { text, qos, properties } = await subscriber.next();
  assert.deepEqual([text, qos, properties.payloadFormatIndicator, properties.contentType], ['ü', 2, true, 'text/plain']);
  assert.deepEqual({ ...properties.userProperties }, { unit: ['C', 'F'], hall: '2' });
  assert.deepEqual([properties.subscriptionIdentifier].flat(), [268435455]);
  assert.ok(properties.messageExpiryInterval > 500 && properties.messageExpiryInterval <= 600, `${properties.messageExpiryInterval}`);

  // A client's own messages stay away with No Local.
  const local = await listen();
  await local.client.subscribeAsync(topic, { qos: 1, nl: true });
  await local.client.publishAsync(topic, 'own', { qos: 1 });
  await publisher.publishAsync(topic, 'other', { qos: 1 });
  assert.equal((await local.next()).text, 'other');
});
