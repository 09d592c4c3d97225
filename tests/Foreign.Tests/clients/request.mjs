import { assert, listen, newName, run } from './client.mjs';

await run(async () => {
  const topic = `service/${newName()}`;
  const responder = await listen();
  await responder.client.subscribeAsync(topic, { qos: 1 });
  const clientId = newName();
  const requester = await listen({ clientId, properties: { requestResponseInformation: true } });
  assert.equal(requester.connack.properties.responseInformation, `answers/${clientId}/`);
  const responseTopic = `${requester.connack.properties.responseInformation}1`;
  await requester.client.subscribeAsync(responseTopic, { qos: 1 });

  const correlationData = Buffer.from([0, 1, 0xFF]);
  await requester.client.publishAsync(topic, 'question', { qos: 1, properties: { responseTopic, correlationData } });
  const request = await responder.next();
  assert.equal(request.text, 'question');
  await responder.client.publishAsync(request.properties.responseTopic, 'answer', { qos: 1, properties: { correlationData: request.properties.correlationData } });
  const response = await requester.next();
  assert.deepEqual([response.topic, response.text, response.properties.correlationData], [responseTopic, 'answer', correlationData]);
});
