"""Deploys what people download to ministack, sets a new practice up on its desk, and sends enquiries through it; then another practice beside
it, as it is deployed from source. Started by tools/deploy-test, which installs what it needs.

Nothing in the path is ours but the product: the folder as tools/release makes it and template.yaml as `sam build` leaves it, both deployed
by `sam deploy`; ministack plays API Gateway, Lambda, DynamoDB with its stream, SES, SNS and Secrets Manager, and holds the function to
its role's policies.
"""

import argparse
import contextlib
import datetime
import html.parser
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

import boto3
from botocore.config import Config

ROOT = pathlib.Path(__file__).resolve().parent.parent
REGION = "eu-west-2"
STACK = "enquiry-desk"
THERAPIST = "therapist@example.org"
SENDER = "desk@example.org"
# The practice's site, as in events/.
ORIGIN = "https://www.example.com"
REFERENCE = re.compile(r"\bBB-[0-9A-Z]{5}\b")
# How long something that happens behind the answer may take here. It is a limit for a hung test, not a claim about speed.
PATIENCE = 90

FORM = {
    "name": "Zoë O'Brien",
    "email": "zoe@example.com",
    "phone": "07700 900982",
    "contact_by": "phone",
    "area": ["lower-back", "neck"],
    "cause": "posture",
    "goal": "treat",
    "recent_injury": "no",
    "warmth": "yes",
    "times": "Tuesday mornings",
    "message": "It aches after a day at the desk.\r\nStairs are fine.",
    "consent": "yes",
    "submission": "6f0f3c1e-7d0e-4c50-9d3e-0a5b6f1c2d3e",
}
OTHER = {
    "name": "Nguyễn Văn An",
    "email": "an@example.com",
    "goal": "relax",
    "consent": "yes",
}
# What the therapist says of her practice beside the name and the number that the deployment has.
PRACTICE = {"practice.address": "1 Example Street, Exampletown", "practice.reference_prefix": "BB"}
# What she changes later.
PRICE, AWAY_FOR, QUESTION = "£49", datetime.timedelta(days=20), "Is a parking space needed?"
# Who asks after that, each of another instance of the function.
LATER = ["mia@example.com", "noor@example.com"]
# What must not be in any log line.
PERSONAL = ["zoe@", "an@example.com", *LATER, "O'Brien", "Zoë", "Nguyễn", "900982", "aches after", "Tuesday mornings", QUESTION]


class Failure(Exception):
    """Something was not as it must be."""


def check(condition, message):
    if not condition:
        raise Failure(message)


def say(text):
    print(text, flush=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(command, log, where=ROOT, **kwargs):
    """Runs a command with its output in a file, and shows the end of that when it fails. What it started ends with us."""
    with open(log, "ab") as out:
        process = subprocess.Popen(
            command, cwd=where, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, **kwargs
        )
        try:
            code = process.wait()
        except BaseException:
            end_group(process, signal.SIGTERM)
            raise
    if code != 0:
        raise Failure(f"{' '.join(map(str, command[:3]))} ended with {code}:\n{tail(log)}")


def end_group(process, sign):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, sign)


def tail(path, lines=40):
    with contextlib.suppress(OSError):
        text = pathlib.Path(path).read_text(errors="replace")
        return "\n".join(line[:600] for line in text.splitlines()[-lines:])
    return "(nothing)"


def template_of(folder, pattern):
    """The one template of this name in a folder."""
    found = sorted(folder.glob(pattern))
    check(len(found) == 1, f"{folder} holds {len(found)} of {pattern}, not one")
    return found[0]


class Ministack:
    """ministack on a free port of 127.0.0.1, in a process group of its own so that its workers end with it."""

    def __init__(self, work):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = work / "ministack.log"
        temporary = work / "tmp"
        temporary.mkdir()
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(work),
            "TMPDIR": str(temporary),
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_REGION": REGION,
            # The function gets this too: its SDK talks to ministack.
            "AWS_ENDPOINT_URL": self.url,
            # Policies are enforced: what the role does not grant is refused here as it would be by AWS.
            "AUTH": "true",
            # Its MQTT broker would listen on every interface.
            "IOT_MTLS_ENABLED": "0",
        }
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ministack"],
                env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
            )

    def wait(self):
        def up():
            check(self.process.poll() is None, f"ministack ended by itself:\n{tail(self.log)}")
            with contextlib.suppress(OSError):
                return self.get("/_ministack/health")[0] == 200
        until(up, "ministack answers")

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def emails(self):
        """Every email that SES took, oldest first."""
        status, body = self.get("/_ministack/ses/messages")
        check(status == 200, f"ministack's list of emails answered {status}")
        return [email for account in json.loads(body)["messages"].values() for email in account]

    def about_enquiries(self):
        """Those of enquiries: not the code for the desk, nor what tells of a change there."""
        return [email for email in self.emails() if REFERENCE.search(json.dumps(email))]

    def stop(self):
        end_group(self.process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        # Its workers may outlive it.
        end_group(self.process, signal.SIGKILL)
        self.process.wait()


def until(ready, what, also=lambda: ""):
    end = time.monotonic() + PATIENCE
    while not (result := ready()):
        if time.monotonic() > end:
            raise Failure(f"waited {PATIENCE} seconds in vain until {what}. {also()}")
        time.sleep(0.25)
    return result


class Stack:
    def __init__(self, ministack, name=STACK):
        self.ministack, self.name = ministack, name

        def client(name):
            return boto3.client(
                name, endpoint_url=ministack.url, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test",
                config=Config(retries={"total_max_attempts": 1}),
            )

        self.dynamodb, self.ses, self.sqs = client("dynamodb"), client("sesv2"), client("sqs")
        self.lambda_, self.logs, self.cloudformation = client("lambda"), client("logs"), client("cloudformation")
        self.iam = client("iam")

    def deploy(self, where, options, answers, work):
        """`sam deploy` in a folder, with the answers to what it asks when it is guided; all others are left as they are."""
        environment = os.environ | {
            "AWS_ENDPOINT_URL": self.ministack.url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION, "HOME": str(work),
        }
        run(
            [
                os.environ["SAM"], "deploy", *options, "--stack-name", self.name, "--no-confirm-changeset", "--parameter-overrides",
                f"TherapistEmail={THERAPIST}", f"SenderEmail={SENDER}", "AlarmEmail=alarms@example.org",
                # ministack knows no budgets.
                f"AllowedOrigins={ORIGIN}", "MonthlyBudget=0", *answers,
            ],
            work / "deploy.log", where, env=environment,
        )
        stack = self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        self.outputs = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
        # ministack holds the role to its policies, but asks about SES without naming the identity, so that a policy on named identities never
        # fits. This grants sending here and nothing else; the other powers are tested as the template gives them.
        role = self.cloudformation.describe_stack_resource(StackName=self.name, LogicalResourceId="Role")["StackResourceDetail"]
        self.iam.put_role_policy(
            RoleName=role["PhysicalResourceId"], PolicyName="ses-as-ministack-asks",
            PolicyDocument=json.dumps({
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "ses:SendEmail", "Resource": "*"}],
            }),
        )
        host = urllib.parse.urlsplit(self.outputs["Endpoint"]).netloc
        # The same API under the name that ministack serves it by.
        self.host = f"{host.split('.')[0]}.execute-api.localhost:{self.ministack.port}"

    def request(self, method, path, headers, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.ministack.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path, body, {"Host": self.host, **headers})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()

    def post_form(self, form):
        path = urllib.parse.urlsplit(self.outputs["FormAction"]).path
        return self.request(
            "POST", path, {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html", "Origin": ORIGIN},
            urllib.parse.urlencode(form, doseq=True),
        )

    def post_json(self, form):
        path = urllib.parse.urlsplit(self.outputs["FormAction"]).path
        return self.request(
            "POST", path, {"Content-Type": "application/json", "Accept": "application/json", "Origin": ORIGIN},
            json.dumps(form).encode(),
        )

    def instances(self):
        """The processes that Lambda keeps for the function, by their ids, the one first that is asked first."""
        name = f"AWS_LAMBDA_FUNCTION_NAME={self.outputs['FunctionName']}".encode()
        found = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError, IndexError):
                parent = process.joinpath("stat").read_text().rpartition(")")[2].split()[1]
                if int(parent) == self.ministack.process.pid and name in process.joinpath("environ").read_bytes().split(b"\0"):
                    found.append(int(process.name))
        return sorted(found)

    def beside(self, ask):
        """What is answered while the instance that usually answers is busy with another request: by another instance, which is started if
        there is none."""
        first = self.instances()[0]
        other = threading.Thread(target=self.request, args=("GET", "/", {"Accept": "text/html"}), daemon=True)
        os.kill(first, signal.SIGSTOP)
        try:
            other.start()
            # Until it is with the one that is stopped. What is asked below then cannot be.
            time.sleep(1)
            answer = ask()
        finally:
            os.kill(first, signal.SIGCONT)
        other.join(PATIENCE)
        check(not other.is_alive(), "what a busy instance was asked was never answered")
        return answer

    def enquiries(self):
        items = []
        for page in self.dynamodb.get_paginator("scan").paginate(TableName=self.outputs["TableName"], ConsistentRead=True):
            items += page["Items"]
        return [item for item in items if item.get("kind", {}).get("S") == "enquiry"]

    def invoke(self, event):
        answer = self.lambda_.invoke(FunctionName=self.outputs["FunctionName"], Payload=json.dumps(event).encode())
        return answer.get("FunctionError"), answer["Payload"].read().decode()

    def log_lines(self):
        group = f"/aws/lambda/{self.name}"
        return [
            event["message"].rstrip()
            for page in self.logs.get_paginator("filter_log_events").paginate(logGroupName=group)
            for event in page["events"]
        ]


class Form(html.parser.HTMLParser):
    """The fields of the form of a page that goes to this address, as a browser would post them."""

    def __init__(self, page, action):
        super().__init__()
        self.fields, self.action, self.inside = {}, action, False
        self.text = self.select = None
        self.feed(page)
        check(self.fields, f"there is no form to {action} in the page:\n{page[:2000]}")

    def handle_starttag(self, tag, attributes):
        it = dict(attributes)
        if tag == "form":
            self.inside = it.get("action") == self.action
        name = it.get("name")
        if not self.inside:
            return
        if tag == "input" and (it.get("type") != "checkbox" or "checked" in it):
            self.fields[name] = it.get("value", "")
        elif tag == "textarea":
            self.text, self.fields[name] = name, ""
        elif tag == "select":
            self.select = name
        elif tag == "option" and (self.select not in self.fields or "selected" in it):
            self.fields[self.select] = it.get("value", "")

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False
        elif tag == "textarea" and self.text:
            # A parser drops the first line break in a textarea.
            self.fields[self.text] = self.fields[self.text].removeprefix("\n")
            self.text = None

    def handle_data(self, data):
        if self.text:
            self.fields[self.text] += data


class Browser:
    """The therapist's browser: it keeps cookies as they are set, one by one, and sends them and its own origin."""

    def __init__(self, stack):
        self.stack = stack
        self.cookies = {}
        # The desk's own door, as its emails name it.
        self.own = stack.lambda_.get_function_configuration(FunctionName=stack.outputs["FunctionName"])["Environment"]["Variables"]["PUBLIC_URL"]

    def send(self, method, path, form=None):
        headers = {"Accept": "text/html", "User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Safari/604.1"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if method == "POST":
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.own}
        body = urllib.parse.urlencode(form or {}) if method == "POST" else None
        status, headers, page = self.stack.request(method, path, headers, body)
        for cookie in headers.get_all("set-cookie") or []:
            pair, _, attributes = cookie.partition("; ")
            name, _, value = pair.partition("=")
            check(attributes.startswith("Path=/; Max-Age=") and attributes.endswith("; Secure; HttpOnly; SameSite=Lax"), f"a cookie is {cookie!r}")
            if "; Max-Age=0;" in cookie:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return status, headers, page

    def post(self, path, form=None, to=None):
        """A form that leads to another page."""
        status, headers, page = self.send("POST", path, form)
        check(status == 303, f"POST {path} answered {status}, not 303: {headers}\n{page[:800]}")
        check(to is None or headers.get("location") == to, f"POST {path} led to {headers.get('location')!r}, not to {to!r}")


def sign_in(stack):
    """The therapist signs in for the first time, with the code that was emailed: her browser, and the code."""
    browser = Browser(stack)
    status, _, page = browser.send("GET", "/desk")
    check(status == 200 and "Email me a code" in page, f"GET /desk answered {status}:\n{page[:800]}")
    check(not browser.cookies, f"a page sets cookies: {browser.cookies}")
    browser.post("/desk/sign-in", to="/desk/code?to=/desk")
    check(list(browser.cookies) == ["__Host-desk-code"], f"asking for a code set the cookies {list(browser.cookies)}")

    def code():
        found = [m for m in stack.ministack.emails() if m["Subject"] == "Your code for the desk"]
        check(all(m["To"] == [THERAPIST] for m in found), "a code went to another address")
        return found and re.search(r"^\s*(\d{8})\s*$", found[-1]["BodyText"], re.MULTILINE)

    code = until(code, "the code has left").group(1)
    status, _, page = Browser(stack).send("POST", "/desk/code", {"code": code})
    check(status == 422, f"the code in another browser answered {status}, not 422:\n{page[:800]}")
    # A practice that was never set up is what a first sign-in leads to.
    browser.post("/desk/code", {"code": code}, to="/desk/practice")
    # Three cookies in one answer, which the gateway takes apart from the headers.
    check(sorted(browser.cookies) == ["__Host-desk", "__Host-desk-browser"], f"signing in left the cookies {sorted(browser.cookies)}")
    return browser, code


def set_up(browser):
    """A new practice, from page to page as the desk leads, until its form is open."""
    status, _, page = browser.send("GET", "/desk/practice")
    check(status == 200 and "isn’t open yet" in page, f"the new practice's page answered {status}:\n{page[:800]}")
    first = re.search(r'href="(/desk/practice/\w+\?setup=yes)"', page)
    check(first, f"the page does not say where to begin:\n{page[:2000]}")
    at, steps = first.group(1), []
    while at.endswith("?setup=yes"):
        path = at.partition("?")[0]
        check(path not in steps, f"{path} leads to itself: {steps}")
        steps.append(path)
        fields = Form(browser.send("GET", at)[2], path).fields
        if path.endswith("/contact"):
            check(fields["practice.name"] == "Quiet Hands", f"the first step begins with {fields}")
            fields |= PRACTICE
        status, headers, page = browser.send("POST", f"{path}/save", fields)
        check(status == 303, f"{path} answered {status}:\n{page[:2000]}")
        at = headers["location"]
    check(at == "/desk/practice?done=setup" and len(steps) == 4, f"the steps {steps} ended at {at}")
    status, _, page = browser.send("GET", at)
    check("your form is open" in page, f"the end of the set-up answered {status}:\n{page[:800]}")


def change(browser, section, changes):
    """Changes a section of the practice as it stands."""
    path = f"/desk/practice/{section}"
    fields = Form(browser.send("GET", path)[2], path).fields
    done = "/desk/practice?done=saved"
    browser.post(f"{path}/save", fields | changes, to=done)
    check(browser.send("GET", done)[0] == 200, f"{done} does not open")


def change_and_ask(stack, browser):
    """A price, a holiday and a question are changed, and the next enquiry shows all three, also on an instance that knew none of them."""
    get = ("GET", "/", {"Accept": "text/html"})
    status, _, page = stack.beside(lambda: stack.request(*get))
    check(status == 200 and PRICE not in page and QUESTION not in page, f"before the changes the form answered {status}:\n{page[:800]}")
    instances = stack.instances()
    check(len(instances) > 1, f"one instance takes everything: {instances}")

    today = datetime.datetime.now(datetime.timezone.utc).date()
    end = today + AWAY_FOR
    path = "/desk/practice/treatments"
    prices = [name for name in Form(browser.send("GET", path)[2], path).fields if name.endswith(".price")]
    change(browser, "treatments", {prices[0]: PRICE})
    change(browser, "away", {"holiday[90].name": "A long rest", "holiday[90].from": str(today), "holiday[90].to": str(end)})
    change(browser, "questions", {
        "question[90].label": QUESTION, "question[90].kind": "yes-no", "question[90].section": "visit",
    })
    status, _, page = stack.request(*get)
    check(status == 200 and PRICE in page and QUESTION in page, f"after the changes the form answered {status}:\n{page[:2000]}")
    asked = re.search(r'name="(q_\w+)"', page).group(1)

    def ask(email):
        return lambda: stack.post_form(OTHER | {"email": email, "goal": "treat", asked: "yes"})

    for email, answer in zip(LATER, [ask(LATER[0])(), stack.beside(ask(LATER[1]))]):
        status, headers, page = answer
        check(status == 303, f"{email} was answered {status}, not 303:\n{page[:1500]}")
        reference = REFERENCE.search(headers["location"]).group()
        for sent in wait_for_emails(stack, reference, email):
            shown = QUESTION if sent["To"] == [THERAPIST] else PRICE
            check(shown in sent["BodyText"], f"the email {sent['Subject']!r} does not show {shown!r}:\n{sent['BodyText'][:3000]}")
        item, = [it for it in stack.enquiries() if it["reference"]["S"] == reference]
        promised = item["promised_by"]["S"]
        check(promised[:10] > str(end), f"{email} was promised an answer by {promised}, in the holiday that ends on {end}")
    check(set(instances) <= set(stack.instances()), f"the instances {instances} are others now: {stack.instances()}")


def mark_answered(browser, reference):
    """The therapist marks an enquiry as answered."""
    status, _, page = browser.send("GET", "/desk")
    check(status == 200 and f"/desk/enquiries/{reference}" in page, f"{reference} does not wait on /desk, which answered {status}:\n{page[:800]}")
    status, _, page = browser.send("GET", f"/desk/enquiries/{reference}")
    check(status == 200 and "aches after a day" in page, f"the enquiry's page answered {status}:\n{page[:800]}")
    browser.post(f"/desk/enquiries/{reference}/mark", {"as": "answered", "seen": "waiting"}, to=f"/desk/enquiries/{reference}?done=answered")
    status, _, page = browser.send("GET", f"/desk/enquiries/{reference}?done=answered")
    check("Marked as answered." in page, f"the mark is not there; the page answered {status}:\n{page[:800]}")


def sign_out(stack, browser, reference):
    """Signed out is signed out, also for a browser that has copied the cookies."""
    stolen = Browser(stack)
    stolen.cookies = dict(browser.cookies)
    browser.post("/desk/sign-out", to="/desk")
    check(list(browser.cookies) == ["__Host-desk-browser"], f"signing out left the cookies {list(browser.cookies)}")
    for after in (browser, stolen):
        status, _, page = after.send("GET", f"/desk/enquiries/{reference}")
        check(status == 403 and "aches" not in page, f"the enquiry's page answered {status} after signing out:\n{page[:800]}")


def wait_for_emails(stack, reference, client):
    """Both emails of one enquiry: the therapist's and the client's."""
    def mine():
        return [m for m in stack.ministack.emails() if reference in json.dumps(m, ensure_ascii=False)]

    def seen():
        return f"SES has: {[(m['To'], m['Subject']) for m in stack.ministack.emails()]}"

    until(lambda: len(mine()) >= 2, f"both emails of {reference} have left", seen)
    to = sorted(address for email in mine() for address in email["To"])
    check(to == sorted([THERAPIST, client]), f"the emails of {reference} went to {to}")
    for email in mine():
        check(SENDER in email["Source"], f"an email came from {email['Source']}, not from {SENDER}")
        check(email["BodyText"] and email["BodyHtml"], f"the email {email['Subject']!r} lacks its text or its HTML")
    therapist, = [m for m in mine() if m["To"] == [THERAPIST]]
    check(reference in therapist["Subject"], f"the therapist's subject lacks the reference: {therapist['Subject']!r}")
    return mine()


def walk(stack):
    say("closed under the name and the number of the deployment")
    is_closed(stack)
    say("the first sign-in, and the practice set up from page to page")
    browser, code = sign_in(stack)
    set_up(browser)

    say("the form's page")
    status, headers, page = stack.request("GET", "/", {"Accept": "text/html"})
    check(status == 200 and "<form" in page, f"GET / answered {status} {headers}:\n{page[:800]}")

    say("an enquiry")
    status, headers, page = stack.post_form(FORM)
    check(status == 303, f"the form answered {status}, not 303: {headers}\n{page[:1500]}")
    found = REFERENCE.search(headers.get("location", ""))
    check(found, f"no reference in Location: {headers.get('location')!r}")
    reference = found.group()
    emails = wait_for_emails(stack, reference, FORM["email"])
    for email in emails:
        if email["To"] == [FORM["email"]]:
            for typed in ("Zoë", "O'Brien", "aches after", "Tuesday mornings"):
                check(typed not in json.dumps(email, ensure_ascii=False), f"the auto-reply repeats what was typed: {typed!r}")
    items = stack.enquiries()
    check(len(items) == 1, f"{len(items)} enquiries are in the table, not one")
    check(items[0].get("reference", {}).get("S") == reference, f"the item's reference is not {reference}: {items[0].get('reference')}")

    say("the same enquiry again")
    status, headers, page = stack.post_form(FORM)
    check(status == 303, f"the repeated form answered {status}, not 303:\n{page[:1500]}")
    check(reference in headers.get("location", ""), f"the repeat got another reference: {headers.get('location')!r}, not {reference}")

    say("a wrong one")
    status, headers, body = stack.post_json(FORM | {"email": "zoe", "name": ""})
    check(status == 422, f"the wrong enquiry answered {status}, not 422: {body[:800]}")
    check(headers.get("content-type", "").startswith("application/problem+json"), f"its type is {headers.get('content-type')}")
    pointers = sorted(e["pointer"] for e in json.loads(body)["errors"])
    check(pointers == ["#/email", "#/name"], f"its errors are {pointers}")
    status, _, page = stack.post_form(FORM | {"email": "zoe"})
    check(status == 422 and "aches after" in page, f"the wrong form answered {status}, or lost what was typed:\n{page[:800]}")

    # The stream is read in order: once this one's emails have left, whatever the repeat and the wrong ones might have sent has left too.
    say("another enquiry, as JSON")
    status, _, body = stack.post_json(OTHER)
    check(status == 201, f"the JSON enquiry answered {status}, not 201: {body[:800]}")
    other = json.loads(body)["reference"]
    check(other != reference, "two enquiries share a reference")
    wait_for_emails(stack, other, OTHER["email"])
    emails = stack.ministack.about_enquiries()
    check(len(emails) == 4, f"{len(emails)} emails have left, not four: {[(m['To'], m['Subject']) for m in emails]}")
    check(len(stack.enquiries()) == 2, f"{len(stack.enquiries())} enquiries are in the table, not two")

    say("feedback, the timer's command, and an event of no known kind")
    for name in ("ses-delivery", "ses-bounce", "ses-complaint", "command-sweep"):
        error, answer = stack.invoke(json.loads((ROOT / "events" / f"{name}.json").read_text()))
        check(not error, f"events/{name}.json failed: {error} {answer}")
    error, answer = stack.invoke(json.loads((ROOT / "events" / "unknown.json").read_text()))
    check(error, f"events/unknown.json did not fail: {answer}")
    check(len(stack.ministack.about_enquiries()) == 4, "feedback about an email we never sent, or the sweep, sent an email")

    say("the therapist's desk")
    mark_answered(browser, reference)
    say("a price, a holiday and a question changed, and the next enquiry on each of two instances")
    change_and_ask(stack, browser)
    sign_out(stack, browser, reference)

    say("the failure queue and the log")
    messages = stack.sqs.receive_message(QueueUrl=stack.outputs["FailureQueueUrl"]).get("Messages", [])
    check(not messages, f"the failure queue holds {messages}")
    lines = stack.log_lines()
    check(any(line.startswith("{") for line in lines), f"the function logged no JSON line: {lines[:5]}")
    for line in lines:
        for typed in [*PERSONAL, code]:
            check(typed not in line, f"a log line holds {typed!r}: {line}")


def is_closed(stack):
    """A practice that was not set up: its name and number, and no form."""
    status, _, page = stack.request("GET", "/", {"Accept": "text/html"})
    check(status == 503 and "Quiet Hands" in page and "01632 960123" in page, f"the closed form answered {status}:\n{page[:800]}")
    status, _, page = stack.post_form(FORM)
    check(status == 503, f"the closed form took a post with {status}:\n{page[:800]}")
    check(not stack.enquiries(), "the closed desk has an enquiry")


def beside(stack, other):
    """Another practice in the same account: closed until it is set up, and no one else's business."""
    enquiries = len(stack.enquiries())
    is_closed(other)
    for name in ("TableName", "FunctionName", "Endpoint"):
        check(stack.outputs[name] != other.outputs[name], f"two stacks share {name}: {other.outputs[name]}")
    status, _, page = stack.request("GET", "/", {"Accept": "text/html"})
    check(status == 200 and "<form" in page, f"beside another stack the first one's form answered {status}:\n{page[:800]}")
    check(len(stack.enquiries()) == enquiries, "beside another stack the first one's enquiries are others")


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--released", type=pathlib.Path, metavar="DIR", help="deploy what tools/release has left in DIR")
    options.add_argument("--built", type=pathlib.Path, metavar="DIR", help="deploy what `sam build` has left in DIR")
    options.add_argument("--keep", action="store_true", help="keep the logs, and say where they are")
    options = options.parse_args()

    # Ended from outside, it still stops what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    work = pathlib.Path(tempfile.mkdtemp(prefix="enquiry-desk-deploy-"))
    ministack = None
    try:
        if not options.released:
            say("tools/release")
            run([ROOT / "tools/release", work / "released", "x86_64"], work / "release.log")
        released = template_of((options.released or work / "released").resolve(), "enquiry-desk-*-x86_64/template.yaml")
        if not options.built:
            say("sam build")
            run([ROOT / "tools/sam-build", work / "built"], work / "build.log")
        built = template_of((options.built or work / "built").resolve(), "template.yaml")
        say("ministack")
        ministack = Ministack(work)
        ministack.wait()
        # SAM takes a value apart at its spaces unless it is quoted.
        practice = ['PracticeName="Quiet Hands"', 'PracticePhone="01632 960123"']
        stack = Stack(ministack)
        say("sam deploy, in the folder that is downloaded")
        stack.deploy(released.parent, [], practice, work)
        walk(stack)
        say("a second practice, deployed from source")
        other = Stack(ministack, "quiet-hands")
        source = ["--template-file", built, "--config-file", ROOT / "samconfig.toml"]
        other.deploy(ROOT, source, [*practice, "VerifyAddresses=false"], work)
        beside(stack, other)
        say("the deployment test passed")
    except Failure as failure:
        say(f"\nThe deployment test failed: {failure}")
        if ministack:
            with contextlib.suppress(Exception):
                say("\nThe function's last lines:\n" + "\n".join(line[:600] for line in stack.log_lines()[-20:]))
            say(f"\nministack's last lines:\n{tail(ministack.log, 20)}")
        return 1
    finally:
        if ministack:
            ministack.stop()
        if options.keep:
            say(f"logs: {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
