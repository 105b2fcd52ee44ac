// Sends update messages with the AWS SDK v3: node send-update.mjs QUEUE_URL ORDER_ID
//
// Traps of JavaScript, and what toJson() does about them:
// - A number beyond 2^53 has lost its digits before anything can see it: keep such ids as strings or as BigInt, and send
//   them as text in typed_attributes. (JSON.stringify throws on a BigInt.)
// - JSON.stringify makes null of NaN and Infinity, {} of a Set or a Map, {"type":"Buffer","data":[...]} of a Buffer, and
//   leaves out what is undefined: nothing fails, and the table has it so. Here each of these is an error.
import {SendMessageBatchCommand, SQSClient} from "@aws-sdk/client-sqs";
import {pathToFileURL} from "node:url";

// A value for typed_attributes: exact numbers, bytes, and sets of strings, numbers or bytes.
export function typed(value) {
  if (typeof value === "bigint" || (typeof value === "number" && Number.isFinite(value))) return {N: String(value)};
  if (value instanceof Uint8Array) return {B: Buffer.from(value).toString("base64")};
  if (value instanceof Set && value.size > 0) {
    const members = [...value].map((member) => (typeof member === "string" ? {S: member} : typed(member)));
    const kind = Object.keys(members[0])[0];
    if (members.every((member) => kind in member)) return {[kind + "S"]: members.map((member) => member[kind])};
  }
  throw new TypeError(`no typed value: ${value}`);
}

function check(value, path) {
  const wrong = (why) => new TypeError(`${path}: ${why}`);
  if (value === undefined) throw wrong("undefined would be left out");
  if (typeof value === "number" && !Number.isFinite(value)) throw wrong(`${value} would become null`);
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw wrong("its digits are lost beyond 2^53: use typed(BigInt)");
  if (typeof value !== "object" || value === null) return;
  const plain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  if (!plain) throw wrong(`a ${value.constructor?.name} has no JSON: use typed()`);
  for (const [name, member] of Object.entries(value)) check(member, path ? `${path}.${name}` : name);
}

export function toJson(message) {
  check(message, "");
  return JSON.stringify(message);
}

// In batches of ten; what fails is sent again, for the same key has one effect.
export async function send(sqs, queueUrl, messages) {
  let waiting = messages.map((message, at) => ({Id: String(at), MessageBody: toJson(message)}));
  for (let tries = 0; tries < 5 && waiting.length > 0; tries++) {
    const left = [];
    for (let at = 0; at < waiting.length; at += 10) {
      const Entries = waiting.slice(at, at + 10);
      const {Failed = []} = await sqs.send(new SendMessageBatchCommand({QueueUrl: queueUrl, Entries}));
      left.push(...Entries.filter((entry) => Failed.some((failed) => failed.Id === entry.Id)));
    }
    waiting = left;
  }
  if (waiting.length > 0) throw new Error(`${waiting.length} messages could not be sent`);
}

// The key is the event's own name: whoever sends it, and however often, it happens once.
export function shipped(orderId) {
  return {
    id: orderId,
    attributes: {state: "shipped", note: "Größe < 5 & \"blue\"", price: 19.99},
    typed_attributes: {
      serial: typed(12345678901234567890n),
      weight: {N: "0.1000000000000000055511151231257827"},
      label: typed(Buffer.from([0, 255])),
      tags: typed(new Set(["fragile", "gift"])),
    },
    increment: {parcels: 1},
    condition_expression: "state <> 'cancelled' AND parcels < 5",
    enable_logging: true,
    idempotency_key: `order:${orderId}:shipped`,
  };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await send(new SQSClient({}), process.argv[2], [shipped(process.argv[3])]);
}
