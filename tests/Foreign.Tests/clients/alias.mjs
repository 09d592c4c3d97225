import { assert, connect, listen, newName, run } from './client.mjs';

await run(async () => {
  const topic = `alias/${newName()}`;
  const subscriber = await listen({ properties: { topicAliasMaximum: 10 } });
  const aliases = [];
  subscriber.client.on('packetreceive', (packet) => {
    if (packet.cmd === 'publish') {
      aliases.push(packet.properties?.topicAlias);
    }
  });
  await subscriber.client.subscribeAsync(`${topic}/#`, { qos: 1 });

  const publisher = await connect();
  const sent = [];
  publisher.on('packetsend', (packet) => {
    if (packet.cmd === 'publish') {
      sent.push(packet.topic);
    }
  });
  const options = { qos: 1, properties: { topicAlias: 3 } };
  await publisher.publishAsync(`${topic}/long/name`, '1', options);
  await publisher.publishAsync('', '2', options);
  await publisher.publishAsync(`${topic}/other/name`, '3', options);
  await publisher.publishAsync('', '4', options);
  assert.deepEqual(sent.map((name) => name === ''), [false, true, false, true]);

  // The order is that of each topic.
  const names = new Map();
  const received = { long: [], other: [] };
  for (let i = 0; i < 4; i++) {
    const message = await subscriber.next();
    const topicName = message.topic || names.get(message.properties.topicAlias);
    names.set(message.properties?.topicAlias, topicName);
    const level = topicName.split('/')[2];
    assert.equal(topicName, `${topic}/${level}/name`);
    received[level].push(message.text);
  }

  assert.deepEqual(received, { long: ['1', '2'], other: ['3', '4'] });
  assert.ok(aliases.every((alias) => alias === undefined || (alias > 0 && alias <= 10)), `aliases within the maximum: ${aliases}`);
  assert.ok(aliases.some((alias) => alias !== undefined), 'the server uses aliases to a client that allows them');
});
