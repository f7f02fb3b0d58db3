#!/usr/bin/env node
// What many would write: a form's post to DynamoDB and two emails, with the AWS SDK for JavaScript, and a bootstrap of its own, since
// Lambda's runtime client for Node has to be compiled.
//
// A peer for `cargo bench --bench speed` (docs/speed.md): npm install @aws-sdk/client-dynamodb @aws-sdk/client-sesv2, beside a copy of
// this file.

import http from "node:http";
import { randomUUID } from "node:crypto";
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { SESv2Client, SendEmailCommand } from "@aws-sdk/client-sesv2";

const table = new DynamoDBClient({});
const ses = new SESv2Client({});

const send = (to, subject, text) =>
  ses.send(
    new SendEmailCommand({
      FromEmailAddress: process.env.SENDER_EMAIL,
      Destination: { ToAddresses: [to] },
      Content: { Simple: { Subject: { Data: subject }, Body: { Text: { Data: text } } } },
    }),
  );

async function handler(event) {
  const form = JSON.parse(event.body);
  if (!form.name || !form.email?.includes("@") || form.message?.length > 4000) return { statusCode: 422, body: "{}" };
  const reference = randomUUID();
  const item = Object.fromEntries(Object.entries(form).map(([key, value]) => [key, { S: String(value) }]));
  await table.send(new PutItemCommand({ TableName: process.env.TABLE_NAME, Item: { pk: { S: reference }, ...item } }));
  await send(process.env.THERAPIST_EMAIL, `Enquiry from ${form.name}`, form.message ?? "");
  await send(form.email, "Thank you", "Thank you for your enquiry.");
  return { statusCode: 201, headers: { "content-type": "application/json" }, body: JSON.stringify({ reference }) };
}

const agent = new http.Agent({ keepAlive: true });
const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");

const runtime = (method, path, body) =>
  new Promise((resolve, reject) => {
    const request = http.request({ agent, hostname, port, method, path: `/2018-06-01/runtime/invocation/${path}` }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => resolve({ headers: answer.headers, body: Buffer.concat(parts).toString() }));
    });
    request.on("error", reject);
    request.end(body);
  });

for (;;) {
  const { headers, body } = await runtime("GET", "next");
  const id = headers["lambda-runtime-aws-request-id"];
  try {
    await runtime("POST", `${id}/response`, JSON.stringify(await handler(JSON.parse(body))));
  } catch (error) {
    await runtime("POST", `${id}/error`, JSON.stringify({ errorType: error.name, errorMessage: error.message }));
  }
}
