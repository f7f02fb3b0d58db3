#!/usr/bin/env python3
"""What many would write: a form's post to DynamoDB and two emails, with the AWS SDK for Python, on Lambda's own runtime client.

A peer for `cargo bench --bench speed` (docs/speed.md): pip install --target DIR boto3 awslambdaric
"""

import json
import os
import sys

if __name__ == "__main__":
    from awslambdaric.__main__ import main

    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    main([__file__, "peer.handler"])
    sys.exit()

import uuid

import boto3

TABLE = boto3.client("dynamodb")
SES = boto3.client("sesv2")


def send(to, subject, text):
    SES.send_email(
        FromEmailAddress=os.environ["SENDER_EMAIL"],
        Destination={"ToAddresses": [to]},
        Content={"Simple": {"Subject": {"Data": subject}, "Body": {"Text": {"Data": text}}}},
    )


def handler(event, _context):
    form = json.loads(event["body"])
    if not form.get("name") or "@" not in form.get("email", "") or len(form.get("message", "")) > 4000:
        return {"statusCode": 422, "body": "{}"}
    reference = str(uuid.uuid4())
    item = {key: {"S": str(value)} for key, value in form.items()}
    TABLE.put_item(TableName=os.environ["TABLE_NAME"], Item={"pk": {"S": reference}, **item})
    send(os.environ["THERAPIST_EMAIL"], f"Enquiry from {form['name']}", form.get("message", ""))
    send(form["email"], "Thank you", "Thank you for your enquiry.")
    return {
        "statusCode": 201,
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"reference": reference}),
    }
