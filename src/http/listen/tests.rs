//! Tests every protocol on one port, against a service that answers with the HTTP version of the
//! request.

use super::*;
use crate::http::tls::names;
use crate::limits::Profile;
use crate::world::Clock;
use http_body_util::Full;
use hyper::body::Frame;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    ClientConfig, HandshakeKind, ProtocolVersion, RootCertStore, SupportedProtocolVersion,
};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const EMPTY_SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
/// A HEADERS frame for `GET /`, encoded with HPACK's static table. The frame also ends the HTTP/2
/// stream.
const GET: [u8; 12] = [0, 0, 3, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84];

/// A running server, with its address and the sender that stops it.
struct Server {
    address: SocketAddr,
    tls: Arc<TlsIdentity>,
    stop: watch::Sender<bool>,
    tasks: Tasks,
    ended: watch::Receiver<bool>,
}

fn start<S, F, B>(service: S, max_connections: usize) -> Server
where
    S: Fn(Request<Incoming>, Client) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Response<B>, Infallible>> + Send + 'static,
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let listeners = bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
    let address = listeners[0].local_addr().unwrap();
    let tls = Arc::new(TlsIdentity::generated(
        None,
        names("us-east-1", &[]),
        Clock::System,
    ));
    let (stop, stopping) = watch::channel(false);
    let (end, ended) = watch::channel(false);
    let settings = Settings {
        connections: Connections {
            most: max_connections,
            ..Connections::of(&Limits::for_profile(Profile::Standard), 0)
        },
        metrics: Metrics::new(),
        tls: tls.clone(),
        stop: stopping,
    };
    let (tasks, connections) = (Tasks::new(), Tasks::new());
    tasks.spawn("server", async move {
        serve(listeners, settings, service, &connections).await;
        let _ = end.send(true);
    });
    Server {
        address,
        tls,
        stop,
        tasks,
        ended,
    }
}

fn start_version_server() -> Server {
    let answer = |request: Request<Incoming>, client: Client| async move {
        let text = format!(
            "{:?} {}",
            request.version(),
            client.address.ip().is_loopback()
        );
        Ok(Response::new(Full::new(Bytes::from(text))))
    };
    start(answer, 100)
}

impl Server {
    async fn plain(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    fn client(&self, version: &'static SupportedProtocolVersion, alpn: &[&str]) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        let pem = self.tls.ca_pem().unwrap();
        roots
            .add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap())
            .unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        TlsConnector::from(Arc::new(config))
    }

    async fn handshake(&self, client: &TlsConnector) -> TlsStream<TcpStream> {
        let name = ServerName::try_from("127.0.0.1").unwrap();
        client.connect(name, self.plain().await).await.unwrap()
    }
}

async fn read_to(io: &mut (impl AsyncRead + Unpin), wanted: &str) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(wanted.as_bytes()) {
        bytes.push(io.read_u8().await.unwrap());
    }
    String::from_utf8(bytes).unwrap()
}

async fn ask_http1(io: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    io.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    io.flush().await.unwrap();
    let answer = read_to(io, "HTTP/1.1 true").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

/// Reads the next frame, and returns its type and payload.
async fn read_frame(io: &mut (impl AsyncRead + Unpin)) -> (u8, Vec<u8>) {
    let mut head = [0; 9];
    io.read_exact(&mut head).await.unwrap();
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; length as usize];
    io.read_exact(&mut payload).await.unwrap();
    (head[3], payload)
}

async fn ask_http2(io: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    io.write_all(&[PREFACE, &EMPTY_SETTINGS, &GET].concat())
        .await
        .unwrap();
    io.flush().await.unwrap();
    loop {
        let (kind, payload) = read_frame(io).await;
        if kind == 0 {
            assert_eq!(payload, b"HTTP/2.0 true");
            return;
        }
    }
}

#[tokio::test]
async fn plain_connections_speak_both_versions() {
    let server = start_version_server();
    let mut connection = server.plain().await;
    ask_http1(&mut connection).await;
    ask_http1(&mut connection).await;
    ask_http2(&mut server.plain().await).await;
}

#[tokio::test]
async fn tls_speaks_both_versions_whatever_was_negotiated() {
    let server = start_version_server();
    for version in [&TLS12, &TLS13] {
        for alpn in [&[][..], &["h2"], &["http/1.1"], &["h2", "http/1.1"]] {
            let client = server.client(version, alpn);
            let mut connection = server.handshake(&client).await;
            let chosen = connection.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
            assert_eq!(chosen, alpn.first().map(|name| name.as_bytes().to_vec()));
            ask_http1(&mut connection).await;
            ask_http2(&mut server.handshake(&client).await).await;
        }
    }
}

#[tokio::test]
async fn tls_sessions_are_resumed() {
    let server = start_version_server();
    for (version, number) in [
        (&TLS12, ProtocolVersion::TLSv1_2),
        (&TLS13, ProtocolVersion::TLSv1_3),
    ] {
        let client = server.client(version, &["h2"]);
        let mut first = server.handshake(&client).await;
        // Wait for an answer. In TLS 1.3, the session tickets arrive after the handshake, at the
        // latest with the first answer.
        ask_http1(&mut first).await;
        let second = server.handshake(&client).await;
        assert_eq!(second.get_ref().1.protocol_version(), Some(number));
        assert_eq!(
            second.get_ref().1.handshake_kind(),
            Some(HandshakeKind::Resumed)
        );
    }
}

#[tokio::test]
async fn a_stop_lets_a_request_in_flight_finish() {
    let (begin, mut begun) = mpsc::unbounded_channel();
    let service = move |_request: Request<Incoming>, _client: Client| {
        let (part, parts) = mpsc::unbounded_channel::<Bytes>();
        let _ = begin.send(part);
        async move { Ok(Response::new(Parts(parts))) }
    };
    let mut server = start(service, 100);
    let mut idle = server.plain().await;
    let mut busy = server.plain().await;
    busy.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let part = begun.recv().await.unwrap();
    part.send(Bytes::from_static(b"one")).unwrap();
    read_to(&mut busy, "one\r\n").await;

    server.stop.send(true).unwrap();
    assert_eq!(idle.read(&mut [0; 8]).await.unwrap(), 0);
    assert!(!*server.ended.borrow());
    part.send(Bytes::from_static(b"two")).unwrap();
    drop(part);
    read_to(&mut busy, "two\r\n0\r\n\r\n").await;
    assert_eq!(busy.read(&mut [0; 8]).await.unwrap(), 0);
    server.ended.wait_for(|ended| *ended).await.unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
    assert_eq!(server.tasks.close_and_join(limits::DRAIN_LIMIT).await, 0);
}

/// A body whose chunks the test sends one by one.
struct Parts(mpsc::UnboundedReceiver<Bytes>);

impl Body for Parts {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0
            .poll_recv(context)
            .map(|part| part.map(|part| Ok(Frame::data(part))))
    }
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_one_to_close() {
    let answer = |_request: Request<Incoming>, _client: Client| async {
        Ok(Response::new(Full::new(Bytes::from_static(
            b"HTTP/1.1 true",
        ))))
    };
    let server = start(answer, 1);
    let mut first = server.plain().await;
    ask_http1(&mut first).await;
    let mut second = server.plain().await;
    second
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    ask_http1(&mut first).await;
    assert!(second.try_read(&mut [0; 8]).is_err());
    drop(first);
    read_to(&mut second, "HTTP/1.1 true").await;
}

#[test]
fn connections_leave_open_files_to_the_store() {
    for (limit, reserved, permitted) in [
        (None, 560, u64::MAX),
        (Some(16_384), 560, 15_824),
        (Some(700), 560, 175),
        (Some(256), 560, 64),
        (Some(1), 560, 1),
        (Some(1_024), 128, 896),
    ] {
        assert_eq!(
            permitted_connections(limit, reserved),
            permitted,
            "{limit:?}"
        );
    }
}

#[tokio::test]
async fn garbage_ends_its_own_connection_only() {
    let server = start_version_server();
    for garbage in [
        &b"\x16\x03\x01\x00\x02hi"[..],
        b"\x16",
        b"\x00\x01\x02\r\n\r\n",
        b"P",
    ] {
        let mut connection = server.plain().await;
        connection.write_all(garbage).await.unwrap();
        connection.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let _ = connection.read_to_end(&mut answer).await;
    }
    ask_http1(&mut server.plain().await).await;
}
