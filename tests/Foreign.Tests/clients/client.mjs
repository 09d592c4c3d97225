// What the scripts share: clients of MQTT 5 that keep their messages in order, and the end of a script.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import mqtt from 'mqtt';

export { assert };

const url = process.argv[2];
const clients = [];

export const newName = () => randomUUID().replaceAll('-', '').slice(0, 20);

export async function connect(options = {}) {
  const client = await mqtt.connectAsync(url, { protocolVersion: 5, reconnectPeriod: 0, clientId: newName(), ...options });
  clients.push(client);
  return client;
}

/** A client whose messages can be awaited one by one; it listens from the start, so that none of a session is missed. */
export async function listen(options = {}) {
  const waiting = [];
  const messages = [];
  const take = (topic, payload, packet) => {
    const message = { topic, payload: payload.toString(), ...packet, text: payload.toString() };
    const next = waiting.shift();
    if (next) {
      next(message);
    } else {
      messages.push(message);
    }
  };
  const client = mqtt.connect(url, { protocolVersion: 5, reconnectPeriod: 0, clientId: newName(), ...options });
  clients.push(client);
  client.on('message', take);
  const connack = await new Promise((resolve, reject) => {
    client.once('connect', resolve);
    client.once('error', reject);
  });
  const next = () => (messages.length > 0 ? Promise.resolve(messages.shift()) : new Promise((resolve) => waiting.push(resolve)));
  return { client, connack, next };
}

/** Runs a script to its end; a failed check ends the process with 1. */
export async function run(script) {
  try {
    await script();
    await Promise.all(clients.map((client) => client.endAsync(true)));
    console.log('passed');
    process.exit(0);
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
}
