//! The HTTP client of the deployed function: TLS with Amazon's own root certificates and no other.
//!
//! The function speaks to AWS alone. Five roots instead of the system's hundred and forty are fewer authorities to
//! trust, and the first answer comes sooner: nothing is read from the disk.

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};

/// Amazon Trust Services' roots ("Amazon Trust Services Repository"), as Debian ships them.
const ROOTS: [&str; 5] = [
    include_str!("tls/Amazon_Root_CA_1.pem"),
    include_str!("tls/Amazon_Root_CA_2.pem"),
    include_str!("tls/Amazon_Root_CA_3.pem"),
    include_str!("tls/Amazon_Root_CA_4.pem"),
    include_str!("tls/Starfield_Services_Root_G2.pem"),
];

/// A client that trusts Amazon's roots. Endpoints without TLS work too, as local ones are.
#[must_use]
pub(crate) fn client() -> SharedHttpClient {
    let roots = ROOTS.iter().fold(TrustStore::empty(), |store, root| {
        store.with_pem_certificate(root.as_bytes())
    });
    let builder = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    match TlsContext::builder().with_trust_store(roots).build() {
        Ok(context) => builder.tls_context(context).build_https(),
        // Certificates that were compiled in can be read; should they not be, the system's own are better than none.
        Err(_) => builder.build_https(),
    }
}
