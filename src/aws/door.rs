//! The desk's own public door, knocked at from inside.

use std::time::Duration;

use aws_smithy_types::body::SdkBody;

use super::call::Call;
use super::{HttpClients, SharedHttpClient};

/// How long an answer may take: the gateway itself waits for half a minute, and this invocation has to go on.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Posts to the desk's own address, with the client that fetches the secret: both certificates are Amazon's.
#[derive(Clone)]
pub struct Door(SharedHttpClient);

impl Door {
    pub(super) fn new(clients: &HttpClients) -> Self {
        Self(clients.common.clone())
    }

    /// Posts a form at this address. Returns the status of the answer.
    ///
    /// # Errors
    /// The kind of the failure on the way.
    pub async fn post(
        &self,
        origin: &str,
        path: &str,
        signature: (&'static str, &str),
        form: String,
    ) -> Result<u16, String> {
        let (name, signature) = signature;
        let request = http::Request::post(format!("{origin}{path}"))
            .header("accept", "application/json")
            .header("content-type", "application/x-www-form-urlencoded")
            .header(name, signature)
            .body(SdkBody::from(form));
        let call = Call {
            service: "Desk",
            operation: "Post",
            endpoint: &format!("{origin}/"),
            client: &self.0,
            timeout: TIMEOUT,
        };
        let answer = call.send(request.map_err(Into::into)).await?;
        Ok(answer.status)
    }
}
