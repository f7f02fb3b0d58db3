//! Whom the function believes to be AWS: Amazon's own certificates, or those of `AWS_CA_BUNDLE` and then no others.

use std::time::Duration;

use enquiry_desk::app::Runtime;
use enquiry_desk::aws::{HttpClients, SecretSource, UnusableBundle};
use jiff::Timestamp;
use tempfile::TempDir;

use backend::{Network, Services};

#[allow(dead_code, reason = "the benchmark uses all of it")]
#[path = "../../benches/speed/backend.rs"]
mod backend;

/// A host with a chain of its own, and the file with its root.
struct Host {
    folder: TempDir,
    address: String,
}

impl Host {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let network = Network::tls(folder.path());
        let network = network.with_round_trip(Duration::from_millis(1));
        let address = network.serve(Services::default().router()).await;
        Self { folder, address }
    }

    fn root(&self) -> String {
        self.folder
            .path()
            .join("root.pem")
            .to_str()
            .unwrap()
            .to_owned()
    }

    /// Fetches the secret from here with this `AWS_CA_BUNDLE`.
    async fn fetch(&self, bundle: Option<&str>) -> Result<(), String> {
        let variable = |name: &str| match name {
            "SECRET_ID" => Some("secret".to_owned()),
            "AWS_REGION" => Some("eu-west-2".to_owned()),
            "AWS_ENDPOINT_URL_SECRETS_MANAGER" => Some(self.address.clone()),
            "AWS_CA_BUNDLE" => bundle.map(str::to_owned),
            _ => None,
        };
        let clients = HttpClients::from_variables(variable).map_err(|_| "unusable".to_owned())?;
        let source = SecretSource::from_variables(&variable, clients).unwrap();
        source.fetch().await.map(|_| ()).map_err(|error| error.code)
    }
}

#[tokio::test]
async fn a_bundle_is_trusted_and_nothing_else_then() {
    let (host, other) = (Host::start().await, Host::start().await);
    assert_eq!(host.fetch(Some(&host.root())).await, Ok(()));
    let refused = Err("DispatchFailure".to_owned());
    assert_eq!(host.fetch(None).await, refused, "Amazon's roots");
    assert_eq!(host.fetch(Some("")).await, refused, "an empty variable");
    assert_eq!(
        host.fetch(Some(&other.root())).await,
        refused,
        "another root"
    );
    // Both in one file.
    let both = host.folder.path().join("both.pem");
    let read = |host: &Host| std::fs::read_to_string(host.root()).unwrap();
    std::fs::write(&both, read(&other) + &read(&host)).unwrap();
    assert_eq!(host.fetch(both.to_str()).await, Ok(()));
}

#[tokio::test]
async fn a_bundle_that_cannot_be_used_is_told_at_the_start_and_nothing_is_trusted_instead() {
    let folder = tempfile::tempdir().unwrap();
    let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
    for (name, text) in [
        ("missing", None),
        ("empty", Some(String::new())),
        ("words", Some("no certificate".to_owned())),
        ("not-base64", Some(format!("{begin}\n????\n{end}\n"))),
        ("no-certificate", Some(format!("{begin}\nAAAA\n{end}\n"))),
    ] {
        let file = folder.path().join(name);
        if let Some(text) = text {
            std::fs::write(&file, text).unwrap();
        }
        let variable =
            |asked: &str| (asked == "AWS_CA_BUNDLE").then(|| file.to_str().unwrap().to_owned());
        assert!(
            matches!(HttpClients::from_variables(variable), Err(UnusableBundle)),
            "{name}"
        );
        let errors = Runtime::start(variable, Timestamp::now())
            .await
            .err()
            .unwrap();
        assert_eq!(errors.0[0].variable, "AWS_CA_BUNDLE", "{name}");
    }
}
