//! DynamoDB, SES and Secrets Manager, which accept everything at once, behind a network: plain or TLS 1.3, with or without a delay
//! for each round trip.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, header};
use axum::routing::{any, get, post};
use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::rustls::version::TLS13;

/// How the function reaches its backends.
#[derive(Clone)]
pub(crate) struct Network {
    /// What stands above the figures.
    pub(crate) name: String,
    /// What is served on, and the file with the root that the function must trust.
    tls: Option<(TlsAcceptor, PathBuf)>,
    /// What each round trip takes longer.
    round_trip: Duration,
    /// After so long without a request the other side hangs up.
    idle: Duration,
}

impl Network {
    pub(crate) fn plain() -> Self {
        Self {
            name: "plain HTTP".to_owned(),
            tls: None,
            round_trip: Duration::ZERO,
            idle: Duration::from_secs(20),
        }
    }

    /// With a chain of its own, as long as AWS's: a root, an intermediate, and the server's.
    pub(crate) fn tls(folder: &Path) -> Self {
        let authority = |name: &str| {
            let mut parameters = CertificateParams::new(Vec::new()).expect("no names");
            parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            parameters
                .distinguished_name
                .push(rcgen::DnType::CommonName, name);
            (parameters, KeyPair::generate().expect("a key"))
        };
        let (parameters, key) = authority("root");
        let root = CertifiedIssuer::self_signed(parameters, key).expect("a root");
        let (parameters, key) = authority("intermediate");
        let between = CertifiedIssuer::signed_by(parameters, key, &root).expect("an intermediate");
        let key = KeyPair::generate().expect("a key");
        let server = CertificateParams::new(vec!["127.0.0.1".to_owned()])
            .and_then(|parameters| parameters.signed_by(&key, &between))
            .expect("a certificate");
        let file = folder.join("root.pem");
        std::fs::write(&file, root.pem()).expect("the folder can be written");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&TLS13])
            .expect("TLS 1.3")
            .with_no_client_auth()
            .with_single_cert(
                vec![server.der().clone(), between.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .expect("a chain");
        Self {
            name: "TLS 1.3".to_owned(),
            tls: Some((TlsAcceptor::from(Arc::new(config)), file)),
            ..Self::plain()
        }
    }

    /// The same, further away.
    pub(crate) fn with_round_trip(&self, round_trip: Duration) -> Self {
        Self {
            name: format!(
                "{}, {} ms more a round trip",
                self.name,
                round_trip.as_millis()
            ),
            round_trip,
            ..self.clone()
        }
    }

    /// The file of certificates for `AWS_CA_BUNDLE`.
    pub(crate) fn bundle(&self) -> Option<&Path> {
        self.tls.as_ref().map(|(_, file)| file.as_path())
    }

    /// Serves on a free port of this machine until the benchmark ends; gives the address.
    pub(crate) async fn serve(&self, router: Router) -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        let (opened, connections) = mpsc::channel(16);
        let network = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (network, opened) = (network.clone(), opened.clone());
                tokio::spawn(async move {
                    let far = network.relay(stream);
                    let connection: Box<dyn Connection> = match &network.tls {
                        None => Box::new(far),
                        Some((acceptor, _)) => match acceptor.accept(far).await {
                            Ok(stream) => Box::new(stream),
                            Err(_) => return,
                        },
                    };
                    let _ = opened.send(connection).await;
                });
            }
        });
        let door = Door {
            connections,
            address,
        };
        tokio::spawn(async move { axum::serve(door, router).await });
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{address}")
    }

    /// The far end of a connection: what the function sends arrives a round trip later, and the first of it two, since a
    /// connection takes a round trip to open.
    fn relay(&self, near: TcpStream) -> DuplexStream {
        let (far, between) = tokio::io::duplex(64 * 1024);
        // Small parts must not wait for each other.
        near.set_nodelay(true).expect("a connection");
        let (mut from_function, mut to_function) = near.into_split();
        let (mut from_backend, mut to_backend) = tokio::io::split(between);
        let (round_trip, idle) = (self.round_trip, self.idle);
        let (sent, mut travelling) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
        tokio::spawn(async move {
            let mut opening = round_trip;
            let mut part = vec![0; 16 * 1024];
            while let Ok(Ok(read @ 1..)) =
                tokio::time::timeout(idle, from_function.read(&mut part)).await
            {
                let arrives = Instant::now() + round_trip + opening;
                opening = Duration::ZERO;
                if sent.send((arrives, part[..read].to_vec())).is_err() {
                    return;
                }
            }
        });
        tokio::spawn(async move {
            while let Some((arrives, part)) = travelling.recv().await {
                let left = arrives.saturating_duration_since(Instant::now());
                // Tokio's own clock ticks in milliseconds.
                if !left.is_zero() {
                    let _ = tokio::task::spawn_blocking(move || std::thread::sleep(left)).await;
                }
                if to_backend.write_all(&part).await.is_err() {
                    return;
                }
            }
            let _ = to_backend.shutdown().await;
        });
        tokio::spawn(async move {
            let _ = tokio::io::copy(&mut from_backend, &mut to_function).await;
            let _ = to_function.shutdown().await;
        });
        far
    }
}

/// What the backends' connections have in common.
trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

struct Door {
    connections: mpsc::Receiver<Box<dyn Connection>>,
    address: SocketAddr,
}

struct Opened(Box<dyn Connection>);

impl Listener for Door {
    type Io = Opened;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Opened, SocketAddr) {
        loop {
            match self.connections.recv().await {
                Some(connection) => return (Opened(connection), self.address),
                None => sleep(Duration::from_secs(3600)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl AsyncRead for Opened {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Opened {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        part: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, part)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

/// The services, which accept everything, and how many emails they took.
#[derive(Clone, Default)]
pub(crate) struct Services {
    emails: Arc<AtomicUsize>,
    round_trips: Arc<AtomicUsize>,
}

impl Services {
    /// The emails so far.
    pub(crate) fn emails(&self) -> usize {
        self.emails.load(Ordering::Relaxed)
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> usize {
        self.round_trips.load(Ordering::Relaxed)
    }

    pub(crate) fn router(&self) -> Router {
        let (emails, round_trips) = (Arc::clone(&self.emails), Arc::clone(&self.round_trips));
        let send = async move || {
            emails.fetch_add(1, Ordering::Relaxed);
            (
                [(header::CONTENT_TYPE, "application/json")],
                r#"{"MessageId":"0"}"#,
            )
        };
        let account = async || {
            (
                [(header::CONTENT_TYPE, "application/json")],
                r#"{"ProductionAccessEnabled":true,"SendingEnabled":true,"EnforcementStatus":"HEALTHY"}"#,
            )
        };
        let call = async move |headers: HeaderMap| {
            round_trips.fetch_add(1, Ordering::Relaxed);
            let operation = headers
                .get("x-amz-target")
                .and_then(|target| target.to_str().ok());
            let answer = match operation {
                Some("DynamoDB_20120810.Query") => r#"{"Items":[],"Count":0,"ScannedCount":0}"#,
                Some(
                    "DynamoDB_20120810.TransactWriteItems"
                    | "DynamoDB_20120810.UpdateItem"
                    | "DynamoDB_20120810.GetItem"
                    | "DynamoDB_20120810.PutItem",
                ) => "{}",
                // What is known of a sender, before anything is sent.
                Some("DynamoDB_20120810.BatchGetItem") => {
                    r#"{"Responses":{},"UnprocessedKeys":{}}"#
                }
                Some("secretsmanager.GetSecretValue") => {
                    r#"{"SecretString":"0123456789abcdef0123456789abcdef"}"#
                }
                other => panic!("{other:?} has no answer here"),
            };
            (
                [(header::CONTENT_TYPE, "application/x-amz-json-1.0")],
                answer,
            )
        };
        Router::new()
            .route("/v2/email/outbound-emails", post(send))
            .route("/v2/email/account", get(account))
            .route("/", any(call))
    }
}
