//! The SES catcher under the real SDK: what it accepts, and every error as the SDK's type.

use std::time::Duration;

use aws_emulator::aws;
use aws_emulator::function::Function;
use aws_emulator::ses::account::{Account, Suppression};
use aws_emulator::ses::faults::Fault;
use aws_emulator::ses::{Mailbox, Ses};
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::config::timeout::TimeoutConfig;
use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::{SendEmailError, SendEmailOutput};
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{
    Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag, RawMessage,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

type Sent = Result<SendEmailOutput, SdkError<SendEmailError>>;

struct Post {
    from: String,
    to: Vec<String>,
    subject: String,
    headers: Vec<(String, String)>,
    tags: Vec<(String, String)>,
    set: Option<String>,
}

fn post() -> Post {
    Post {
        from: "shop@example.com".to_owned(),
        to: vec!["client@example.org".to_owned()],
        subject: "Zoë".to_owned(),
        headers: vec![],
        tags: vec![],
        set: None,
    }
}

fn utf8(data: &str) -> Content {
    Content::builder()
        .data(data)
        .charset("UTF-8")
        .build()
        .unwrap()
}

impl Post {
    async fn send(&self, client: &Client) -> Sent {
        let mut message = Message::builder().subject(utf8(&self.subject)).body(
            Body::builder()
                .text(utf8("Grüße"))
                .html(utf8("<p>Grüße</p>"))
                .build(),
        );
        for (name, value) in &self.headers {
            message = message.headers(
                MessageHeader::builder()
                    .name(name)
                    .value(value)
                    .build()
                    .unwrap(),
            );
        }
        let mut request = client
            .send_email()
            .from_email_address(&self.from)
            .destination(
                Destination::builder()
                    .set_to_addresses(Some(self.to.clone()))
                    .build(),
            )
            .set_configuration_set_name(self.set.clone())
            .content(EmailContent::builder().simple(message.build()).build());
        for (name, value) in &self.tags {
            request = request.email_tags(
                MessageTag::builder()
                    .name(name)
                    .value(value)
                    .build()
                    .unwrap(),
            );
        }
        request.send().await
    }
}

async fn start(account: Account) -> (Ses, Mailbox, Client) {
    let ses = Ses::start(None, account).await.unwrap();
    let client = aws::ses(ses.endpoint());
    let mailbox = ses.mailbox();
    (ses, mailbox, client)
}

/// A client that gives up on an answer that never comes, but not on a busy machine.
fn impatient(client: &Client) -> Client {
    let timeout = TimeoutConfig::builder()
        .operation_timeout(Duration::from_secs(1))
        .build();
    Client::from_conf(client.config().to_builder().timeout_config(timeout).build())
}

fn service_error(sent: Sent) -> SendEmailError {
    match sent {
        Err(SdkError::ServiceError(error)) => error.into_err(),
        other => panic!("expected an answer of SES, found {other:?}"),
    }
}

#[tokio::test]
async fn an_accepted_email_is_kept_with_its_complete_request() {
    let (_ses, mailbox, client) = start(Account::default()).await;
    let mut email = post();
    email.tags.push(("kind".to_owned(), "receipt".to_owned()));
    email
        .headers
        .push(("Auto-Submitted".to_owned(), "auto-replied".to_owned()));
    let id = email.send(&client).await.unwrap().message_id.unwrap();
    let kept = mailbox.email(1).unwrap();
    assert_eq!(kept.message_id, id);
    assert_eq!(
        (kept.subject.as_str(), kept.from.as_str()),
        ("Zoë", "shop@example.com")
    );
    assert_eq!(kept.to, ["client@example.org"]);
    assert_eq!(kept.text.as_deref(), Some("Grüße"));
    assert_eq!(kept.headers["Auto-Submitted"], "auto-replied");
    assert_eq!(kept.tags()["kind"], "receipt");
    assert_eq!(
        kept.request["Content"]["Simple"]["Subject"],
        json!({ "Data": "Zoë", "Charset": "UTF-8" })
    );
    assert_eq!(
        kept.request["Destination"]["ToAddresses"],
        json!(["client@example.org"])
    );
    assert!(
        kept.eml
            .contains(&format!("<{id}@eu-west-2.amazonses.com>"))
    );
}

#[tokio::test]
async fn raw_content_is_kept_as_it_was() {
    let (_ses, mailbox, client) = start(Account::default()).await;
    let raw = RawMessage::builder()
        .data(Blob::new(
            "From: shop@example.com\r\nSubject: Raw\r\n\r\nBody\r\n",
        ))
        .build()
        .unwrap();
    client
        .send_email()
        .destination(
            Destination::builder()
                .to_addresses("client@example.org")
                .build(),
        )
        .content(EmailContent::builder().raw(raw).build())
        .send()
        .await
        .unwrap();
    let kept = mailbox.email(1).unwrap();
    assert_eq!(
        (kept.subject.as_str(), kept.from.as_str()),
        ("Raw", "shop@example.com")
    );
    assert!(kept.eml.ends_with("\r\n\r\nBody\r\n"));
}

#[tokio::test]
async fn every_error_class_is_the_sdks_own_type() {
    type Change = fn(&mut Account);
    type Check = fn(&SendEmailError) -> bool;
    let cases: [(&str, Change, Check, &str); 8] = [
        (
            "unverified",
            |account| account.identities.clear(),
            SendEmailError::is_message_rejected,
            "Email address is not verified.",
        ),
        (
            "sandbox",
            |account| account.sandbox = true,
            SendEmailError::is_message_rejected,
            "client@example.org",
        ),
        (
            "paused",
            |account| account.paused = true,
            SendEmailError::is_sending_paused_exception,
            "Sending paused",
        ),
        (
            "suspended",
            |account| account.suspended = true,
            SendEmailError::is_account_suspended_exception,
            "restricted",
        ),
        (
            "mail from",
            |account| account.mail_from_verified = false,
            SendEmailError::is_mail_from_domain_not_verified_exception,
            "verified",
        ),
        (
            "set",
            |account| account.configuration_sets.clear(),
            SendEmailError::is_not_found_exception,
            "<emulator> does not exist",
        ),
        (
            "quota",
            |account| account.max_24_hour_send = Some(0),
            SendEmailError::is_too_many_requests_exception,
            "Daily message quota exceeded.",
        ),
        (
            "rate",
            |account| account.max_send_rate = Some(0.0),
            SendEmailError::is_too_many_requests_exception,
            "Maximum sending rate exceeded.",
        ),
    ];
    for (name, change, check, words) in cases {
        let (_ses, mailbox, client) = start(Account::default()).await;
        mailbox.account(change);
        let error = service_error(
            Post {
                set: Some("emulator".to_owned()),
                ..post()
            }
            .send(&client)
            .await,
        );
        assert!(check(&error), "{name}: {error:?}");
        assert!(
            error.message().unwrap().contains(words),
            "{name}: {error:?}"
        );
        assert!(mailbox.emails().is_empty(), "{name}");
    }
}

#[tokio::test]
async fn a_denied_caller_gets_an_error_without_a_type_of_its_own() {
    let (_ses, mailbox, client) = start(Account::default()).await;
    mailbox.account(|account| account.allowed = false);
    assert_eq!(
        service_error(post().send(&client).await).code(),
        Some("AccessDeniedException")
    );
}

#[tokio::test]
async fn requests_that_ses_forbids_are_bad_requests() {
    let many = |count: usize| {
        (0..count)
            .map(|number| format!("client{number}@example.org"))
            .collect::<Vec<_>>()
    };
    let headers = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let tags = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let cases = vec![
        (
            "51 recipients",
            Post {
                to: many(51),
                ..post()
            },
        ),
        (
            "no recipient",
            Post {
                to: vec![],
                ..post()
            },
        ),
        (
            "no domain",
            Post {
                to: vec!["client".to_owned()],
                ..post()
            },
        ),
        (
            "non-ASCII local part",
            Post {
                to: vec!["zoë@example.org".to_owned()],
                ..post()
            },
        ),
        (
            "non-ASCII domain",
            Post {
                to: vec!["a@exämple.org".to_owned()],
                ..post()
            },
        ),
        (
            "non-ASCII name",
            Post {
                from: "Zoë <shop@example.com>".to_owned(),
                ..post()
            },
        ),
        (
            "two dots",
            Post {
                to: vec!["a..b@example.org".to_owned()],
                ..post()
            },
        ),
        (
            "line break in an address",
            Post {
                to: vec!["a@example.org\r\nBcc: b@example.org".to_owned()],
                ..post()
            },
        ),
        (
            "one label",
            Post {
                to: vec!["a@localhost".to_owned()],
                ..post()
            },
        ),
        (
            "line break in the subject",
            Post {
                subject: "a\r\nBcc: b@example.org".to_owned(),
                ..post()
            },
        ),
        (
            "tag with a dot",
            Post {
                tags: tags("kind", "a.b"),
                ..post()
            },
        ),
        (
            "tag with a space",
            Post {
                tags: tags("le tter", "a"),
                ..post()
            },
        ),
        (
            "long tag",
            Post {
                tags: tags("kind", &"a".repeat(257)),
                ..post()
            },
        ),
        (
            "16 headers",
            Post {
                headers: (0..16)
                    .map(|number| (format!("X-{number}"), "a".to_owned()))
                    .collect(),
                ..post()
            },
        ),
        (
            "header of its own",
            Post {
                headers: headers("Reply-To", "a@example.org"),
                ..post()
            },
        ),
        (
            "header twice",
            Post {
                headers: [headers("X-Note", "a"), headers("x-note", "b")].concat(),
                ..post()
            },
        ),
        (
            "non-ASCII header",
            Post {
                headers: headers("X-Note", "Zoë"),
                ..post()
            },
        ),
        (
            "line break in a header",
            Post {
                headers: headers("X-Note", "a\r\nBcc: b@example.org"),
                ..post()
            },
        ),
        (
            "colon in a header's name",
            Post {
                headers: headers("X:Note", "a"),
                ..post()
            },
        ),
        (
            "long header",
            Post {
                headers: headers("X-Note", &"a".repeat(991)),
                ..post()
            },
        ),
    ];
    let (_ses, mailbox, client) = start(Account::default()).await;
    for (name, email) in cases {
        let error = service_error(email.send(&client).await);
        assert!(error.is_bad_request_exception(), "{name}: {error:?}");
    }
    assert!(mailbox.emails().is_empty());
    assert!(
        Post {
            to: many(50),
            ..post()
        }
        .send(&client)
        .await
        .is_ok()
    );
    assert!(
        Post {
            headers: headers("X-Note", &"a".repeat(990)),
            ..post()
        }
        .send(&client)
        .await
        .is_ok()
    );
}

#[tokio::test]
async fn text_beyond_ascii_needs_a_charset() {
    let (_ses, _, client) = start(Account::default()).await;
    let message = Message::builder()
        .subject(Content::builder().data("Zoë").build().unwrap())
        .body(Body::builder().text(utf8("text")).build())
        .build();
    let sent = client
        .send_email()
        .from_email_address("shop@example.com")
        .destination(
            Destination::builder()
                .to_addresses("client@example.org")
                .build(),
        )
        .content(EmailContent::builder().simple(message).build())
        .send()
        .await;
    assert!(service_error(sent).is_bad_request_exception());
}

#[tokio::test]
async fn in_the_sandbox_verified_recipients_and_the_simulator_are_reached() {
    let account = Account {
        sandbox: true,
        ..Account::default()
    };
    let (_ses, mailbox, client) = start(account).await;
    for to in ["owner@example.com", "bounce+label@simulator.amazonses.com"] {
        assert!(
            Post {
                to: vec![to.to_owned()],
                ..post()
            }
            .send(&client)
            .await
            .is_ok(),
            "{to}"
        );
    }
    mailbox.account(|account| account.identities.insert("client@example.org".to_owned()));
    assert!(post().send(&client).await.is_ok());
}

#[tokio::test]
async fn the_account_says_what_its_state_is() {
    let account = Account {
        sandbox: true,
        max_24_hour_send: Some(200),
        max_send_rate: Some(1.0),
        ..Account::default()
    };
    let (_ses, mailbox, client) = start(account).await;
    let to = "success@simulator.amazonses.com".to_owned();
    Post {
        to: vec![to],
        ..post()
    }
    .send(&client)
    .await
    .unwrap();
    mailbox.account(|account| account.paused = true);
    let account = client.get_account().send().await.unwrap();
    let quota = account.send_quota().unwrap();
    assert!(!account.production_access_enabled);
    assert!(!account.sending_enabled);
    assert_eq!(
        (
            quota.max24_hour_send,
            quota.max_send_rate,
            quota.sent_last24_hours
        ),
        (200.0, 1.0, 1.0)
    );
}

#[tokio::test]
async fn faults_before_acceptance_send_nothing_and_faults_after_it_send() {
    let (_ses, mailbox, client) = start(Account::default()).await;
    let impatient = impatient(&client);
    let is_lost = |sent: &Sent| {
        matches!(
            sent,
            Err(SdkError::TimeoutError(_) | SdkError::DispatchFailure(_))
        )
    };
    for (fault, kept) in [
        (Fault::TimeoutBefore, 0),
        (Fault::ResetBefore, 0),
        (Fault::TimeoutAfter, 1),
        (Fault::ResetAfter, 2),
    ] {
        mailbox.fail(fault.clone());
        let sent = post().send(&impatient).await;
        assert!(is_lost(&sent), "{fault:?}: {sent:?}");
        assert_eq!(mailbox.emails().len(), kept, "{fault:?}");
    }
    for (fault, kept, code) in [
        (Fault::Throttled, 2, "TooManyRequestsException"),
        (Fault::Rejected, 2, "MessageRejected"),
        (
            Fault::ServerErrorBefore(503),
            2,
            "InternalServerErrorException",
        ),
        (
            Fault::ServerErrorAfter(500),
            3,
            "InternalServerErrorException",
        ),
        (
            Fault::Error {
                status: 400,
                code: "LimitExceededException".to_owned(),
                message: "too many".to_owned(),
            },
            3,
            "LimitExceededException",
        ),
    ] {
        mailbox.fail(fault.clone());
        assert_eq!(
            service_error(post().send(&client).await).code(),
            Some(code),
            "{fault:?}"
        );
        assert_eq!(mailbox.emails().len(), kept, "{fault:?}");
    }
    assert!(post().send(&client).await.is_ok(), "a fault happens once");
    let answered: Vec<bool> = mailbox
        .emails()
        .iter()
        .map(|email| email.answered)
        .collect();
    assert_eq!(answered, [false, false, false, true]);
    assert_eq!(mailbox.requests(), 10, "nothing was retried by itself");
}

#[tokio::test]
async fn a_fault_can_be_kept_for_one_recipient() {
    let (_ses, mailbox, client) = start(Account::default()).await;
    mailbox.fail_for("owner@", Fault::Throttled);
    assert!(post().send(&client).await.is_ok());
    assert!(
        Post {
            to: vec!["owner@example.com".to_owned()],
            ..post()
        }
        .send(&client)
        .await
        .is_err()
    );
    mailbox.fail(Fault::Throttled);
    assert_eq!(mailbox.clear_faults(), 1);
    assert!(post().send(&client).await.is_ok());
}

#[tokio::test]
async fn the_suppression_list_and_the_simulator_report_what_ses_reports() {
    let (ses, mailbox, client) = start(Account::default()).await;
    mailbox.account(|account| {
        account.suppressed = [
            ("gone@example.org", Suppression::Bounce),
            ("junk@example.org", Suppression::Complaint),
            ("tenant@example.org", Suppression::Tenant),
            ("unlikely@example.org", Suppression::Validation),
        ]
        .map(|(address, why)| (address.to_owned(), why))
        .into();
    });
    let (reports, mut reported) = mpsc::unbounded_channel::<Value>();
    ses.connect(Function::new(move |event| {
        reports.send(event).unwrap();
        async { Ok(Value::Null) }
    }));
    for (to, sent, kinds, sub_type) in [
        ("client@example.org", true, vec!["Send", "Delivery"], None),
        (
            "success@simulator.amazonses.com",
            true,
            vec!["Send", "Delivery"],
            None,
        ),
        (
            "ooto@simulator.amazonses.com",
            true,
            vec!["Send", "Delivery", "Bounce"],
            None,
        ),
        (
            "bounce@simulator.amazonses.com",
            true,
            vec!["Send", "Bounce"],
            Some("General"),
        ),
        (
            "complaint@simulator.amazonses.com",
            true,
            vec!["Send", "Delivery", "Complaint"],
            None,
        ),
        (
            "suppressionlist@simulator.amazonses.com",
            false,
            vec!["Send", "Bounce"],
            Some("Suppressed"),
        ),
        (
            "Gone@example.org",
            false,
            vec!["Send", "Bounce"],
            Some("OnAccountSuppressionList"),
        ),
        (
            "junk@example.org",
            false,
            vec!["Send", "Complaint"],
            Some("OnAccountSuppressionList"),
        ),
        (
            "tenant@example.org",
            false,
            vec!["Send", "Bounce"],
            Some("OnTenantSuppressionList"),
        ),
        (
            "unlikely@example.org",
            false,
            vec!["Send", "Bounce"],
            Some("EmailValidationSuppressed"),
        ),
    ] {
        let email = Post {
            to: vec![to.to_owned()],
            set: Some("emulator".to_owned()),
            tags: vec![("order".to_owned(), "ORD-1001".to_owned())],
            ..post()
        };
        let id = email.send(&client).await.unwrap().message_id.unwrap();
        mailbox.settled().await;
        assert_eq!(mailbox.emails().last().unwrap().sent, sent, "{to}");
        for kind in kinds {
            let event = reported.try_recv().unwrap();
            assert_eq!(event["Records"][0]["EventSource"], "aws:sns");
            let record: Value =
                serde_json::from_str(event["Records"][0]["Sns"]["Message"].as_str().unwrap())
                    .unwrap();
            assert_eq!(record["eventType"], kind, "{to}");
            assert_eq!(record["mail"]["messageId"], id.as_str());
            assert_eq!(record["mail"]["tags"]["order"], json!(["ORD-1001"]));
            assert_eq!(record["mail"]["destination"], json!([to]));
            match (sub_type, kind) {
                (Some(sub_type), "Bounce") => {
                    assert_eq!(record["bounce"]["bounceSubType"], sub_type, "{to}");
                    assert_eq!(record["bounce"]["bouncedRecipients"][0]["emailAddress"], to);
                }
                (Some(sub_type), "Complaint") => {
                    assert_eq!(record["complaint"]["complaintSubType"], sub_type, "{to}");
                }
                _ => {}
            }
        }
        assert!(reported.try_recv().is_err(), "{to}: nothing else");
    }
}

#[tokio::test]
async fn an_email_with_a_virus_is_accepted_and_rejected_later() {
    let (_ses, mailbox, client) = start(Account::default()).await;
    let set = Some("emulator".to_owned());
    Post {
        subject: "EICAR-STANDARD-ANTIVIRUS-TEST-FILE".to_owned(),
        set,
        ..post()
    }
    .send(&client)
    .await
    .unwrap();
    let email = mailbox.email(1).unwrap();
    let kinds: Vec<_> = email
        .notices
        .iter()
        .map(|notice| notice.kind.as_str())
        .collect();
    assert_eq!(kinds, ["Send", "Reject"]);
    assert!(!email.sent);
}

#[tokio::test]
async fn without_a_configuration_set_nothing_is_reported() {
    let (_ses, mailbox, client) = start(Account::default()).await;
    post().send(&client).await.unwrap();
    assert!(mailbox.email(1).unwrap().notices.is_empty());
}

#[tokio::test]
async fn emails_are_still_there_after_a_restart_and_what_was_not_reported_is_reported_then() {
    let folder = super::emulator::Folder::new();
    let ses = Ses::start(Some(folder.path()), Account::default())
        .await
        .unwrap();
    let client = aws::ses(ses.endpoint());
    let id = Post {
        set: Some("emulator".to_owned()),
        ..post()
    }
    .send(&client)
    .await
    .unwrap()
    .message_id
    .unwrap();
    ses.stop().await;

    let ses = Ses::start(Some(folder.path()), Account::default())
        .await
        .unwrap();
    let mailbox = ses.mailbox();
    assert_eq!(mailbox.email(1).unwrap().message_id, id);
    let (reports, mut reported) = mpsc::unbounded_channel::<Value>();
    ses.connect(Function::new(move |event| {
        reports.send(event).unwrap();
        async { Ok(Value::Null) }
    }));
    mailbox.settled().await;
    assert_eq!(
        (
            reported.try_recv().is_ok(),
            reported.try_recv().is_ok(),
            reported.try_recv().is_ok()
        ),
        (true, true, false)
    );
    post().send(&aws::ses(ses.endpoint())).await.unwrap();
    assert_eq!(mailbox.email(2).unwrap().number, 2);
}

#[tokio::test]
async fn what_only_the_files_hold_is_read_and_reported_as_the_newest_is() {
    let folder = super::emulator::Folder::new();
    let ses = Ses::start(Some(folder.path()), Account::default())
        .await
        .unwrap();
    let client = aws::ses(ses.endpoint());
    let count = 230;
    for number in 1..=count {
        let post = Post {
            subject: number.to_string(),
            set: Some("emulator".to_owned()),
            ..post()
        };
        post.send(&client).await.unwrap();
    }
    let mailbox = ses.mailbox();
    // Reported only now, so that the older ones are reported from their files.
    ses.connect(Function::new(async |_| Ok(Value::Null)));
    mailbox.settled().await;
    let emails = mailbox.emails();
    assert_eq!((mailbox.count(), emails.len()), (count, count));
    for (number, email) in (1..).zip(&emails) {
        assert_eq!(email.subject, number.to_string());
        assert_eq!(mailbox.email(number).unwrap().eml, email.eml);
        assert!(!email.notices.is_empty());
        assert!(email.notices.iter().all(|notice| notice.reported));
    }
    ses.stop().await;
}

#[tokio::test]
async fn faults_at_random_stop_when_they_are_told_to() {
    let (_ses, mailbox, client) = start(Account::default()).await;
    let impatient = impatient(&client);
    mailbox.fail_at_random(1.0);
    for _ in 0..3 {
        assert!(post().send(&impatient).await.is_err());
    }
    mailbox.fail_at_random(0.0);
    assert!(post().send(&client).await.is_ok());
}
