//! The subscribers of the alarm topic: SNS's "ListSubscriptionsByTopic" (Amazon SNS API Reference), whose query API takes a form and answers
//! with XML.

use std::time::Duration;

use aws_sdk_dynamodb::config::Credentials;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::call::{Call, Signer};
use super::{HttpClients, SharedHttpClient, credentials, endpoint, given};

/// How long the question may take.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The topic that alarms go to.
#[derive(Clone)]
pub struct AlarmTopic {
    arn: String,
    endpoint: String,
    region: String,
    credentials: Credentials,
    client: SharedHttpClient,
}

/// One who gets the alarms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// `email` or `sms`.
    pub protocol: String,
    /// The address or the number.
    pub endpoint: String,
    /// Whether its owner has confirmed it.
    pub confirmed: bool,
}

impl AlarmTopic {
    /// The topic that `ALARM_TOPIC` names, if it does.
    pub(super) fn from_variables(
        variable: &impl Fn(&str) -> Option<String>,
        clients: &HttpClients,
    ) -> Option<Self> {
        let region = given(variable, "AWS_REGION").unwrap_or_default();
        let endpoint = endpoint(variable, "SNS").unwrap_or_else(|| {
            let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
            format!("https://sns.{region}.amazonaws.com{suffix}")
        });
        Some(Self {
            arn: given(variable, "ALARM_TOPIC")?,
            endpoint: format!("{}/", endpoint.trim_end_matches('/')),
            region,
            credentials: credentials(variable),
            client: clients.common.clone(),
        })
    }

    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The name under which SES knows an identity of the same account and region.
    #[must_use]
    pub fn identity_arn(&self, identity: &str) -> Option<String> {
        let mut parts = self.arn.split(':').skip(1);
        let (partition, _, region, account) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        Some(format!(
            "arn:{partition}:ses:{region}:{account}:identity/{identity}"
        ))
    }

    /// Who gets the alarms; those who have not confirmed it, too.
    ///
    /// # Errors
    /// SNS's code, or the kind of the failure on the way.
    pub async fn subscriptions(&self) -> Result<Vec<Subscription>, String> {
        let signer = Signer {
            credentials: &self.credentials,
            region: &self.region,
            service: "sns",
        };
        let topic = utf8_percent_encode(&self.arn, NON_ALPHANUMERIC);
        let form = format!("Action=ListSubscriptionsByTopic&Version=2010-03-31&TopicArn={topic}");
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let call = Call {
            service: "SNS",
            operation: "ListSubscriptionsByTopic",
            endpoint: &self.endpoint,
            client: &self.client,
            timeout: TIMEOUT,
        };
        let answer = call
            .send(signer.post(&self.endpoint, &headers, form))
            .await?;
        let xml = String::from_utf8_lossy(&answer.body);
        if answer.status == 200 {
            return Ok(subscriptions(&xml));
        }
        let code = element(&xml, "Code").map(str::to_owned);
        Err(code.unwrap_or_else(|| format!("Status{}", answer.status)))
    }
}

fn subscriptions(xml: &str) -> Vec<Subscription> {
    let members = xml.split("<member>").skip(1);
    let subscription = |member: &str| {
        Some(Subscription {
            protocol: element(member, "Protocol")?.to_owned(),
            endpoint: unescaped(element(member, "Endpoint")?),
            confirmed: element(member, "SubscriptionArn")?.starts_with("arn:"),
        })
    };
    members.filter_map(subscription).collect()
}

/// What stands in the first element of this name, which has no attributes and no other element in it.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, after) = xml.split_once(&format!("<{name}>"))?;
    Some(after.split_once("</")?.0)
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_gets_the_alarms_is_read_from_the_words_of_sns() {
        // The example of the API Reference, with one who has not confirmed, and an address with a sign in it.
        let xml = "<ListSubscriptionsByTopicResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
            <ListSubscriptionsByTopicResult><Subscriptions><member><TopicArn>arn:aws:sns:us-east-2:123456789012:My-Topic</TopicArn>\
            <Protocol>email</Protocol>\
            <SubscriptionArn>arn:aws:sns:us-east-2:123456789012:My-Topic:80289ba6-0fd4-4079-afb4-ce8c8260f0ca</SubscriptionArn>\
            <Owner>123456789012</Owner><Endpoint>o&amp;o@example.com</Endpoint></member>\
            <member><TopicArn>t</TopicArn><Protocol>sms</Protocol><SubscriptionArn>PendingConfirmation</SubscriptionArn>\
            <Owner>1</Owner><Endpoint>+447700900982</Endpoint></member></Subscriptions></ListSubscriptionsByTopicResult>\
            </ListSubscriptionsByTopicResponse>";
        let read = subscriptions(xml);
        let read: Vec<_> = read
            .iter()
            .map(|it| (it.protocol.as_str(), it.endpoint.as_str(), it.confirmed))
            .collect();
        assert_eq!(
            read,
            [
                ("email", "o&o@example.com", true),
                ("sms", "+447700900982", false)
            ]
        );
        for broken in [
            "",
            "<member>",
            "<member><Protocol>email</Protocol></member>",
            "<member><Protocol>",
        ] {
            assert!(subscriptions(broken).is_empty(), "{broken}");
        }
    }
}
