import { assert, connect, listen, newName, run } from './client.mjs';

await run(async () => {
  const topic = `will/${newName()}`;
  const subscriber = await listen();
  await subscriber.client.subscribeAsync(`${topic}/#`, { qos: 1 });
  const will = (name) => ({
    topic: `${topic}/${name}`, payload: name, qos: 1, retain: false, properties: { contentType: 'text/plain', userProperties: { cause: 'lost' } },
  });

  const leaving = await connect({ will: will('leaves') });
  await leaving.endAsync();

  const lost = await connect({ will: will('lost') });
  lost.stream.destroy();
  let message = await subscriber.next();
  assert.deepEqual([message.topic, message.text, message.properties.contentType, message.properties.userProperties.cause], [`${topic}/lost`, 'lost', 'text/plain', 'lost']);

  // Reason 0x04 asks for the will.
  const asking = await connect({ will: will('asked') });
  await asking.endAsync(false, { reasonCode: 4 });
  message = await subscriber.next();
  assert.deepEqual([message.topic, message.text], [`${topic}/asked`, 'asked']);
});
