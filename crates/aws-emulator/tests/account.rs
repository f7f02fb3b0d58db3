//! What can be asked about the account, and what each switch changes in it.

use aws_emulator::aws;
use aws_emulator::dynamodb::Dynamo;
use aws_emulator::fault_proxy::FaultProxy;
use aws_emulator::ses::Ses;
use aws_emulator::ses::account::{Account, SWITCHES};
use aws_sdk_sesv2::error::ProvideErrorMetadata;
use axum::body::{Body, to_bytes};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

/// Everything that can be asked, as text.
async fn asked(ses: &Ses, table: &FaultProxy) -> String {
    let client = aws::ses(ses.endpoint());
    let account = client.get_account().send().await;
    let account = account.map_err(|error| error.code().map(str::to_owned));
    let identity = client.get_email_identity().email_identity("example.com");
    let identity = identity.send().await;
    let identity = identity.map_err(|error| error.code().map(str::to_owned));
    let advised = client.list_recommendations().send().await;
    let advised = advised.map_err(|error| error.code().map(str::to_owned));
    let request = axum::http::Request::post(ses.endpoint())
        .body(Body::from("Action=ListSubscriptionsByTopic&TopicArn=t"))
        .unwrap();
    let answer = Client::builder(TokioExecutor::new())
        .build_http()
        .request(request)
        .await
        .unwrap();
    let body = Body::new(answer.into_body());
    let subscriptions = to_bytes(body, 10_000).await.unwrap();
    let subscriptions = String::from_utf8(subscriptions.to_vec()).unwrap();
    let subscriptions = subscriptions.contains("PendingConfirmation");
    let table_of = aws::dynamodb(table.endpoint());
    let name = crate::table().name;
    let described = table_of
        .describe_table()
        .table_name(&name)
        .send()
        .await
        .unwrap();
    let deletion = described.table().unwrap().deletion_protection_enabled();
    let expiry = table_of
        .describe_time_to_live()
        .table_name(&name)
        .send()
        .await
        .unwrap();
    let recovery = table_of
        .describe_continuous_backups()
        .table_name(&name)
        .send()
        .await
        .unwrap();
    // Without what differs from call to call.
    let account = account.map(|it| {
        (
            it.production_access_enabled,
            it.sending_enabled,
            it.enforcement_status,
            it.send_quota.map(|it| it.max24_hour_send),
        )
    });
    let identity = identity.map(|it| {
        let verified = it.verified_for_sending_status;
        (verified, it.dkim_attributes, it.mail_from_attributes)
    });
    let set = client
        .get_configuration_set()
        .configuration_set_name("emulator");
    let set = set.send().await.map(|it| it.sending_options);
    let set = set.map_err(|error| error.code().map(str::to_owned));
    let reports = client
        .get_configuration_set_event_destinations()
        .configuration_set_name("emulator");
    let reports = reports.send().await.map(|it| it.event_destinations);
    let reports = reports.map_err(|error| error.code().map(str::to_owned));
    let advised = advised.map(|it| it.recommendations().len());
    let table = (
        deletion,
        expiry.time_to_live_description,
        recovery.continuous_backups_description,
    );
    format!("{account:?} {identity:?} {set:?} {reports:?} {advised:?} {subscriptions} {table:?}")
}

#[tokio::test]
async fn each_switch_shows_in_what_can_be_asked_and_is_switched_back() {
    let dynamo = Dynamo::start(None, &crate::table()).await.unwrap();
    let ses = Ses::start(None, Account::default()).await.unwrap();
    let table = FaultProxy::start(dynamo.endpoint(), 0.0, ses.mailbox())
        .await
        .unwrap();
    let well = asked(&ses, &table).await;
    for (name, _) in SWITCHES {
        let switch = || ses.mailbox().account(|account| account.switch(name));
        switch();
        assert!(
            ses.mailbox().account(|account| account.switched(name)),
            "{name}"
        );
        assert_ne!(asked(&ses, &table).await, well, "{name}");
        switch();
        assert_eq!(asked(&ses, &table).await, well, "{name}");
    }
}
